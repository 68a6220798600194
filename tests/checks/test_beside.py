"""A check that compares two graphs, one of which the user provides."""

from __future__ import annotations

import pytest

from bridge.auditing.graph_file import StandIn, about
from bridge.auditing.graph_fit import Fitted
from bridge.checking import CheckRun, GraphRequest, run_check
from bridge.verdict import Verdict
from numeric.graph import Graph
from numeric.instances.families import FAMILIES
from tests.checks.graphs import graphs_for
from tests.checks.pairs import pairs
from tests.numeric.block_graphs import size_names, written
from tests.report.parts import obligation

KEY = "biasedEncoderBlock_eval_zero:conclusion"
OWN, BESIDE = "biasedEncoderBlockGraph", "encoderBlockGraph"


def graphs_with(name: str, sizes: tuple[int, ...]) -> dict[GraphRequest, Graph]:
    """The library's graphs, with a user's of one size for one of the two."""
    given = written(name, dict(zip(size_names(name), sizes, strict=True)))
    library = graphs_for([pairs()[KEY]])
    return {r: given if r.name == name else g for r, g in library.items()}


@pytest.mark.parametrize("name", [OWN, BESIDE])
def test_the_sizes_that_both_have_are_compared(name: str) -> None:
    graphs = graphs_with(name, (4, 8, 2, 4, 16))
    found = run_check(CheckRun(pairs()[KEY], (), graphs, KEY, 0), instances=40)
    assert found.verdict is Verdict.HOLDS, found.reason
    assert "generic" in {f.family for f in found.families}
    assert "tall" not in {f.family for f in found.families}


@pytest.mark.parametrize("name", [OWN, BESIDE])
def test_no_family_fits_where_the_sizes_differ(name: str) -> None:
    run = CheckRun(pairs()[KEY], (), graphs_with(name, (5, 6, 3, 2, 7)), KEY, 0)
    assert not any(run.fits(family) for family in FAMILIES.values())


@pytest.mark.parametrize("name", [OWN, BESIDE])
def test_an_audit_of_a_graph_leaves_out_what_compares_it_at_other_sizes(name: str) -> None:
    compared, value = obligation(KEY), obligation("biasedEncoderBlock_eval:conclusion")
    for sizes, left in (((5, 6, 3, 2, 7), (value,)), ((4, 8, 2, 4, 16), (compared, value))):
        graphs = {**graphs_with(name, sizes), **_value_graphs(name, sizes)}
        given = next(g for r, g in graphs.items() if r.name == name)
        stands_in = StandIn(Fitted(given), {}, graphs)
        assert about((compared, value), pairs(), stands_in) == left
        assert about((compared,), pairs(), stands_in) == (compared,)  # the only one requested


def _value_graphs(name: str, sizes: tuple[int, ...]) -> dict[GraphRequest, Graph]:
    given = written(name, dict(zip(size_names(name), sizes, strict=True)))
    library = graphs_for([pairs()["biasedEncoderBlock_eval:conclusion"]])
    return {r: given if r.name == name else g for r, g in library.items()}
