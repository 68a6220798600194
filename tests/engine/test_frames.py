"""Messages on a stream."""

from __future__ import annotations

import io

import msgspec
import pytest

from embedded_lean.frames import FrameError, Message, encode_frame, read_frame


def read(raw: bytes) -> Message | None:
    return read_frame(io.BytesIO(raw))


def test_what_is_written_can_be_read() -> None:
    params = {"text": "∀ 𝔸"}
    found = read(encode_frame({"id": 7, "method": "x", "params": params}))
    assert found is not None
    assert (found.method, found.id) == ("x", 7)
    assert msgspec.json.decode(found.params) == params
    assert read(b"Content-Type: x\r\ncontent-length: 2\r\n\r\n{}") == Message()
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
        (b"Content-Length: 3\r\n\r\n[1]", r"expected a message in JSON and got b'\[1\]'"),
        (b"Content-Length: 3\r\n\r\n{]}", "expected a message in JSON"),
        (b'Content-Length: 12\r\n\r\n{"method":1}', "expected a message in JSON"),
        (b"A: b\r\n" * 100, "too many lines"),
        (b"A" * 100_000, "too long"),
        (b"A" * 100, "inside a header"),
    ],
)
def test_garbage_is_refused(raw: bytes, finding: str) -> None:
    with pytest.raises(FrameError, match=finding):
        read(raw)
