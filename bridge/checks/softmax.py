"""The checks of softmax's theorems; the Lean source is ``lean/PostNorm/Layers/Softmax.lean``."""

from __future__ import annotations

from bridge.checking.registry import check
from bridge.checks.measures import backprop_is_right, derivative_is_right, value_is_right
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import mutants_of

GRAPH = "softmaxGraph"
SIZES = ("seqLen", "dModel")


@check(
    "softmax_eval:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=mutants_of(GRAPH, "value"),
)
def softmax_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is exp z / Σ exp z along the last axis, entry by entry, by rules A
    and B.

    The closed form (`softmax`) subtracts each row's largest entry first; the graph does
    not, so that instances stay where exp neither overflows nor vanishes.
    """
    return value_is_right(case)


@check("softmax_hasFDerivAt:conclusion", graph=GRAPH, sizes=SIZES, rejects=mutants_of(GRAPH, "jvp"))
def softmax_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes.

    Along a random direction the JVP is held against the exact derivative (dual numbers, then the
    complex step), and against the closed form's JVP p·(dz − ⟨p, dz⟩), entry by entry, by rules A
    and B.  The Taylor remainder must get below 1e-3 of Σ|terms|.
    """
    return derivative_is_right(case)


@check(
    "softmax_backprop_eq_adjoint_fderiv:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=mutants_of(GRAPH, "vjp"),
)
def softmax_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, with J v the exact derivative (dual numbers,
    then the complex step): no JVP rule takes part; and every entry of backprop against the closed
    form's."""
    return backprop_is_right(case)
