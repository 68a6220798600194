"""The output of `lean --json`: one message a line, mixed with what the sources print themselves."""

from __future__ import annotations

import msgspec

from bridge.engine.interface import LeanMessage, Severity

__all__ = ["printed_message"]


class _Place(msgspec.Struct, frozen=True):
    line: int
    column: int


class _Printed(msgspec.Struct, frozen=True):
    severity: Severity
    pos: _Place
    data: str


_DECODER = msgspec.json.Decoder(_Printed)


def printed_message(line: str, file: str) -> LeanMessage | None:
    """The message about `file` in a line; None if a source printed the line."""
    try:
        said = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    return LeanMessage(file, said.pos.line, said.pos.column, said.severity, said.data)
