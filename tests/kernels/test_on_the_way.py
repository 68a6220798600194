"""The export that Lean writes in the document that inspects the project."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bridge.engine import BuildBrokenError, Engine, LeanMessage, TooSlowError
from bridge.kernels import exporting
from bridge.kernels.exporting import ExportOnTheWay
from bridge.lean.project import Project
from bridge.lean.requests import TrustRequest

REQUEST = TrustRequest(("Demo",))
WRITTEN = {"kind": "constants", "count": 3, "roots": [[1, "t", "M"]], "refused": [], "own": [1]}
WRITTEN["left_out"] = ["N"]


def on_the_way(tmp_path: Path, run: Callable[[str, Path], Any]) -> ExportOnTheWay:
    project = SimpleNamespace(root=tmp_path, roots=("Demo",))

    def run_document(_: Path, text: str, *, timeout: float, output: Path) -> Any:
        assert timeout == 5
        return run(text, output)

    digests = {"Demo": "d", "Obligations": "o"}
    engine = SimpleNamespace(run_document=run_document, compiled_digests=lambda _: digests)
    path = tmp_path / "export.ndjson"
    return ExportOnTheWay(cast(Project, project), cast(Engine, engine), path)


def answered(text: str) -> tuple[LeanMessage, ...]:
    """Lean's answers to the commands of the document."""
    said: dict[str, Any] = {"statements": {"of": "statements"}, "trust": {"of": "trust"}}
    said["constants"] = WRITTEN
    asked = re.findall(r'"(\w+)\.(\w+)"', text)
    texts = [f"obligations:{nonce}.{name}:{json.dumps(said[name])}" for nonce, name in asked]
    return tuple(LeanMessage("x", 1, 0, "information", one) for one in texts)


def test_one_document_answers_both(tmp_path: Path) -> None:
    asked: list[str] = []

    def run(text: str, output: Path) -> Any:
        asked.append(text)
        output.write_text("{}")
        return answered(text)

    exported = on_the_way(tmp_path, run)
    answer = exported.put(REQUEST, 5)
    assert answer == {"statements": ({"of": "statements"},), "trust": ({"of": "trust"},)}
    assert exported.written is not None
    assert exported.written.roots == {"t": 1}
    assert exported.written.modules == {"t": "M"}
    assert exported.written.left_out == {"N"}
    assert exported.digests == {"Demo": "d", "Obligations": "o"}
    assert len(asked) == 1
    assert asked[0].count("#read_as_data") == 1


def test_what_every_kernel_accepted_before_is_left_out(tmp_path: Path) -> None:
    asked: list[str] = []

    def run(text: str, _: Path) -> Any:
        asked.append(text)
        return answered(text)

    exported = on_the_way(tmp_path, run)
    exported.known = lambda modules: [m for m in modules if m != "B"]
    exported.put(TrustRequest(("Demo",), ("A", "B", "C")), 5)
    assert r'"[]" "[\"A\", \"C\"]"' in asked[0].splitlines()[-1]


def test_of_two_requests_only_the_second_counts(tmp_path: Path) -> None:
    def run(text: str, output: Path) -> Any:
        if "N" not in text:
            output.write_text("{}")
        return answered(text)

    exported = on_the_way(tmp_path, run)
    exported.put(REQUEST, 5)
    assert exported.written is not None
    exported.put(TrustRequest(("N",)), 5)
    assert exported.written is None
    assert not exported.path.exists()


def test_without_a_file_nothing_is_written(tmp_path: Path) -> None:
    exported = on_the_way(tmp_path, lambda text, _: answered(text))
    exported.put(REQUEST, 5)
    assert exported.written is None


@pytest.mark.parametrize("cannot", [BuildBrokenError("it broke"), None])
def test_if_it_breaks_lean_is_asked_only_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cannot: Exception | None
) -> None:
    alone: list[Any] = []

    def ask(_root: Path, _engine: Engine, request: Any, *, timeout: float) -> Any:
        alone.append(request)
        return {"trust": ()}

    def run(text: str, output: Path) -> Any:
        if cannot is not None:
            raise cannot

    monkeypatch.setattr(exporting, "ask_engine", ask)
    exported = on_the_way(tmp_path, run)
    assert exported.put(REQUEST, 5) == {"trust": ()}
    assert alone == [REQUEST]
    assert exported.written is None


def test_a_request_that_is_too_slow_is_not_repeated(tmp_path: Path) -> None:
    def run(text: str, output: Path) -> Any:
        raise TooSlowError("5 s")

    with pytest.raises(TooSlowError):
        on_the_way(tmp_path, run).put(REQUEST, 5)
