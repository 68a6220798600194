"""LayerNorm's closed form, and the sign of var + ε against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numeric.closed_forms import layer_norm

FloatArray = npt.NDArray[np.float64]


def exact_variance(row: list[float]) -> Fraction:
    values = [Fraction(v) for v in row]
    mean = sum(values, Fraction(0)) / len(values)
    return sum(((v - mean) ** 2 for v in values), Fraction(0)) / len(values)


def decide(row: list[float], eps: float) -> layer_norm.VarEps:
    return layer_norm.var_eps(np.array([[row]]), np.array([eps]))


NUMBERS = st.one_of(
    st.floats(-1e12, 1e12, allow_subnormal=False),
    st.sampled_from([0.0, 0.1, 1e8, 1e8 + 1, 1e-160, -1e-160, 1e160, 1 + 2.0**-52]),
)


@given(
    st.lists(NUMBERS, min_size=1, max_size=9),
    st.sampled_from([0.0, 1e-300, 1e-5, -1e-5, -1.0, -0.25, -1e20]),
)
def test_a_decided_sign_is_the_true_one(row: list[float], eps: float) -> None:
    found = decide(row, eps)
    truth = exact_variance(row) + Fraction(eps)
    assert not (found.positive[0, 0] and truth <= 0)
    assert not (found.nonpositive[0, 0] and truth > 0)
    assert not (found.positive[0, 0] and found.nonpositive[0, 0])
    if eps >= 0:
        assert found.positive[0, 0] or found.nonpositive[0, 0], "for ε ≥ 0 it is always decided"


@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=9))
def test_the_enclosure_encloses(row: list[float]) -> None:
    found = decide(row, 0.0)
    truth = exact_variance(row)
    assert Fraction(found.low[0, 0]) <= truth + Fraction(1, 10**300)
    assert truth <= Fraction(found.high[0, 0]) + Fraction(1, 10**300)


@pytest.mark.parametrize("d", [1, 2, 3, 6, 7, 8, 11])
@pytest.mark.parametrize("value", [0.1, 0.7, 1e8 / 3, -1e-12])
def test_a_constant_row_has_variance_zero(value: float, d: int) -> None:
    found = decide([value] * d, 0.0)
    assert found.nonpositive.all()
    assert found.low[0, 0] == found.high[0, 0] == 0
    assert decide([value] * d, 1e-30).positive.all()


def test_one_ulp_from_a_constant_row_is_positive() -> None:
    assert decide([0.1] * 6 + [np.nextafter(0.1, 1)], 0.0).positive.all()


def test_a_sign_hidden_by_rounding_is_left_open() -> None:
    row = [0.1, 0.2, 0.4, 0.9]
    eps = -float(exact_variance(row))
    found = decide(row, eps)
    assert not found.positive.any()
    assert not found.nonpositive.any()
    assert decide(row, eps * (1 - 1e-12)).positive.all()
    assert decide(row, eps * (1 + 1e-12)).nonpositive.all()


def instance(seed: int = 0) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(3, 4, 5)),
        rng.normal(size=(3, 5)),
        rng.normal(size=(3, 5)),
        np.full(3, 1e-3),
    )


def test_rows_are_normalized() -> None:
    x, _, _, eps = instance()
    y = layer_norm.forward(x, np.ones((3, 5)), np.zeros((3, 5)), eps)
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-15)
    np.testing.assert_allclose((y**2).mean(axis=-1), x.var(axis=-1) / (x.var(axis=-1) + 1e-3))


def test_a_large_offset_does_no_harm() -> None:
    x, gamma, beta, eps = instance()
    x = np.round(x * 2**20) / 2**20  # so that the offset is added without rounding
    shifted = layer_norm.forward(x + 2.0**27, gamma, beta, eps)
    np.testing.assert_allclose(
        shifted, layer_norm.forward(x, gamma, beta, eps), rtol=1e-6, atol=1e-8
    )


def test_jvp_and_vjp_are_the_derivative() -> None:
    x, gamma, beta, eps = instance()
    dx, dgamma, dbeta, _ = instance(1)
    s = instance(2)[0]
    h = 1e-200
    expected = (
        layer_norm.forward(
            x + 1j * h * dx, gamma + 1j * h * dgamma, beta + 1j * h * dbeta, eps
        ).imag
        / h
    )
    dy = layer_norm.jvp(x, gamma, eps, dx, dgamma, dbeta)
    np.testing.assert_allclose(dy, expected, rtol=1e-12, atol=1e-13)
    gx, ggamma, gbeta = layer_norm.vjp(x, gamma, eps, s)
    np.testing.assert_allclose(
        (dy * s).sum(), (gx * dx).sum() + (ggamma * dgamma).sum() + (gbeta * dbeta).sum()
    )
    assert gx.shape == x.shape
    assert ggamma.shape == gbeta.shape == gamma.shape
