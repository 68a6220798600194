"""The closed forms of the block and its parts: each derivative against the complex step of its
value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pytest

from numeric.closed_forms import attention, encoder_block, feed_forward, gelu, post_norm, softmax
from numeric.interpret.derivative import complex_step
from numeric.ops import Array
from tests.numeric.tensors import EPS1, EPS2, block_tensors, masks

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, Array]
B = 3

SHAPES = pytest.mark.parametrize(
    ("seq_len", "heads", "head_dim", "d_model"),
    [(4, 2, 4, 8), (1, 2, 3, 6), (3, 1, 1, 1), (5, 1, 2, 2), (2, 4, 1, 4), (3, 3, 2, 5)],
)
KINDS = pytest.mark.parametrize("biases", [False, True], ids=["no biases", "biases"])
MASKS = pytest.mark.parametrize("masked", [False, True], ids=["no mask", "causal"])


def agree(
    tensors: dict[str, FloatArray],
    value: Callable[[Tensors], Array],
    jvp: Callable[[Tensors], Array],
    vjp: Callable[[Array], dict[str, Array]],
) -> None:
    """The JVP along each tensor is the complex step's, and the VJP its adjoint."""
    rng = np.random.default_rng(7)
    tangents = {name: rng.normal(size=t.shape) for name, t in tensors.items()}
    cotangent = rng.normal(size=value(tensors).shape)
    pulled = vjp(cotangent)
    assert set(pulled) == set(tensors)
    total: Array = np.zeros_like(cotangent)
    for name, tangent in tangents.items():
        expected = complex_step(value, tensors, {name: tangent})
        found = jvp({name: tangent})
        scale = 1 + np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12 * scale, err_msg=name)
        assert pulled[name].shape == tensors[name].shape
        np.testing.assert_allclose(
            (pulled[name] * tangent).sum(),
            (expected * cotangent).sum(),
            rtol=1e-10,
            atol=1e-11 * scale,
            err_msg=name,
        )
        total = total + found
    np.testing.assert_allclose(jvp(tangents), total, rtol=1e-10, atol=1e-10)


def part(tensors: dict[str, FloatArray], *names: str) -> dict[str, FloatArray]:
    return {n.rstrip("!"): tensors[n] for n in names if n in tensors}


@SHAPES
@KINDS
@MASKS
def test_attention(
    seq_len: int, heads: int, head_dim: int, d_model: int, biases: bool, masked: bool
) -> None:
    every = block_tensors(B, seq_len, heads, head_dim, 3, d_model=d_model, biases=biases)
    tensors = part(every, "x", *attention.PARAMETERS)
    mask = masks(B, seq_len) if masked else None
    saved = attention.run(tensors, heads, mask)
    agree(
        tensors,
        lambda t: attention.forward(t, heads, mask),
        lambda d: attention.jvp(tensors, saved, d),
        lambda s: attention.vjp(tensors, saved, s),
    )


def test_a_mask_among_the_tensors_has_derivatives() -> None:
    every = block_tensors(B, 4, 2, 4, 3, biases=True)
    tensors = part(every, "x", *attention.PARAMETERS)
    tensors["mask"] = np.random.default_rng(1).normal(size=(B, 4, 4))
    saved = attention.run(tensors, 2)
    agree(
        tensors,
        lambda t: attention.forward(t, 2),
        lambda d: attention.jvp(tensors, saved, d),
        lambda s: attention.vjp(tensors, saved, s),
    )
    beside = {n: t for n, t in tensors.items() if n != "mask"}
    np.testing.assert_array_equal(saved.output, attention.forward(beside, 2, mask=tensors["mask"]))


def test_attention_head_by_head() -> None:
    """Written once more with loops over instance, head and token."""
    seq_len, heads, head_dim = 3, 2, 2
    t = block_tensors(2, seq_len, heads, head_dim, 1, d_model=5, biases=True)
    found = attention.forward(t, heads)
    for b in range(2):
        q, k, v = (t["x"][b] @ t[f"W{p}"][b] + t[f"b{p}"][b] for p in "qkv")
        row = np.zeros((seq_len, heads * head_dim))
        for h in range(heads):
            cut = slice(h * head_dim, (h + 1) * head_dim)
            for i in range(seq_len):
                s = [math.exp(q[i, cut] @ k[j, cut] / math.sqrt(head_dim)) for j in range(seq_len)]
                row[i, cut] = sum(s[j] * v[j, cut] for j in range(seq_len)) / sum(s)
        np.testing.assert_allclose(found[b], row @ t["Wo"][b] + t["bo"][b], rtol=1e-12)


def test_a_given_scale_replaces_the_usual_one() -> None:
    t = block_tensors(B, 4, 2, 4, 1)
    same = attention.forward(t, 2, scale=np.full(B, 0.5))
    np.testing.assert_allclose(same, attention.forward(t, 2), rtol=1e-14)
    other = attention.run(t, 2, scale=np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(other.weights[0], 0.25)


def test_a_causal_mask_hides_later_tokens() -> None:
    t = block_tensors(B, 4, 2, 4, 1)
    before = attention.forward(t, 2, masks(B, 4))
    t["x"][:, 3] += 1.0
    np.testing.assert_array_equal(attention.forward(t, 2, masks(B, 4))[:, :3], before[:, :3])


def test_softmax_far_out_does_not_overflow() -> None:
    z = np.array([[1e4, 0.0, 1e4], [-1e4, -1e4, -np.inf]])
    np.testing.assert_allclose(softmax.forward(z), [[0.5, 0, 0.5], [0.5, 0.5, 0]])


def test_gelu_at_known_points() -> None:
    """Against `math.erf`: the tanh form is within 5e-4 of the exact one."""
    x = np.linspace(-6, 6, 241)
    exact = np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x])
    np.testing.assert_allclose(gelu.forward(x), exact, atol=5e-4)
    assert gelu.forward(np.array([0.0]))[0] == 0.0
    assert gelu.derivative(np.array([0.0]))[0] == 0.5


@pytest.mark.parametrize("scale", [1e-8, 1.0, 5.0, 30.0, 1e4])
def test_gelu_derivative(scale: float) -> None:
    x = scale * np.linspace(-1, 1, 41)
    expected = gelu.forward(x + 1e-200j).imag / 1e-200
    np.testing.assert_allclose(gelu.derivative(x), expected, rtol=1e-12, atol=1e-14)


@SHAPES
def test_feed_forward(seq_len: int, heads: int, head_dim: int, d_model: int) -> None:
    every = block_tensors(B, seq_len, heads, head_dim, 5, d_model=d_model)
    tensors = part(every, "x", *feed_forward.PARAMETERS)
    saved = feed_forward.run(tensors)
    agree(
        tensors,
        feed_forward.forward,
        lambda d: feed_forward.jvp(tensors, saved, d),
        lambda s: feed_forward.vjp(tensors, saved, s),
    )


def test_sublayers() -> None:
    every = block_tensors(B, 4, 2, 4, 5)
    every |= {"gamma": every["gamma1"], "beta": every["beta1"]}
    eps = np.full(B, EPS1)
    tensors = part(every, "x", *attention.PARAMETERS, "gamma", "beta")
    saved = post_norm.attention_run(tensors, 2, eps)
    agree(
        tensors,
        lambda t: post_norm.attention_run(t, 2, eps).output,
        lambda d: post_norm.attention_jvp(tensors, saved, d),
        lambda s: post_norm.attention_vjp(tensors, saved, s),
    )
    tensors = part(every, "x", *feed_forward.PARAMETERS, "gamma", "beta")
    second = post_norm.feed_forward_run(tensors, eps)
    agree(
        tensors,
        lambda t: post_norm.feed_forward_run(t, eps).output,
        lambda d: post_norm.feed_forward_jvp(tensors, second, d),
        lambda s: post_norm.feed_forward_vjp(tensors, second, s),
    )


@SHAPES
@KINDS
@MASKS
def test_encoder_block(
    seq_len: int, heads: int, head_dim: int, d_model: int, biases: bool, masked: bool
) -> None:
    tensors = block_tensors(B, seq_len, heads, head_dim, 5, d_model=d_model, biases=biases)
    mask = masks(B, seq_len) if masked else None
    eps1, eps2 = np.full(B, 0.1), np.full(B, 0.2)
    saved = encoder_block.run(tensors, heads, eps1, eps2, mask)
    agree(
        tensors,
        lambda t: encoder_block.forward(t, heads, eps1, eps2, mask),
        lambda d: encoder_block.jvp(tensors, saved, d),
        lambda s: encoder_block.vjp(tensors, saved, s),
    )


def test_an_instance_does_not_depend_on_the_batch() -> None:
    tensors = block_tensors(B, 4, 2, 4, 5)
    eps = np.full(B, EPS2)
    whole = encoder_block.forward(tensors, 2, eps, eps)
    alone = encoder_block.forward({n: t[1:2] for n, t in tensors.items()}, 2, eps[:1], eps[:1])
    np.testing.assert_allclose(alone[0], whole[1], rtol=1e-13, atol=1e-13)
