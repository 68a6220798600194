"""The check of softmax's theorem; the Lean source is ``lean/PostNorm/Layers/Softmax.lean``."""

from __future__ import annotations

from bridge.checks.measures import value_is_right
from bridge.checks.registry import check
from numeric.block_mutants import mutants_of
from numeric.case import Case
from numeric.measurement import Measurement

GRAPH = "softmaxGraph"


@check(
    "softmax_eval:conclusion",
    graph=GRAPH,
    sizes=("seqLen", "dModel"),
    rejects=mutants_of(GRAPH, "value"),
)
def softmax_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is exp z / Σ exp z along the last axis, entry by entry, by rules A
    and B.

    The closed form (`numeric.softmax`) subtracts each row's largest entry first; the graph does
    not, so that instances stay where exp neither overflows nor vanishes.
    """
    return value_is_right(case)
