"""Checks of the feed-forward layer's theorems, on the graph that Lean exports.

The closed form beside it is `numeric.closed_forms.feed_forward`; the Lean source is
``lean/PostNorm/Layers/FeedForward.lean``.
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
from numeric.judge.first_input import first_backprop_is_adjoint
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import mutants_of, reaching_tokens

GRAPH = "ffnGraph"
SIZES = ("seqLen", "dModel", "dFF")


@check("ffn_eval:conclusion", graph=GRAPH, sizes=SIZES, rejects=mutants_of(GRAPH, "value"))
def feed_forward_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is gelu(x·W1 + b1)·W2 + b2, entry by entry against the closed form,
    by rules A and B.

    Σ|terms| is the graph's running error bound.  GELU's constants are those that Lean exports: the
    tanh form's √(2/π) and 0.044715, or the check says no.
    """
    return value_is_right(case)


@check(
    "ffn_hasFDerivAt:conclusion",
    "ffn_hasFDerivAt_tokens:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=mutants_of(GRAPH, "jvp"),
)
def feed_forward_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes.

    Along a random direction of x and of each parameter the JVP is held against the exact derivative
    (dual numbers, then the complex step), and along all of them against the closed form's JVP,
    entry by entry, by rules A and B.  The Taylor remainder must get below 1e-3 of Σ|terms|.
    """
    return derivative_is_right(case)


@check(
    "ffn_backpropVec_eq_adjoint_fderiv:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=mutants_of(GRAPH, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def feed_forward_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for x and each parameter by itself.

    J v is the exact derivative of the graph's evaluation (dual numbers, then the complex step): no
    JVP rule takes part.  Every entry of backprop is also held against the closed form's.
    """
    return backprop_is_right(case)


@check(
    "ffn_adjoint_tokens:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=reaching_tokens(GRAPH),
)
def feed_forward_backprop_to_the_tokens_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, in x alone, with J v by forward mode and by
    complex step."""
    return first_backprop_is_adjoint(case)
