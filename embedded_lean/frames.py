"""Messages of the Language Server Protocol on a byte stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

import msgspec

__all__ = ["FrameError", "Message", "encode_frame", "read_frame"]

_MOST_HEADERS = 32
_MOST_HEADER_BYTES = 1 << 16
_MOST_BYTES = 512 << 20
_SHOWN = 120


class Message(msgspec.Struct, frozen=True):
    """A request, or a notification if there is no `id`; an answer has no `method`."""

    method: str = ""
    id: int | str | None = None
    params: msgspec.Raw = msgspec.Raw(b"null")


class FrameError(Exception):
    """The stream violates the protocol; it cannot be read any further."""


def encode_frame(message: Mapping[str, object]) -> bytes:
    """A message with its header."""
    body = msgspec.json.encode({"jsonrpc": "2.0", **message})
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def read_frame(stream: BinaryIO) -> Message | None:
    """The next message; None if the stream ends between two messages.

    Raises:
        FrameError: a header is malformed, the body is cut short, or it is not a message in JSON.
    """
    length = _read_header(stream)
    if length is None:
        return None
    body = stream.read(length)
    if len(body) < length:
        raise FrameError(f"a message of {length} bytes ends after {len(body)}")
    try:
        return msgspec.json.decode(body, type=Message)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"expected a message in JSON and got {body[:_SHOWN]!r}") from error


def _read_header(stream: BinaryIO) -> int | None:
    """The length of the body that follows; None at the end of the stream."""
    length: int | None = None
    for count in range(_MOST_HEADERS):
        line = stream.readline(_MOST_HEADER_BYTES)
        if not line and not count:
            return None
        if not line.endswith(b"\n"):
            if len(line) == _MOST_HEADER_BYTES:
                raise FrameError("a header is too long")
            raise FrameError("the stream ended inside a header")
        text = line.strip()
        if not text:
            if length is None:
                raise FrameError("a header gives no Content-Length")
            return length
        name, colon, value = text.partition(b":")
        if not colon:
            raise FrameError(f"expected a header and got {text[:_SHOWN]!r}")
        if name.strip().lower() == b"content-length":
            if not value.strip().isdigit() or not 0 < int(value) <= _MOST_BYTES:
                raise FrameError(f"the length of a message is {value.strip()[:_SHOWN]!r}")
            length = int(value)
    raise FrameError("a header has too many lines")
