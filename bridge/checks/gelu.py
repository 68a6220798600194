"""The check of GELU's theorem; the Lean source is ``lean/PostNorm/Layers/Gelu.lean``."""

from __future__ import annotations

from bridge.checking.registry import check
from bridge.checks.measures import value_is_right
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import mutants_of

GRAPH = "geluGraph"


@check(
    "gelu_eval:conclusion",
    graph=GRAPH,
    sizes=("seqLen", "dFF"),
    rejects=mutants_of(GRAPH, "value"),
)
def gelu_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))), entry by entry against
    `numeric.closed_forms.gelu`, by rules A and B."""
    return value_is_right(case)
