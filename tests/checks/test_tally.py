"""Tallies: the parts of a family add up to the whole, however it is split."""

from __future__ import annotations

import functools
import operator
from itertools import pairwise

import pytest

from bridge.checking import CheckRun, Chunk, Probe
from bridge.checking.result import Worst
from bridge.checking.tally import Scored, Tally, tighter
from bridge.checking.units import Broken
from numeric.instances.families import FAMILIES
from tests.checks.graphs import graphs_for, hypotheses_of
from tests.checks.pairs import pairs

KEY = "layerNorm_backpropVec_eq_adjoint_fderiv_at:conclusion"
CHECKS = dict(pairs())
HYPOTHESES = hypotheses_of(KEY, CHECKS)
RUN = CheckRun(CHECKS[KEY], HYPOTHESES, graphs_for([CHECKS[KEY], *HYPOTHESES]), KEY, 0)


@pytest.mark.parametrize("family", ["generic", "large offset", "eps 0", "eps cancels variance"])
@pytest.mark.parametrize("cuts", [(0, 60), (0, 1, 2, 60), (0, 17, 30, 31, 60)])
def test_parts_add_up_to_the_whole(family: str, cuts: tuple[int, ...]) -> None:
    parts = [RUN.measure(Chunk(family, a, b)) for a, b in pairwise(cuts)]
    whole = RUN.measure(Chunk(family, 0, 60))
    assert isinstance(whole, Tally)
    assert whole.drawn == 60
    assert functools.reduce(operator.add, parts) == whole  # type: ignore[arg-type]


def test_of_two_equal_scores_the_first_counts() -> None:
    first, second = (Scored(1.0, Worst(r, 1.0, 0.0)) for r in (1.0, 2.0))
    assert tighter(first, second) is first
    assert tighter(second, first) is second
    assert tighter(first, Scored(2.0, first.worst)) == Scored(2.0, first.worst)
    assert tighter(None, first) is tighter(first, None) is first


def test_tallies_of_two_families_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="expected a tally of 'generic' but got one of 'tall'"):
        Tally("generic") + Tally("tall")


def test_a_probe_says_whether_a_mutant_is_rejected() -> None:
    assert {RUN.measure(Probe(i)) for i in range(len(RUN.check.rejects))} == {True}


def test_an_exception_of_a_check_is_reported() -> None:
    lost = CheckRun(RUN.check, [], {}, KEY, 0)
    found = lost.measure(Chunk("generic", 0, 1))
    assert isinstance(found, Broken)
    assert "was not exported" in found.reason


def test_chunks_cover_a_family_once() -> None:
    chunks = list(RUN.chunks("generic", 3000))
    covered = [i for c in chunks for i in range(c.start, c.stop)]
    assert covered == list(range(3000))
    assert len(chunks) > 1
    assert {c.family for c in chunks} == {"generic"} <= set(FAMILIES)
