"""The one file that talks to Lean, against scripted servers that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from bridge.engine import BuildBrokenError, LeanMessage
from bridge.errors import AnswerError, EngineError, LeanServerError, LeanSourceError
from bridge.lean.client import _extract, ask, printable
from bridge.lean.questions import ask_engine
from bridge.lean.requests import GraphRequest, LibraryRequest
from tests.bridge.answers import NO_GRAPHS, answer, binder, statement

SERVER = Path(__file__).with_name("scripted_server.py")
REQUEST = LibraryRequest(("Demo",))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    found = answer(statement("Demo.t", binder("h", "0 < n")))
    (tmp_path / "answer.json").write_text(
        json.dumps({"statements": found, "graphs": NO_GRAPHS}), encoding="utf-8"
    )
    return tmp_path


def command(project: Path, mode: str) -> list[str]:
    return [sys.executable, str(SERVER), mode, str(project / "answer.json")]


@pytest.fixture(autouse=True)
def no_orphans() -> object:
    before = {p.pid for p in psutil.Process().children(recursive=True)}
    yield
    deadline = time.monotonic() + 5
    while True:
        left = [p for p in psutil.Process().children(recursive=True) if p.pid not in before]
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert not left


def test_the_answer_is_what_lean_said(project: Path) -> None:
    found = ask(project, command(project, "honest"), REQUEST)
    assert [m["kind"] for m in found["statements"]] == ["statement", "end"]  # type: ignore[index]
    assert list(found["graphs"]) == NO_GRAPHS


def test_a_notebook_whose_event_loop_runs_gets_the_same_answer(project: Path) -> None:
    async def cell(mode: str) -> object:
        return ask(project, command(project, mode), REQUEST)

    assert asyncio.run(cell("honest")) == ask(project, command(project, "honest"), REQUEST)
    with pytest.raises(LeanServerError, match="ran out of memory"):
        asyncio.run(cell("out-of-memory"))


def test_the_document_imports_the_libraries_once_and_asks_for_graphs() -> None:
    request = LibraryRequest(("Demo", "Obligations"), (GraphRequest("Demo.g", (("n", 2),)),))
    lines = request.document("N").splitlines()
    assert lines[:2] == ["import Demo", "import Obligations"]
    assert lines[2] == '#export_obligations "N.statements" "[]"'
    assert lines[3].startswith('#export_graphs "N.graphs" "[{')
    assert lines[4:] == ['#export_propositions "N.propositions"']
    assert json.loads(json.loads(lines[3].split(" ", 2)[2])) == [
        {"name": "Demo.g", "sizes": {"n": 2}}
    ]


def test_messages_without_the_nonce_are_not_ours(project: Path) -> None:
    found = ask(project, command(project, "impostor"), REQUEST)
    assert "Evil" not in json.dumps(found["statements"])


def test_a_flood_of_other_messages_does_not_matter(project: Path) -> None:
    assert len(ask(project, command(project, "flood"), REQUEST)["statements"]) == 2


@pytest.mark.parametrize(
    ("mode", "error", "message"),
    [
        ("dies-at-start", EngineError, "out of luck"),
        ("dies-at-open", EngineError, "went away"),
        ("garbage", EngineError, "went away"),
        ("truncated", EngineError, "went away"),
        ("worker-crash", EngineError, "worker died"),
        ("hangs", EngineError, "did not answer within 1 s"),
        ("out-of-memory", LeanServerError, "ran out of memory"),
        ("fatal", EngineError, "without saying why"),
        ("silent", AnswerError, "without an answer"),
        ("wrong-nonce", AnswerError, "without an answer"),
        ("wrong-version", AnswerError, "without an answer"),
        ("not-json", AnswerError, "not JSON"),
        ("lean-error", LeanSourceError, "unknown module prefix"),
    ],
)
def test_misbehaviour_is_an_error_that_says_so(
    project: Path, mode: str, error: type[EngineError], message: str
) -> None:
    timeout = 1 if mode == "hangs" else 20
    with pytest.raises(error, match=message) as e:
        ask(project, command(project, mode), REQUEST, timeout=timeout)
    assert e.value.exit_code == 3


def batch_messages(text: str) -> list[LeanMessage]:
    """Lean's answer in batch mode, for the same document."""
    found = [LeanMessage("x.lean", 1, 0, "warning", "noise")]
    for nonce in re.findall(r'"([0-9a-f]{32}\.\w+)"', text):
        found.append(LeanMessage("x.lean", 2, 0, "information", f'obligations:{nonce}:{{"n": 1}}'))
    return found


DYING = ["dies-at-start", "dies-at-open", "truncated", "worker-crash", "out-of-memory"]


@pytest.mark.parametrize("mode", DYING)
def test_if_the_server_dies_lean_is_asked_in_batch_mode(project: Path, mode: str) -> None:
    found = ask(project, command(project, mode), REQUEST, timeout=20, batch=batch_messages)
    assert found == {section: ({"n": 1},) for section in REQUEST.sections}


@pytest.mark.parametrize("mode", ["honest", "lean-error", "silent", "hangs"])
def test_batch_mode_is_only_for_a_server_that_died(project: Path, mode: str) -> None:
    asked: list[str] = []

    def batch(text: str) -> None:
        asked.append(text)

    with contextlib.suppress(EngineError):
        ask(project, command(project, mode), REQUEST, timeout=2, batch=batch)
    assert not asked


def test_an_engine_without_batch_mode_gives_the_servers_own_error(project: Path) -> None:
    with pytest.raises(LeanServerError, match="ran out of memory"):
        ask(project, command(project, "out-of-memory"), REQUEST, timeout=20, batch=lambda _: None)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ([], AnswerError),
        ([LeanMessage("x.lean", 1, 0, "error", "bad")], LeanSourceError),
        ([LeanMessage("x.lean", 1, 0, "information", "obligations:0.statements:{}")], AnswerError),
    ],
)
def test_batch_mode_s_answer_must_meet_the_same_rules(
    project: Path, said: list[LeanMessage], error: type[EngineError]
) -> None:
    with pytest.raises(error):
        ask(project, command(project, "dies-at-open"), REQUEST, timeout=20, batch=lambda _: said)


class Scripted:
    """An engine whose batch mode says what it should, or breaks."""

    def __init__(self, server: list[str], *, prefers_batch: bool, breaks: bool = False) -> None:
        self.server, self.prefers_batch, self.breaks = server, prefers_batch, breaks
        self.asked = 0

    def server_command(self, _: Path) -> list[str]:
        assert not self.prefers_batch, "its server is not asked"
        return self.server

    def run_document(self, _: Path, text: str, *, timeout: float) -> list[LeanMessage]:
        self.asked += 1
        if self.breaks:
            raise BuildBrokenError("the Lean engine stopped: exit code 1")
        return batch_messages(text)


def test_an_engine_that_prefers_batch_mode_is_asked_once_and_in_no_other_way(
    project: Path,
) -> None:
    engine: Any = Scripted([], prefers_batch=True)
    assert ask_engine(project, engine, REQUEST)["statements"] == ({"n": 1},)
    broken: Any = Scripted([], prefers_batch=True, breaks=True)
    with pytest.raises(BuildBrokenError, match="the Lean engine stopped"):
        ask_engine(project, broken, REQUEST)
    assert (engine.asked, broken.asked) == (1, 1)


def test_an_engine_with_a_server_is_asked_in_batch_mode_where_it_breaks(project: Path) -> None:
    noted: list[str] = []
    honest: Any = Scripted(command(project, "honest"), prefers_batch=False)
    assert list(ask_engine(project, honest, REQUEST, note=noted.append)["graphs"]) == NO_GRAPHS
    dying: Any = Scripted(command(project, "out-of-memory"), prefers_batch=False)
    found = ask_engine(project, dying, REQUEST, note=noted.append)
    assert found["statements"] == ({"n": 1},)
    assert (honest.asked, dying.asked) == (0, 1)
    assert noted == ["the Lean server broke; Lean is asked once more without it"]


def test_a_missing_server(project: Path) -> None:
    with pytest.raises(EngineError, match="cannot start the Lean server 'no-such-lake'") as e:
        ask(project, ["no-such-lake", "serve"], REQUEST)
    assert "doctor" in e.value.remedy


@pytest.mark.parametrize("mode", ["no-end", "lost-message", "twice"])
def test_partial_answers_do_not_parse(project: Path, mode: str) -> None:
    from bridge.lean.statement import parse_statements

    with pytest.raises(AnswerError):
        parse_statements(ask(project, command(project, mode), REQUEST)["statements"])


def test_control_characters_never_reach_a_terminal() -> None:
    assert printable("a\x1b[31mb\u202ec\nd") == "a�[31mb�c\nd"


@pytest.mark.parametrize(
    "body",
    ["", "{", "NaN", "9" * 5000, "1e999", "[" * 100_000, r'"\ud800"', '{"a": 1}, {}'],
    ids=["nothing", "half", "nan", "long", "large", "deep", "surrogate", "more"],
)
def test_invalid_json_is_an_error_and_not_a_crash(body: str) -> None:
    with pytest.raises(AnswerError, match="not JSON"):
        _extract([{"message": f"obligations:x:{body}"}], "obligations:x:")
