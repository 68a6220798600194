"""How the language server handles its client's messages, and Lean's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from bridge.engine import STOPPED, BuildBrokenError, LakefileError, LeanMessage, TooSlowError
from embedded_lean.frames import Message
from embedded_lean.serve import Server

URI = "file:///project/query.lean"
TEXT = "-- ∀𝔸\n#check 𝔸𝔸"


def converse(said: Sequence[LeanMessage] | Exception, *messages: Message) -> list[dict[str, Any]]:
    """The replies to the client's messages, if Lean says the same about every document."""
    emitted: list[dict[str, Any]] = []

    def lean(_: str) -> Sequence[LeanMessage]:
        if isinstance(said, Exception):
            raise said
        return said

    server = Server(lean, emitted.append)
    assert [server.handle(message) for message in messages] == [True] * len(messages)
    server._queue.shutdown()  # waits for all messages
    return emitted


def message(method: str, number: int | None = None, /, **params: object) -> Message:
    return Message(method, number, msgspec.Raw(msgspec.json.encode(params)))


def opening(text: str = TEXT, version: int = 1) -> Message:
    item = {"uri": URI, "languageId": "lean4", "version": version, "text": text}
    return message("textDocument/didOpen", textDocument=item)


def waiting(number: int, version: int = 1) -> Message:
    return message("textDocument/waitForDiagnostics", number, uri=URI, version=version)


def of(severity: Any, line: int, column: int, text: str = "x") -> LeanMessage:
    return LeanMessage("ObligationsRequest.lean", line, column, severity, text)


def test_messages_become_diagnostics_before_the_client_has_its_answer() -> None:
    said = [of("error", 2, 8, "bad"), of("warning", 1, 4), of("information", 0, 0)]
    diagnostics, progress, answer = converse(said, opening(), waiting(5))
    assert diagnostics["method"] == "textDocument/publishDiagnostics"
    assert (diagnostics["params"]["uri"], diagnostics["params"]["version"]) == (URI, 1)
    items = diagnostics["params"]["diagnostics"]
    assert [i["severity"] for i in items] == [1, 2, 3]
    assert items[0]["message"] == "bad"
    assert progress["method"] == "$/lean/fileProgress"
    assert progress["params"] == {"textDocument": {"uri": URI, "version": 1}, "processing": []}
    assert answer == {"id": 5, "result": {}}


@pytest.mark.parametrize(
    ("line", "column", "place"),
    [
        (1, 0, (0, 0)),
        (1, 3, (0, 3)),
        (1, 5, (0, 6)),  # after a letter of two UTF-16 units
        (2, 8, (1, 9)),  # between two of them
        (2, 99, (1, 11)),
        (0, 0, (0, 0)),
        (9, 0, (1, 0)),
    ],
)
def test_places_count_utf16_units(line: int, column: int, place: tuple[int, int]) -> None:
    (diagnostics, _) = converse([of("error", line, column)], opening())
    (item,) = diagnostics["params"]["diagnostics"]
    start = item["range"]["start"]
    assert (start["line"], start["character"]) == place


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (BuildBrokenError(f"{STOPPED}: exit code 1"), f"{STOPPED}: exit code 1", -32902),
        (TooSlowError("Lean did not answer within 5 s"), "LEAN_OBLIGATIONS_FILE_SECONDS", -32902),
        (RuntimeError("a bug"), f"{STOPPED}: RuntimeError('a bug')", -32902),
        (LakefileError("no", remedy="Do it."), "no. Do it.", None),
    ],
)
def test_if_lean_breaks_the_end_is_fatal(error: Exception, text: str, code: int | None) -> None:
    diagnostics, progress, answer = converse(error, opening(), waiting(5))
    (item,) = diagnostics["params"]["diagnostics"]
    assert item["severity"] == 1
    assert text in item["message"]
    assert [p["kind"] for p in progress["params"]["processing"]] == [2]
    if code is None:  # every diagnostic has arrived, so that waiting for them succeeds
        assert answer == {"id": 5, "result": {}}
    else:
        assert answer["error"]["code"] == code
        assert text in answer["error"]["message"]


def test_unopened_documents_are_not_awaited() -> None:
    early, _, _, edited = converse([], waiting(1), opening(), waiting(2, version=2))
    for answer, version in ((early, 1), (edited, 2)):
        assert answer["error"]["code"] == -32602
        assert f"version {version} of {URI} was not opened" in answer["error"]["message"]


def test_everything_else_is_refused_or_ignored() -> None:
    start, hover, shutdown, malformed = converse(
        [],
        message("initialize", 0, rootUri="file:///project"),
        message("initialized"),
        message("textDocument/hover", 1, textDocument={"uri": URI}),
        message("textDocument/didClose", textDocument={"uri": URI}),
        message("$/cancelRequest", id=1),
        Message(id=7),  # an answer that was not requested
        message("shutdown", 2),
        message("textDocument/waitForDiagnostics", 3, uri=URI),
        message("textDocument/didOpen", nonsense=1),
    )
    assert start["result"]["capabilities"]["textDocumentSync"] == {"openClose": True, "change": 0}
    assert hover["error"]["code"] == -32601
    assert "textDocument/hover" in hover["error"]["message"]
    assert shutdown == {"id": 2, "result": None}
    assert malformed["error"]["code"] == -32602
    assert "`version`" in malformed["error"]["message"]


def test_exit_ends_it() -> None:
    server = Server(lambda _: [], lambda _: None)
    assert not server.handle(message("exit"))
    server.close()
