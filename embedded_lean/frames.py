"""Messages of the Language Server Protocol on a byte stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

__all__ = ["FrameError", "Message", "encode_frame", "read_frame"]

Message = dict[str, object]

_MOST_HEADERS = 32
_MOST_BYTES = 512 << 20
_BODY_SECONDS = 60.0
_SHOWN = 120


class FrameError(Exception):
    """The stream does not carry what it should; it cannot be read any further."""


def encode_frame(message: Mapping[str, object]) -> bytes:
    """A message with its header."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


async def read_frame(stream: asyncio.StreamReader) -> Message | None:
    """The next message; None where the stream ends between two messages.

    Waits for ever for a message to begin, but not for one to be completed.

    Raises:
        FrameError: a header is no header, the body is cut short or late, or it is no JSON object.
    """
    length: int | None = None
    for count in range(_MOST_HEADERS + 1):
        try:
            line = await stream.readline()
        except (ValueError, asyncio.LimitOverrunError) as error:
            raise FrameError("a header line does not end") from error
        if not line:
            if count:
                raise FrameError("the stream ended inside a header")
            return None
        text = line.strip()
        if not text:
            if length is None:
                raise FrameError("a header gives no Content-Length")
            break
        name, colon, value = text.partition(b":")
        if not colon:
            raise FrameError(f"expected a header and got {text[:_SHOWN]!r}")
        if name.strip().lower() == b"content-length":
            if not value.strip().isdigit() or not 0 < int(value) <= _MOST_BYTES:
                raise FrameError(f"the length of a message is {value.strip()[:_SHOWN]!r}")
            length = int(value)
    else:
        raise FrameError("a header has too many lines")
    assert length is not None
    try:
        body = await asyncio.wait_for(stream.readexactly(length), _BODY_SECONDS)
    except asyncio.IncompleteReadError as error:
        raise FrameError(f"a message of {length} bytes ends after {len(error.partial)}") from error
    except TimeoutError as error:
        raise FrameError(
            f"a message of {length} bytes did not arrive within {_BODY_SECONDS:.0f} s"
        ) from error
    try:
        message = json.loads(body)
    except ValueError as error:
        raise FrameError(f"a message is not JSON: {body[:_SHOWN]!r}") from error
    if not isinstance(message, dict):
        raise FrameError(f"a message is no JSON object: {body[:_SHOWN]!r}")
    return message
