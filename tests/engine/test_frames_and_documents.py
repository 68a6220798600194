"""Messages on a stream, and edits of open sources."""

from __future__ import annotations

import asyncio

import pytest

from embedded_lean import frames
from embedded_lean.document import Document, offset_of
from embedded_lean.frames import FrameError, encode_frame, read_frame


def read(*pieces: bytes, end: bool = True) -> object:
    async def run() -> object:
        stream = asyncio.StreamReader()
        for piece in pieces:
            stream.feed_data(piece)
        if end:
            stream.feed_eof()
        return await read_frame(stream)

    return asyncio.run(run())


def test_what_is_written_can_be_read() -> None:
    message = {"jsonrpc": "2.0", "method": "x", "params": {"text": "∀ 𝔸"}}
    assert read(encode_frame(message)) == message
    assert read(b"Content-Type: x\r\ncontent-length: 2\r\n\r\n{}") == {}
    assert read(b"") is None


@pytest.mark.parametrize(
    ("raw", "finding"),
    [
        (b"Hello, world!\n", "expected a header"),
        (b"Content-Length: 10\r\n\r\n{}", "ends after 2"),
        (b"Content-Length: 2\r\n", "inside a header"),
        (b"Content-Length: two\r\n\r\n{}", "length of a message"),
        (b"Content-Length: -2\r\n\r\n{}", "length of a message"),
        (b"Content-Length: 0\r\n\r\n", "length of a message"),
        (b"Content-Length: 99999999999\r\n\r\n", "length of a message"),
        (b"Other: 1\r\n\r\n{}", "no Content-Length"),
        (b"\r\n", "no Content-Length"),
        (b"Content-Length: 3\r\n\r\n[1]", "no JSON object"),
        (b"Content-Length: 3\r\n\r\n{]}", "not JSON"),
        (b"A: b\r\n" * 100, "too many lines"),
        (b"A" * 100_000, "does not end"),
    ],
)
def test_garbage_is_refused(raw: bytes, finding: str) -> None:
    with pytest.raises(FrameError, match=finding):
        read(raw)


def test_a_body_that_does_not_come_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_BODY_SECONDS", 0.05)
    with pytest.raises(FrameError, match="did not arrive"):
        read(b'Content-Length: 100\r\n\r\n{"a', end=False)


@pytest.mark.parametrize(
    ("line", "character", "expected"),
    [(0, 0, 0), (0, 1, 1), (0, 3, 2), (0, 99, 3), (1, 0, 4), (1, 1, 5), (2, 0, 6), (9, 9, 6)],
)
def test_positions_count_utf16_units(line: int, character: int, expected: int) -> None:
    assert offset_of("a𝔸b\nc\n", {"line": line, "character": character}) == expected


def test_changes_are_applied_in_order() -> None:
    document = Document("file:///A.lean", 1, "def α := 1\n")
    start, end = {"line": 0, "character": 4}, {"line": 0, "character": 5}
    document.change(
        2,
        [
            {"range": {"start": start, "end": end}, "text": "beta"},
            {
                "range": {"start": {"line": 1, "character": 0}, "end": {"line": 9, "character": 0}},
                "text": "-- end",
            },
        ],
    )
    assert (document.version, document.text) == (2, "def beta := 1\n-- end")
    document.change(None, [{"text": "new"}])
    assert (document.version, document.text) == (3, "new")
