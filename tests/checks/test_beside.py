"""A check that compares two graphs, where a user gives one of them."""

from __future__ import annotations

import pytest

from bridge.checks import CheckRun, GraphRequest, registered, run_check
from bridge.verdict import Verdict
from numeric.families import FAMILIES
from numeric.graph import Graph
from tests.checks.graphs import graphs_for
from tests.numeric.block_graphs import size_names, written

KEY = "biasedEncoderBlock_eval_zero:conclusion"
OWN, BESIDE = "biasedEncoderBlockGraph", "encoderBlockGraph"


def graphs_with(name: str, sizes: tuple[int, ...]) -> dict[GraphRequest, Graph]:
    """The library's graphs, with a user's of one size for one of the two."""
    given = written(name, dict(zip(size_names(name), sizes, strict=True)))
    library = graphs_for([registered()[KEY]])
    return {r: given if r.name == name else g for r, g in library.items()}


@pytest.mark.parametrize("name", [OWN, BESIDE])
def test_the_sizes_that_both_have_are_compared(name: str) -> None:
    graphs = graphs_with(name, (4, 8, 2, 4, 16))
    found = run_check(registered()[KEY], (), graphs, key=KEY, seed=0, instances=40)
    assert found.verdict is Verdict.HOLDS, found.reason
    assert "generic" in {f.family for f in found.families}
    assert "tall" not in {f.family for f in found.families}


@pytest.mark.parametrize("name", [OWN, BESIDE])
def test_no_family_fits_where_the_sizes_differ(name: str) -> None:
    run = CheckRun(registered()[KEY], (), graphs_with(name, (5, 6, 3, 2, 7)), KEY, 0)
    assert not any(run.fits(family) for family in FAMILIES.values())
