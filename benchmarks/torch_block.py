"""The block in torch, and its gradcheck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["block", "gradcheck", "tensors"]

torch.set_num_threads(1)


class WrongGelu(torch.autograd.Function):
    """GELU (tanh) whose derivative is too large by 1e-3, everywhere."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """The right value."""
        ctx.save_for_backward(x)
        return torch.nn.functional.gelu(x, approximate="tanh")

    @staticmethod
    def backward(ctx: Any, s: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """The wrong derivative."""
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            again = x.detach().requires_grad_()
            y = torch.nn.functional.gelu(again, approximate="tanh")
        (right,) = torch.autograd.grad(y, again, torch.ones_like(y))
        return s * (right + 1e-3)


def block(heads: int, eps1: float, eps2: float, *, wrong: bool = False) -> Callable[..., Any]:
    """The post-norm encoder block of one instance, in the order of the graph's inputs."""
    gelu = WrongGelu.apply if wrong else _gelu

    def run(
        x: Any, wq: Any, wk: Any, wv: Any, wo: Any,
        g1: Any, b1: Any, g2: Any, b2: Any, w1: Any, c1: Any, w2: Any, c2: Any,
    ) -> Any:  # fmt: skip
        rows, width = x.shape[0], wq.shape[1]
        q, k, v = ((x @ w).view(rows, heads, width // heads).transpose(0, 1) for w in (wq, wk, wv))
        p = torch.softmax(q @ k.transpose(-1, -2) / (width // heads) ** 0.5, dim=-1)
        attended = (p @ v).transpose(0, 1).reshape(rows, width) @ wo
        y = torch.nn.functional.layer_norm(attended + x, g1.shape, g1, b1, eps1)
        hidden = gelu(y @ w1 + c1) @ w2 + c2
        return torch.nn.functional.layer_norm(hidden + y, g2.shape, g2, b2, eps2)

    return run


def _gelu(x: Any) -> Any:
    return torch.nn.functional.gelu(x, approximate="tanh")


def tensors(inputs: Mapping[str, np.ndarray[Any, Any]]) -> list[torch.Tensor]:
    """One instance's inputs, in float64, each requiring a gradient."""
    return [torch.tensor(v[0], requires_grad=True) for v in inputs.values()]


def gradcheck(function: Callable[..., Any], at: list[torch.Tensor]) -> bool:
    """Whether it finds nothing wrong; fast mode, default tolerances."""
    return torch.autograd.gradcheck(function, at, fast_mode=True, raise_exception=False)
