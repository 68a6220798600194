"""The check that is special to LayerNorm: when its std is 0."""

from __future__ import annotations

from bridge.checking.registry import check
from bridge.checks.side_conditions import std_not_zero_where_var_eps_positive
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.edits import Edit, GraphMutant
from numeric.mutants.planted import mutants_of

GRAPH = "layerNormGraph"


@check(
    "layerNorm_std_ne_zero_iff:conclusion",
    graph=GRAPH,
    sizes=("seqLen", "dModel"),
    rejects=(
        *(m for m in mutants_of(GRAPH, "value") if m.names == {"varEps"}),
        GraphMutant("variance is not divided by d", (Edit("var", op="sum"),)),
        GraphMutant("root of the mean", (Edit("std", args=("mean",)),)),
        GraphMutant("no root", (Edit("std", op="scale", args=("varEps",), constant=1.0),)),
        GraphMutant("std is 0", (Edit("std", op="sub", args=("varEps", "varEps")),)),
        GraphMutant("var + ε negated", (Edit("varEps", op="scale", constant=-1.0),)),
    ),
)
def std_is_zero_only_where_var_plus_eps_is_not_positive(case: Case) -> Measurement:
    """std ≠ 0 exactly where 0 < var + ε, row by row.

    On the graph's own tensors that is exact: no rounding turns one into the other.  Both must also
    agree with rigorous enclosures to 1e-13 of their running error bounds, so that a graph whose std
    is something else is rejected; where the enclosure of var + ε contains 0 the instance is
    undecided.
    """
    return std_not_zero_where_var_eps_positive(case)
