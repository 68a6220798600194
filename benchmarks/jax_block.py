"""The block in JAX, compiled, and its check_grads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.test_util import check_grads

__all__ = ["arrays", "block", "check"]

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")


@jax.custom_jvp
def wrong_gelu(x: Any) -> Any:
    """GELU (tanh) whose derivative is too large by 1e-3, everywhere."""
    return jax.nn.gelu(x, approximate=True)


@wrong_gelu.defjvp
def _wrong_gelu_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    y, dy = jax.jvp(lambda z: jax.nn.gelu(z, approximate=True), (x,), (t,))
    return y, dy + 1e-3 * t


def block(heads: int, eps1: float, eps2: float, *, wrong: bool = False) -> Callable[..., Any]:
    """The post-norm encoder block of one instance, jitted, in the order of the graph's inputs."""
    gelu = wrong_gelu if wrong else lambda x: jax.nn.gelu(x, approximate=True)

    def norm(x: Any, gain: Any, bias: Any, eps: float) -> Any:
        centered = x - x.mean(-1, keepdims=True)
        var = (centered * centered).mean(-1, keepdims=True)
        return centered / jnp.sqrt(var + eps) * gain + bias

    def run(
        x: Any, wq: Any, wk: Any, wv: Any, wo: Any,
        g1: Any, b1: Any, g2: Any, b2: Any, w1: Any, c1: Any, w2: Any, c2: Any,
    ) -> Any:  # fmt: skip
        rows, width = x.shape[0], wq.shape[1]
        q, k, v = (
            (x @ w).reshape(rows, heads, width // heads).transpose(1, 0, 2) for w in (wq, wk, wv)
        )
        scores = q @ k.transpose(0, 2, 1) / (width // heads) ** 0.5
        p = jax.nn.softmax(scores, axis=-1)
        attended = (p @ v).transpose(1, 0, 2).reshape(rows, width) @ wo
        y = norm(attended + x, g1, b1, eps1)
        hidden = gelu(y @ w1 + c1) @ w2 + c2
        return norm(hidden + y, g2, b2, eps2)

    return jax.jit(run)


def arrays(inputs: Mapping[str, np.ndarray[Any, Any]]) -> tuple[Any, ...]:
    """One instance's inputs, in float64."""
    return tuple(jnp.asarray(v[0]) for v in inputs.values())


def check(function: Callable[..., Any], at: tuple[Any, ...]) -> bool:
    """Whether it finds nothing wrong; first order, both modes, default tolerances."""
    try:
        check_grads(function, at, order=1)
    except AssertionError:
        return False
    return True
