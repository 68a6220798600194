"""Errors of a user's module are the user's: named with their line, and never exit code 3 or 0."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bridge.capture.user_code import LOGGER
from bridge.cli.main import group
from bridge.errors import InvalidInputError
from bridge.models import audit_model
from bridge.models.inputs import Given
from bridge.verdict import Verdict
from tests.models.library import accepting, judged, section
from tests.models.test_cases import WIDTH, Model, Unfused, each, part, stack

torch: Any = pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
nn, F = torch.nn, torch.nn.functional


def module(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (folder / "theirs.py").write_text(text)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(__import__("sys").modules, "theirs", raising=False)


MODULES: Mapping[str, tuple[str, str]] = {
    "raises at import": ("def f():\n    raise KeyError('a')\nf()\n", "at theirs.py:2 in f"),
    "has no such object": ("other = 1\n", "has no attribute 'model'"),
    "is no Python": ("def model(:\n", "SyntaxError"),
    "imports what is not there": ("import nothing_like_it\n", "at theirs.py:1"),
    "ends the process at import": ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
    "makes it and raises": ("def model():\n    return 1 / 0\n", "ZeroDivisionError"),
    "makes it and ends the process": ("def model():\n    raise SystemExit\n", "SystemExit"),
    "wants arguments": ("def model(size):\n    pass\n", "missing 1 required positional"),
    "is no module": ("model = [1]\n", "expected a torch.nn.Module but got list"),
    "makes no module": ("def model():\n    pass\n", "expected a torch.nn.Module but got NoneType"),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_breaks_is_wrong_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text, words = MODULES[name]
    module(tmp_path, monkeypatch, text)
    found = CliRunner().invoke(group, ["audit", "--model", "theirs:model"])
    assert found.exit_code == 2
    assert words in " ".join(found.output.split())
    assert "Traceback" not in found.output


def test_its_traceback_is_behind_v(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path, monkeypatch, "def model():\n    return {}['absent']\n")
    found = CliRunner().invoke(group, ["audit", "-v", "--model", "theirs:model"])
    assert found.exit_code == 2
    assert "Traceback" in found.output
    assert "return {}['absent']" in found.output
    assert not LOGGER.handlers


def test_its_output_is_not_part_of_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(tmp_path, monkeypatch, "print('loading …')\ndef model(): pass\n")
    found = CliRunner().invoke(group, ["audit", "--model", "theirs:model"])
    assert "loading" not in found.stdout
    assert "loading" in found.stderr


class Ends(Unfused):
    def _ff_block(self, x: Any) -> Any:
        raise SystemExit(0)


class Wrong(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        raise OSError("no backward")


class BreaksBackwards(Unfused):
    def _ff_block(self, x: Any) -> Any:
        return super()._ff_block(Wrong.apply(x))


class Locked(Unfused):
    """Cannot be copied."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.lock = threading.Lock()


class WithoutGradients(Unfused):
    def forward(self, *args: Any, **more: Any) -> Any:
        with torch.no_grad():
            return super().forward(*args, **more)


class Odd(nn.Module):
    """Is not a known layer, and cannot be inspected."""

    def __init__(self, width: int, heads: int, inner: int, **more: Any) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: Any) -> Any:
        return x + self.second(self.first(x).tanh())

    @property
    def attention(self) -> Any:
        raise RuntimeError("not ready")


class Count(Unfused):
    """Its second call breaks."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.register_buffer("calls", torch.zeros(()))

    def _ff_block(self, x: Any) -> Any:
        self.calls += 1
        if self.calls > 1:
            raise AssertionError("once only")
        return super()._ff_block(x)


def test_a_part_that_cannot_be_asked_is_captured(tmp_path: Path) -> None:
    model = Model(each(lambda la, x: la(x)))
    model.layers[1] = part(Odd)
    report = judged(tmp_path, model, prove=accepting)
    assert [la.applies for la in section(report).layers] == [True, False]
    assert report.exit_code == 0


@pytest.mark.parametrize(
    "kind", [Ends, BreaksBackwards, Locked, WithoutGradients, Count], ids=lambda k: k.__name__
)
def test_one_layer_that_breaks_hides_no_other(tmp_path: Path, kind: Any) -> None:
    model = Model(each(lambda la, x: la(x)))
    model.layers[1] = part(kind)
    report = judged(tmp_path, model, prove=accepting)
    first, second = section(report).layers
    assert first.theorem is not None
    assert second.verdict is Verdict.INCONCLUSIVE
    assert report.exit_code == 4


def test_gradients_that_a_module_has_turned_off_for_all(tmp_path: Path) -> None:
    model = stack()
    torch.set_grad_enabled(False)
    try:
        assert judged(tmp_path, model).exit_code == 0
    finally:
        torch.set_grad_enabled(True)


def one_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


INPUTS: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "no such file": (lambda p: None, "No such file"),
    "an empty file": (lambda p: p.write_bytes(b""), "is not an npz file"),
    "torch's": (lambda p: torch.save({"x": torch.zeros(3, WIDTH)}, p), "is not an array"),
    "JSON": (lambda p: p.write_text('{"x": [[1.0]]}'), "is not an npz file"),
    "one array": (lambda p: p.write_bytes(one_array()), "one array without a name"),
    "objects": (
        lambda p: np.savez(p, x=np.array([{}], object)),
        "is not an npz file: Object arrays cannot be loaded",
    ),
    "text": (lambda p: np.savez(p, x=np.array(["a"])), "x should be numbers"),
    "dates": (lambda p: np.savez(p, t=np.array(["2020-01-01"], "M8[D]")), "t should be numbers"),
    "another width": (lambda p: np.savez(p, x=np.zeros((3, 5))), "the first layer takes"),
    "three axes too many": (lambda p: np.savez(p, x=np.zeros((1,) * 6)), "the first layer takes"),
    "no tokens": (lambda p: np.savez(p, x=np.zeros((0, WIDTH))), "the first layer takes"),
    "numbers that are none": (
        lambda p: np.savez(p, x=np.full((3, WIDTH), np.nan)),
        "not finite",
    ),
    "a name of nobody": (
        lambda p: np.savez(p, frames=np.zeros((3, WIDTH))),
        "takes no frames: its forward has src",
    ),
}


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_that_are_wrong(tmp_path: Path, name: str) -> None:
    write, words = INPUTS[name]
    write(tmp_path / "inputs.npz")
    with pytest.raises(InvalidInputError, match=words):
        judged(tmp_path, stack(), inputs=tmp_path / "inputs.npz")


def test_inputs_in_another_order_of_bytes(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(1, 4, WIDTH)).astype(">f4")
    (found,) = (Given({"x": x}).arrays() or {}).values()
    assert found.dtype == np.dtype("f4")
    assert judged(tmp_path, stack(), inputs={"x": x}).exit_code == 0


def test_only_a_line_of_the_user_s_makes_it_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs(*args: Any) -> None:
        raise LookupError("a")

    monkeypatch.setattr("bridge.models.run.read_model", theirs)
    with pytest.raises(InvalidInputError, match="its own code raised LookupError: a"):
        audit_model("m")
    monkeypatch.setattr("bridge.models.run.read_model", json.loads)
    with pytest.raises(TypeError):
        audit_model("m")
