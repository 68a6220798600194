"""The number of documents for the theorems that Lean judges itself."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.errors import EngineError
from bridge.statements.choose import Question
from bridge.statements.exact import ExactJudge


@dataclass(frozen=True)
class Engine:
    """One whose documents can be ended, or not."""

    can_end: bool = True
    over: threading.Event | None = None

    def until(self, over: threading.Event) -> Engine | None:
        return Engine(over=over) if self.can_end else None


@dataclass(frozen=True)
class Library:
    engine: Engine


def questions(count: int) -> list[Any]:
    return [
        SimpleNamespace(statement=SimpleNamespace(name=f"Demo.t{i}"), keys=(f"t{i}:conclusion",))
        for i in range(count)
    ]


def judged(library: Library, count: int) -> Mapping[str, Any]:
    asked: Any = library
    return ExactJudge().judge(asked, questions(count), seed=3, instances=7)


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names in each document that Lean receives; it breaks at `t2` among others."""
    seen: list[list[str]] = []

    def answered(
        _self: ExactJudge, _library: Any, asked: Sequence[Question], seed: int, instances: int
    ) -> dict[str, str]:
        assert (seed, instances) == (3, 7)
        names = [q.statement.name for q in asked]
        seen.append(names)
        if "Demo.t2" in names and len(names) > 1:
            raise EngineError("out of memory")
        return dict.fromkeys(names, "judged")

    monkeypatch.setattr(ExactJudge, "_judged", answered)
    return seen


@pytest.mark.parametrize(
    ("engine", "count", "sizes"),
    [
        (Engine(), 7, [1, 1, 1, 1, 1, 1, 1, 7]),
        (Engine(), 9, [1, 1, 1, 1, 4, 5]),
        (Engine(can_end=False), 9, [1, 1, 1, 1, 1, 1, 1, 1, 1, 9]),
    ],
)
def test_many_theorems_use_two_documents_and_a_broken_one_costs_only_its_half(
    documents: list[list[str]], engine: Engine, count: int, sizes: list[int]
) -> None:
    answers = judged(Library(engine), count)
    assert list(answers) == [f"Demo.t{i}" for i in range(count)]
    assert set(answers.values()) == {"judged"}
    assert sorted(map(len, documents)) == sizes


def test_an_interruption_ends_both(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    def answered(_self: ExactJudge, library: Library, asked: Sequence[Question], *_: int) -> Any:
        if asked[0].statement.name == "Demo.t0":
            raise KeyboardInterrupt
        assert library.engine.over is not None
        ended.append(library.engine.over.wait(30))
        return {}

    monkeypatch.setattr(ExactJudge, "_judged", answered)
    with pytest.raises(KeyboardInterrupt):
        judged(Library(Engine()), 8)
    assert ended == [True]
