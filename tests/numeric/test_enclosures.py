"""Enclosures contain the exact results, and stay points where floating point is exact."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from numeric.propositions import enclosures as enc
from numeric.propositions.enclosures import Enclosure, point
from numeric.propositions.powers import power, real_power
from numeric.propositions.truth import (
    CLOSE,
    FALSE,
    TRUE,
    UNDECIDED,
    Truth,
    both,
    certain,
    either,
    equal,
    less,
    less_or_equal,
    negation,
)

rng = np.random.default_rng(0)
VALUES = np.concatenate(
    [
        rng.normal(size=40),
        10.0 ** rng.uniform(-140, 140, 40) * rng.choice([-1, 1], 40),
        [0.0, 1.0, -1.0, 0.5, 3.0, 1e-300, 1e300, 5e-324, -0.0, 0.1, 2.0**53, 2.0**53 + 2],
    ]
)


def contains(found: Enclosure, exact: Fraction, row: int) -> bool:
    lo, hi = float(found.lo[row]), float(found.hi[row])
    above = math.isinf(lo) or Fraction(lo) <= exact
    return above and (math.isinf(hi) or exact <= Fraction(hi))


EXACT: dict[str, tuple[Callable[..., Enclosure], Callable[[Fraction, Fraction], Fraction]]] = {
    "add": (enc.add, lambda a, b: a + b),
    "subtract": (enc.subtract, lambda a, b: a - b),
    "multiply": (enc.multiply, lambda a, b: a * b),
    "divide": (enc.divide, lambda a, b: a / b if b else Fraction(0)),
    "minimum": (enc.minimum, min),
    "maximum": (enc.maximum, max),
}


@pytest.mark.parametrize("name", EXACT)
def test_bounds_contain_the_exact_result(name: str) -> None:
    operation, exact = EXACT[name]
    a, b = (np.array(x) for x in zip(*product(VALUES, VALUES), strict=True))
    found = operation(point(a), point(b))
    wrong = [
        (x, y)
        for row, (x, y) in enumerate(zip(a, b, strict=True))
        if not contains(found, exact(Fraction(x), Fraction(y)), row)
    ]
    assert not wrong, wrong[:3]


@pytest.mark.parametrize("name", EXACT)
def test_bounds_of_bounds_contain_the_results_for_any_member(name: str) -> None:
    operation, exact = EXACT[name]
    ends = [(-2.0, -0.5), (-1.0, 3.0), (0.25, 0.75), (0.0, 2.0), (-1.0, 0.0)]
    for (a, b), (c, d) in product(ends, ends):
        pair = [Enclosure(*map(np.array, ([lo], [hi], [3.0]))) for lo, hi in ((a, b), (c, d))]
        found = operation(*pair)
        for x, y in product(np.linspace(a, b, 7), np.linspace(c, d, 7)):
            assert contains(found, exact(Fraction(x), Fraction(y)), 0), (name, x, y)


def test_exact_values_stay_points() -> None:
    a, b = point(np.array([0.5, 3.0, 6.0])), point(np.array([0.25, -1.5, 2.0]))
    for found in (enc.add(a, b), enc.multiply(a, b), enc.subtract(a, b)):
        assert np.array_equal(found.lo, found.hi)
    third = enc.divide(point(np.array([6.0, 1.0])), point(np.array([3.0, 3.0])))
    assert third.lo[0] == third.hi[0] == 2.0
    assert third.lo[1] < third.hi[1]
    root = enc.square_root(point(np.array([9.0, 2.0])), open_below=False)
    assert root.lo[0] == root.hi[0] == 3.0
    assert root.lo[1] < math.sqrt(2) <= root.hi[1]


def test_division_by_zero_is_zero_and_by_what_may_be_zero_is_anything() -> None:
    by_zero = enc.divide(point(np.array([1.0])), point(np.array([0.0])))
    assert (by_zero.lo[0], by_zero.hi[0]) == (0.0, 0.0)
    unsure = Enclosure(np.array([-1e-9]), np.array([1e-9]), np.array([1.0]))
    anything = enc.divide(point(np.array([1.0])), unsure)
    assert (anything.lo[0], anything.hi[0]) == (-np.inf, np.inf)


def test_outside_its_domain_a_function_is_what_the_library_says_or_anything() -> None:
    x = point(np.array([-4.0]))
    assert enc.square_root(x, open_below=False).hi[0] == 0.0
    assert enc.square_root(x, open_below=True).hi[0] == np.inf
    log = enc.logarithm(x, open_below=False)
    assert log.lo[0] < math.log(4) < log.hi[0]
    assert enc.logarithm(point(np.array([0.0])), open_below=False).hi[0] == 0.0
    assert enc.logarithm(x, open_below=True).lo[0] == -np.inf


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("exponential", math.exp), ("tanh", math.tanh), ("sinh", math.sinh)),
        *(("cosh", math.cosh), ("sine", math.sin), ("cosine", math.cos)),
    ],
)
def test_functions_contain_what_another_library_gives(
    name: str, value: Callable[[float], float]
) -> None:
    x = rng.uniform(-5, 5, 500)
    found = getattr(enc, name)(point(x))
    for row, at in enumerate(x):
        assert found.lo[row] <= value(at) <= found.hi[row]
        assert found.hi[row] - found.lo[row] <= 1e-13 * max(1, abs(value(at)))


def test_overflow_says_no_more_than_that_the_number_is_large() -> None:
    large = enc.exponential(point(np.array([800.0])))
    assert large.lo[0] > 1e308
    assert large.hi[0] == np.inf
    assert not np.isnan(enc.subtract(large, large).middle[0])
    assert enc.subtract(large, large).lo[0] == -np.inf


def test_powers() -> None:
    a = Enclosure(np.array([-1.0]), np.array([2.0]), np.array([2.0]))
    assert (power(a, 2).lo[0], power(a, 2).hi[0]) == (0.0, 4.0)
    assert power(point(np.array([2.0])), -2).hi[0] == 0.25
    assert power(point(np.array([0.0])), 0).lo[0] == 1.0
    real = real_power(point(np.array([2.0, 9.0])), point(np.array([0.5, 0.25])))
    assert real.lo[0] < math.sqrt(2) < real.hi[0]
    assert real_power(point(np.array([-2.0])), point(np.array([0.5]))).lo[0] == -np.inf
    cube = real_power(point(np.array([-2.0])), point(np.array([3.0])))
    assert cube.lo[0] == cube.hi[0] == -8.0


def bounds(lo: float, hi: float) -> Enclosure:
    return Enclosure(np.array([lo]), np.array([hi]), np.array([max(abs(lo), abs(hi))]))


def code(truth: Truth) -> int:
    return int(np.ravel(truth.code)[0])


def test_a_comparison_is_decided_where_bounds_do_not_overlap() -> None:
    one, two, wide = bounds(1, 1), bounds(2, 2), bounds(0, 3)
    near = bounds(1 - 1e-15, 1 + 1e-15)
    assert code(less(one, two)) == TRUE
    assert code(less(two, one)) == FALSE
    assert code(less(one, one)) == FALSE
    assert code(less(one, near)) == UNDECIDED, "to be close is not to be less"
    assert code(less_or_equal(one, one)) == TRUE
    assert code(less_or_equal(one, near)) == CLOSE
    assert code(less_or_equal(one, wide)) == UNDECIDED
    assert code(equal(one, one)) == TRUE
    assert code(equal(one, near)) == CLOSE
    assert code(equal(one, two)) == FALSE
    assert code(equal(one, wide)) == UNDECIDED


def test_close_values_refute_nothing() -> None:
    near = equal(bounds(1, 1), bounds(1 - 1e-15, 1 + 1e-15))
    assert code(negation(near)) == UNDECIDED
    assert code(negation(certain(True))) == FALSE
    assert code(both([near, certain(True)])) == CLOSE
    assert code(either([near, certain(False)])) == CLOSE
    assert code(both([])) == TRUE
    assert code(either([])) == FALSE
