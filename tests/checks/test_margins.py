from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.checking.margins import HIGHEST, LOWEST, Margins

some_margins = st.lists(st.floats(0, 1e30), max_size=30)


def test_a_margin_counts_in_its_decade() -> None:
    assert Margins.of([0.5, 0.02, 0.03, 7.0]) == Margins(((-2, 2), (-1, 1), (0, 1)))


def test_an_edge_belongs_to_the_upper_bin() -> None:
    edges = [float(f"1e{k}") for k in range(LOWEST + 1, HIGHEST + 1)]
    found = Margins.of(edges)
    assert found.decades == tuple((k, 1) for k in range(LOWEST + 1, HIGHEST + 1))
    below = Margins.of(np.nextafter(edges, 0))
    assert below.decades == tuple((k - 1, 1) for k in range(LOWEST + 1, HIGHEST + 1))


@pytest.mark.parametrize(("margin", "decade"), [(5e-324, LOWEST), (1e300, HIGHEST)])
def test_values_beyond_the_bins_count_in_the_outermost(margin: float, decade: int) -> None:
    assert Margins.of([margin]).decades == ((decade, 1),)


def test_a_margin_of_zero_is_at_the_limit() -> None:
    assert Margins.of([0.0, 1.0]) == Margins(((0, 1),), at_limit=1)


@given(some_margins, some_margins)
def test_parts_add_up_to_the_whole(a: list[float], b: list[float]) -> None:
    assert Margins.of(a) + Margins.of(b) == Margins.of(b) + Margins.of(a) == Margins.of([*a, *b])
    assert Margins.of([*a, *b]).count == len(a) + len(b)


def test_decades_rise() -> None:
    found = Margins.of([1e5]) + Margins.of([1e-5]) + Margins.of([1.0])
    assert all(a < b for (a, _), (b, _) in itertools.pairwise(found.decades))


def test_failures_count_by_their_distance_from_the_limit() -> None:
    found = Margins.beyond([-0.5, -0.02, -np.inf, np.nan, 0.0])
    assert found == Margins(((-2, 1), (-1, 1), (HIGHEST, 2)), at_limit=1)
    assert Margins.beyond([]) == Margins()
