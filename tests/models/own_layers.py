"""Layers and models without known names, in which tests change one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to audit torch modules"
)
nn, F = torch.nn, torch.nn.functional

__all__ = ["WIDTH", "Mine", "Owner", "Small", "Speaker", "owned"]

WIDTH, HEADS, INNER, WORDS = 16, 2, 24, 50


class Mine(nn.Module):
    """A pre-norm layer whose parts have their own names."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.wq, self.wk, self.wv, self.wo = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.up, self.down = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)

    def mix(self, q: Any, k: Any, v: Any) -> Any:
        return F.scaled_dot_product_attention(q, k, v)

    def attend(self, x: Any) -> Any:
        parts = (self.wq, self.wk, self.wv)
        q, k, v = (w(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for w in parts)
        return self.wo(self.mix(q, k, v).transpose(1, 2).flatten(2))

    def inner(self, x: Any) -> Any:
        return self.down(F.gelu(self.up(x)))

    def forward(self, x: Any) -> Any:
        x = x + self.attend(self.first(x))
        return x + self.inner(self.second(x))


class Small(nn.Module):
    """A minimal layer, for tests of its owner."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.wo = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Any) -> Any:
        return x + torch.tanh(self.wo(self.norm(x)))


class Owner(nn.Module):
    """Layers, run in sequence, or as ``run`` says."""

    def __init__(
        self, kind: Any = Small, run: Callable[[Any, Any], Any] | None = None, layers: int = 2
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.ModuleList([kind() for _ in range(layers)])
        self.run = run

    def forward(self, x: Any) -> Any:
        if self.run is not None:
            return self.run(self.blocks, x)
        for block in self.blocks:
            x = block(x)
        return x


def owned(kind: Any = Small, run: Callable[[Any, Any], Any] | None = None, layers: int = 2) -> Any:
    return Owner(kind, run, layers).eval()


class Speaker(nn.Module):
    """Token ids, two layers, a norm and a tied head; no gradient passes ``cut``."""

    def __init__(self, cut: str = "", padding: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(WORDS, WIDTH, padding_idx=padding)
        self.blocks = nn.ModuleList([Small(), Small()])
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WORDS, bias=False)
        if cut != "head":
            self.head.weight = self.words.weight
        self.cut = cut
        self.eval()

    def forward(self, ids: Any) -> Any:
        x = self.words(ids)
        if self.cut == "words":
            x = x.detach()
        for block in self.blocks:
            x = block(x)
        gain = self.norm.weight.detach() if self.cut == "norm" else self.norm.weight
        x = F.layer_norm(x, (WIDTH,), gain, self.norm.bias)
        return F.linear(x, self.head.weight.detach() if self.cut == "head" else self.head.weight)
