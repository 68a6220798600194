"""Balls contain the exact results anywhere in the box, and refuse what they must."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from numeric.errors import EvaluationError
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES, Family, Region, sizes_of
from numeric.interpret import balls
from numeric.interpret.balls import enclose
from numeric.interpret.interpreter import Interpreter
from numeric.judge.least import least
from numeric.ops import OPS
from tests.numeric.block_graphs import size_names, written
from tests.numeric.graphs import layer_norm
from tests.numeric.test_enclosure import DIGITS, exactly

FloatArray = npt.NDArray[np.float64]
BLOCK = "encoderBlockGraph"


def block(family: Family, count: int = 2) -> Case:
    graph = written(BLOCK, dict(sizes_of(family, size_names(BLOCK))))
    return Case(Interpreter(graph), draw(family, graph, seed=1, key="balls", indices=range(count)))


def norm(x: list[list[float]], eps: float) -> Case:
    """LayerNorm of one matrix."""
    value = np.array([x], dtype=np.float64)
    graph = layer_norm(*value.shape[1:])
    batch = draw(FAMILIES["generic"], graph, seed=0, key="balls", indices=[0])
    inputs = {**batch.inputs, "x": value}
    return Case(
        Interpreter(graph), replace(batch, inputs=inputs, constants={"eps": np.array([eps])})
    )


def moved(case: Case, radius: float, seed: int) -> Case:
    """Another point of the box: every entry at one of its ends."""
    rng = np.random.default_rng(seed)
    inputs = {
        name: value + radius * rng.choice([-0.999, 0.0, 0.999], size=value.shape)
        for name, value in case.batch.inputs.items()
    }
    return Case(case.program, replace(case.batch, inputs=inputs))


def var_eps(row: FloatArray, eps: float) -> Fraction:
    exact = [Fraction(float(v)) for v in row]
    mean = sum(exact, Fraction(0)) / len(exact)
    return sum(((v - mean) ** 2 for v in exact), Fraction(0)) / len(exact) + Fraction(eps)


ROWS = [[1.0, 2.0, 4.0], [0.1, 0.1, 0.1], [1e8, 1e8 + 1, 1e8 - 3]]


@pytest.mark.parametrize("eps", [1e-5, 1e-30, 0.0, -1e-3])
def test_without_a_box_it_is_the_exact_rational(eps: float) -> None:
    truth = min(var_eps(np.array(row), eps) for row in ROWS)
    found = Fraction(float(least(norm(ROWS, eps), 0.0, tensor="varEps")[0]))
    assert found <= max(truth, Fraction(np.nextafter(0.0, 1.0)))
    assert abs(found - truth) <= abs(truth) / 2**52


@pytest.mark.parametrize("radius", [0.0, 1e-9, 1e-3, 0.5])
@pytest.mark.parametrize("seed", range(6))
def test_no_point_of_the_box_is_below_the_bound(radius: float, seed: int) -> None:
    case = norm(ROWS, 1e-5)
    low = Fraction(float(least(case, radius, tensor="varEps")[0]))
    rows = moved(case, radius, seed).batch.inputs["x"][0]
    assert all(low <= var_eps(row, 1e-5) for row in rows)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("radius", [0.0, 1e-7])
def test_the_block_at_60_digits_is_within_the_balls(family: Family, radius: float) -> None:
    """Every entry of four saved tensors, at the instance and at another point of the box."""
    case = block(family, 1)
    inputs = {name: value[0] for name, value in case.batch.inputs.items()}
    constants = {name: float(value[0]) for name, value in case.constants.items()}
    graph = case.program.graph
    with localcontext(prec=DIGITS):
        points = [exactly(graph, p) for p in (case, moved(case, radius, 3))]
        for name in ("attnResidual", "norm1.varEps", "norm2.varEps", "norm2.std"):
            ball = enclose(graph, inputs, constants, radius, name)
            for values in points:
                truth = values[graph.index(name)]
                for entry, exact in zip(ball.entries.flat, truth.flat, strict=True):
                    if entry.is_finite():
                        slack = Decimal("1e-45") * (1 + abs(exact))
                        low, high = (_decimal(b) for b in (entry.lower(), entry.upper()))
                        assert low - slack <= exact <= high + slack, name
                assert Decimal(ball.least()) <= min(truth.flat) + Decimal("1e-45")


def _decimal(point: object) -> Decimal:
    exact = point.fmpq()  # type: ignore[attr-defined]
    return Decimal(int(exact.p)) / Decimal(int(exact.q))


@pytest.mark.parametrize(
    "family", [f for f in FAMILIES.values() if f.region is not Region.EDGE], ids=lambda f: f.name
)
def test_it_accepts_in_the_domain_and_rejects_where_the_condition_is_violated(
    family: Family,
) -> None:
    low = [
        least(block(family), 1e-6, tensor=f"norm{k}.{tensor}")
        for k in (1, 2)
        for tensor in ("varEps", "std")
    ]
    if family.region is Region.DOMAIN:
        assert all((found > 0).all() for found in low)
    else:
        assert not (np.min(low, axis=0) > 0).any()


def test_a_box_that_holds_a_violating_point_is_refused() -> None:
    """The row's variance is 6.7e-7: without ε a box of 1e-3 contains a constant row."""
    case = norm([[1.0, 1.001, 1.002]], 0.0)
    assert least(case, 1e-4, tensor="varEps")[0] > 0
    assert least(case, 1e-3, tensor="varEps")[0] <= 0
    assert least(case, 1e-3, tensor="std")[0] <= 0
    negative = norm([[1.0, 1.001, 1.002]], -1e-7)
    assert least(negative, 0.0, tensor="varEps")[0] > 0
    assert least(negative, 4e-4, tensor="varEps")[0] <= 0
    assert least(norm([[1.0, 1.001, 1.002]], -1e-6), 0.0, tensor="varEps")[0] <= 0


def test_a_positive_eps_is_enough_for_any_box() -> None:
    """A square is not negative, for any box: the bound is ε."""
    found = least(norm(ROWS, 1e-30), 1e6, tensor="varEps")[0]
    assert 0 < found <= 1e-30


def test_where_nothing_is_known_the_bound_says_so() -> None:
    """At ε = 0 the standard deviation of a constant row is 0, and 1/0 in a box may be anything."""
    case = norm([[1.0, 1.0, 1.0]], 0.0)
    assert least(case, 1e-3, tensor="normalized")[0] == -np.inf
    assert least(case, 0.0, tensor="normalized")[0] == 0.0


def test_the_precision_of_others_stays() -> None:
    import flint

    before = flint.ctx.prec
    least(norm(ROWS, 1e-5), 0.0, tensor="std")
    assert flint.ctx.prec == before != balls.PRECISION


@pytest.mark.parametrize("radius", [-1.0, float("nan"), float("inf")])
def test_an_invalid_radius_is_refused(radius: float) -> None:
    with pytest.raises(EvaluationError, match="expected a radius ≥ 0 but got"):
        least(norm(ROWS, 1e-5), radius, tensor="varEps")


def test_without_flint_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balls, "version", lambda: None)
    with pytest.raises(EvaluationError, match="python-flint"):
        least(norm(ROWS, 1e-5), 0.0, tensor="varEps")


def test_every_operation_is_exercised() -> None:
    by_itself = {
        "normalCdf",
        "relu",
        "sigmoid",
        "log",
        "place",
        "gather",
    }  # in tests/numeric/test_functions.py
    found = {n.op for n in block(FAMILIES["generic"]).program.graph.nodes}
    assert found | by_itself == set(OPS)
