"""Values that a parent passes to its layers, in any form: dicts, tuples, objects, names,
attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.report.layers import Assumption
from tests.models.library import accepting, judged, section
from tests.models.test_cases import WIDTH, Unfused, part

torch: Any = pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
nn = torch.nn


def waves(x: Any) -> Any:
    line = torch.linspace(0, 1, x.shape[1], dtype=x.dtype)
    return line[None, :, None].expand_as(x)


@dataclass
class Batch:
    tokens: Any
    positions: Any


class Takes(Unfused):
    """A layer whose tokens are passed by name, in a tuple, in a dict or in an object."""

    def forward(self, given: Any = None, *, tokens: Any = None, extra: Any = None) -> Any:  # type: ignore[override]
        if isinstance(given, Batch):
            tokens, extra = given.tokens, given.positions
        elif isinstance(given, dict):
            tokens, extra = given["tokens"], given.get("extra")
        elif isinstance(given, tuple):
            tokens, extra = given[0], given[1] if len(given) > 1 else extra
        elif given is not None:
            tokens = given
        while isinstance(extra, (tuple, dict)):
            extra = next(iter(extra.values() if isinstance(extra, dict) else extra))
        return super().forward(tokens if extra is None else tokens + extra)


class Set(Unfused):
    """Reads an attribute that its parent sets."""

    shift = None

    def forward(self, x: Any, **more: Any) -> Any:
        return super().forward(x if self.shift is None else x + self.shift)


class Owner(nn.Module):
    def __init__(self, call: Callable[[Any, Any], Any], kind: Any) -> None:
        super().__init__()
        self.layers, self.call = nn.ModuleList([part(kind), part(kind)]), call
        self.eval()

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = self.call(layer, x)
        return x


def by_attribute(layer: Any, x: Any) -> Any:
    layer.shift = waves(x)
    found = layer(x)
    layer.shift = None
    return found


CALLS: Mapping[str, tuple[Callable[[Any, Any], Any], str]] = {
    "by name": (lambda la, x: la(tokens=x), ""),
    "in a tuple": (lambda la, x: la((x,)), ""),
    "in a dict": (lambda la, x: la({"tokens": x}), ""),
    "in an object": (lambda la, x: la(Batch(x, None)), ""),
    "by name, with positions": (
        lambda la, x: la(tokens=x, extra=waves(x)),
        f"passes extra [1, 8, {WIDTH}]",
    ),
    "positions in a tuple": (
        lambda la, x: la((x, waves(x))),
        f"passes given[1] [1, 8, {WIDTH}]",
    ),
    "positions in a dict": (
        lambda la, x: la({"tokens": x, "extra": waves(x)}),
        f"passes given.extra [1, 8, {WIDTH}]",
    ),
    "positions in an object": (
        lambda la, x: la(Batch(x, waves(x))),
        f"passes given.positions [1, 8, {WIDTH}]",
    ),
    "positions in a dict of tuples": (
        lambda la, x: la(x, extra={"rotary": (waves(x),)}),
        f"passes extra.rotary[0] [1, 8, {WIDTH}]",
    ),
}


def parents(tmp_path: Path, model: Any) -> tuple[int, Assumption]:
    report = judged(tmp_path, model, prove=accepting)
    layer = section(report).layers[1]
    return report.exit_code, next(a for a in layer.assumptions if a.name == "its parent")


@pytest.mark.parametrize("name", CALLS)
def test_what_a_parent_passes(tmp_path: Path, name: str) -> None:
    call, words = CALLS[name]
    code, said = parents(tmp_path, Owner(call, Takes))
    assert said.met is not bool(words)
    assert words in said.found
    objects = "object" in name  # which torch.export does not accept
    assert code == (4 if words or objects else 0)


def test_what_a_parent_sets_as_an_attribute(tmp_path: Path) -> None:
    code, said = parents(tmp_path, Owner(by_attribute, Set))
    assert "gets another output from it than it returns by itself" in said.found
    assert code == 4


class Free(nn.Module):
    """A layer without known names."""

    shift = None

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(WIDTH, 8), nn.Linear(8, WIDTH)

    def forward(self, x: Any) -> Any:
        return x + self.second(torch.tanh(self.first(x if self.shift is None else x + self.shift)))


@pytest.mark.parametrize("by_itself", [True, False])
def test_the_same_for_a_captured_layer(tmp_path: Path, by_itself: bool) -> None:
    model = Owner((lambda la, x: la(x)) if by_itself else by_attribute, Unfused)
    model.layers = nn.ModuleList([Free(), Free()])
    report = judged(tmp_path, model, prove=accepting)
    said = "in the model its output differs from its output by itself"
    assert [said in la.coverage for la in section(report).layers] == [not by_itself] * 2
    assert report.exit_code == (0 if by_itself else 4)
