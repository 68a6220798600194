"""Statements are exported once: a graph at other sizes asks Lean for the graph alone."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bridge.errors import AnswerError
from bridge.lean.answers import AnswerCache
from bridge.lean.client import Answer
from bridge.lean.kept_statements import KeptStatements, statements_of
from bridge.lean.requests import GraphRequest, GraphsRequest, LibraryRequest, Request

WHOLE = LibraryRequest(("Demo",), (GraphRequest("g", (("n", 2),)),))
SAID = {"statements": ({"kind": "end"},), "graphs": ("a graph",), "propositions": ("all",)}


class Lean:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request.document("nonce"))
        return {n: SAID[n] for n in request.sections}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptStatements:
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return KeptStatements(tmp_path, "key")


def test_the_parts_ask_for_what_the_whole_asks() -> None:
    def commands(request: Request) -> set[str]:
        return set(request.document("nonce").splitlines())

    lean = Lean()
    lean(statements_of(WHOLE))
    assert commands(statements_of(WHOLE)) < commands(WHOLE)
    assert set(statements_of(WHOLE).sections) < set(WHOLE.sections)


def test_the_second_time_lean_is_asked_for_graphs_alone(kept: KeptStatements) -> None:
    lean = Lean()
    first = kept.completed(WHOLE, lean, use_cache=True)
    kept.keep(first, {}, fresh=True)
    again = kept.completed(WHOLE, lean, use_cache=True)
    assert dict(first) == dict(again) == SAID
    assert lean.asked[0] == WHOLE.document("nonce")
    assert "#export_graphs" in lean.asked[1]
    assert "#export_obligations" not in lean.asked[1]
    assert set(lean.asked[1].splitlines()) < set(lean.asked[0].splitlines())


def test_all_is_asked_for_where_a_file_has_changed(kept: KeptStatements) -> None:
    lean = Lean()
    kept.keep(lean(WHOLE), {"data.txt": "another state"}, fresh=True)
    kept.completed(WHOLE, lean, use_cache=True)
    assert lean.asked[-1] == WHOLE.document("nonce")


def test_all_is_asked_for_without_the_cache(kept: KeptStatements) -> None:
    lean = Lean()
    kept.keep(lean(WHOLE), {}, fresh=True)
    kept.completed(WHOLE, lean, use_cache=False)
    assert lean.asked[-1] == WHOLE.document("nonce")


def test_entries_of_an_older_answer_stay(kept: KeptStatements) -> None:
    kept.keep(Lean()(WHOLE), {}, fresh=False)
    path = AnswerCache.default().path("key")
    before = path.read_bytes()
    kept.keep({**SAID, "statements": ("others",)}, {}, fresh=False)
    assert path.read_bytes() == before
    kept.keep({**SAID, "statements": ("others",)}, {}, fresh=True)
    assert path.read_bytes() != before


def test_both_parts_are_asked_for_at_once(kept: KeptStatements) -> None:
    lean, both = Lean(), threading.Barrier(2)

    def put(request: Request) -> Answer:
        both.wait(10)  # neither is answered before the other is asked for
        return lean(request)

    assert dict(kept.completed(WHOLE, put, use_cache=True, at_once=True)) == SAID
    parts = (statements_of(WHOLE), GraphsRequest(WHOLE.imports, WHOLE.graphs))
    assert sorted(lean.asked) == sorted(p.document("nonce") for p in parts)


@pytest.mark.parametrize("breaks", ["statements", "graphs"])
def test_an_error_in_either_part_is_one_of_the_answer(kept: KeptStatements, breaks: str) -> None:
    def put(request: Request) -> Answer:
        if breaks in request.sections:
            raise AnswerError("it broke")
        return Lean()(request)

    with pytest.raises(AnswerError, match="it broke"):
        kept.completed(WHOLE, put, use_cache=True, at_once=True)
