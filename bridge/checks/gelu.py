"""The check of GELU's theorem; the Lean source is ``lean/PostNorm/Layers/Gelu.lean``."""

from __future__ import annotations

from bridge.checks.measures import value_is_right
from bridge.checks.registry import check
from numeric.block_mutants import mutants_of
from numeric.case import Case
from numeric.measurement import Measurement

GRAPH = "geluGraph"


@check(
    "gelu_eval:conclusion",
    graph=GRAPH,
    sizes=("seqLen", "dFF"),
    rejects=mutants_of(GRAPH, "value"),
)
def gelu_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))), entry by entry against
    `numeric.gelu`, by rules A and B."""
    return value_is_right(case)
