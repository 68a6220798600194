"""Checks of the attention layer's theorems, on the graph that Lean exports.

The closed form beside it is `numeric.closed_forms.attention`; the Lean source is
``lean/PostNorm/Layers/Attention.lean``.
"""

from __future__ import annotations

from bridge.checking.registry import check
from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    value_is_right,
    where_it_exists,
)
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import mutants_of

GRAPH = "mhaGraph"
SIZES = ("seqLen", "dModel", "numHeads", "headDim")


@check("mha_eval:conclusion", graph=GRAPH, sizes=SIZES, rejects=mutants_of(GRAPH, "value"))
def attention_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is softmax(q kᵀ · scale) v, head by head, projected by Wo: entry by
    entry against the closed form, by rules A and B.

    Σ|terms| is the graph's running error bound.  The closed form shares no code with the
    interpreter and subtracts each row's largest score, which the graph does not.
    """
    return value_is_right(case)


@check("mha_hasFDerivAt:conclusion", graph=GRAPH, sizes=SIZES, rejects=mutants_of(GRAPH, "jvp"))
def attention_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes.

    Along a random direction of x and of each weight the JVP is held against the exact derivative
    (dual numbers, then the complex step), and along all of them against the closed form's JVP,
    entry by entry, by rules A and B.  The Taylor remainder must get below 1e-3 of Σ|terms|.
    """
    return derivative_is_right(case)


@check(
    "mha_backpropVec_eq_adjoint_fderiv:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=mutants_of(GRAPH, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def attention_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for x and each weight by itself.

    J v is the exact derivative of the graph's evaluation (dual numbers, then the complex step): no
    JVP rule takes part.  Every entry of backprop is also held against the closed form's.
    """
    return backprop_is_right(case)
