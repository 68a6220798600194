"""The layers that closed forms consist of: each derivative against differences, and the cotangents
against the tangents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from numeric.closed_forms import formula as f
from numeric.closed_forms.activations import QUICK_GELU, SILU
from numeric.closed_forms.formula import Formula, Term
from numeric.closed_forms.formulas import log_softmax

B, EPS = 2, np.full(2, 0.1)
SEEN = np.tril(np.ones((3, 5), dtype=np.bool_), 1)
Shapes = dict[str, tuple[int, ...]]
Write = Callable[[Formula], Term]

LAYERS: dict[str, tuple[Shapes, Write]] = {
    "add": ({"a": (3, 4), "b": (3, 4)}, lambda g: f.add(g["a"], g["b"])),
    "mul": ({"a": (3, 4), "b": (3, 4)}, lambda g: f.mul(g["a"], g["b"])),
    "matmul": ({"x": (3, 4), "w": (4, 2)}, lambda g: f.matmul(g["x"], g["w"])),
    "affine": (
        {"x": (3, 4), "w": (4, 2), "b": (2,)},
        lambda g: f.affine(g["x"], g["w"], g["b"]),
    ),
    "SiLU": ({"x": (3, 4)}, lambda g: f.activation(g["x"], SILU)),
    "quick-GELU": ({"x": (3, 4)}, lambda g: f.activation(g["x"], QUICK_GELU)),
    "layer_norm": (
        {"x": (3, 4), "g": (4,), "b": (4,)},
        lambda g: f.layer_norm(g["x"], g["g"], g["b"], EPS),
    ),
    "rms_norm": ({"x": (3, 4), "g": (4,)}, lambda g: f.rms_norm(g["x"], g["g"], EPS, 1.0)),
    "heads": ({"x": (3, 4)}, lambda g: f.heads(g["x"], 2)),
    "repeat_heads": ({"x": (2, 3, 4)}, lambda g: f.repeat_heads(g["x"], 3)),
    "rotary": (
        {"x": (2, 3, 4), "c": (3, 4), "s": (3, 4)},
        lambda g: f.rotary(g["x"], g["c"], g["s"]),
    ),
    "softmax_over": ({"z": (2, 3, 5)}, lambda g: f.softmax_over(g["z"], SEEN)),
    "attention": (
        {"q": (2, 3, 4), "k": (2, 5, 4), "v": (2, 5, 6)},
        lambda g: f.attention(lambda _, t: t, g["q"], g["k"], g["v"], SEEN, EPS),
    ),
    "rows": ({"t": (4, 3)}, lambda g: f.rows(g["t"], np.array([2, 0, 2]))),
    "biases": ({"t": (4, 2)}, lambda g: f.biases(g["t"], np.array([[2, 0, 2], [1, 2, 0]]))),
    "merge_heads": ({"x": (2, 3, 4)}, lambda g: f.merge_heads(g["x"])),
    "sub": ({"a": (3, 4), "b": (3, 4)}, lambda g: f.sub(g["a"], g["b"])),
    "log_sum_exp": ({"z": (3, 4)}, lambda g: f.log_sum_exp(g["z"])),
    "times": ({"x": (3, 4)}, lambda g: f.times(g["x"], 1.5)),
    "log_softmax": ({"z": (3, 4)}, lambda g: log_softmax(g["z"])),
    "turned": ({"x": (3, 4)}, lambda g: f.turned(g["x"])),
    "mean": ({"x": (3, 4)}, lambda g: f.mean(g["x"])),
    "pick": ({"z": (3, 4)}, lambda g: f.pick(g["z"], np.array([3, 0, 3]))),
    "a value used twice": ({"x": (3, 4)}, lambda g: f.mul(f.add(g["x"], g["x"]), g["x"])),
}


def at(name: str, tensors: dict[str, np.ndarray]) -> Formula:
    form = Formula.at(tensors)
    form.save("y", LAYERS[name][1](form))
    return form


@pytest.mark.parametrize("name", LAYERS)
def test_tangents_are_derivatives_and_cotangents_their_adjoint(name: str) -> None:
    rng = np.random.default_rng(5)
    x = {n: rng.normal(size=(B, *s)) for n, s in LAYERS[name][0].items()}
    v = {n: rng.normal(size=t.shape) for n, t in x.items()}
    form, h = at(name, x), 1e-5
    ahead, behind = (at(name, {n: x[n] + s * h * v[n] for n in x}) for s in (1, -1))
    expected = (ahead.result.value - behind.result.value) / (2 * h)
    found = form.jvp(v)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)
    assert np.abs(found).max() > 1e-3
    cotangent = rng.normal(size=found.shape)
    pulled = form.vjp(cotangent)
    total = sum((pulled[n] * v[n]).sum() for n in x)
    np.testing.assert_allclose(total, (found * cotangent).sum(), rtol=1e-11)


def test_a_forbidden_entry_acts_like_a_score_of_minus_infinity() -> None:
    z = np.random.default_rng(6).normal(size=(B, 2, 3, 5))
    form = Formula.at({"z": z})
    found = f.softmax_over(form["z"], SEEN).value
    e = np.exp(np.where(SEEN, z, -np.inf))
    np.testing.assert_allclose(found, e / e.sum(axis=-1, keepdims=True), rtol=1e-14)
    assert np.all(found[..., ~SEEN] == 0)
