"""Lean's answers: messages of known kinds, and one at the end that counts them.

An answer that cannot be parsed completely is not used at all: a missing or unknown field, or one of
the wrong type, is an error that names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec import Struct

from bridge.decoding import typed
from bridge.errors import AnswerError

__all__ = ["End", "Part", "read_messages", "read_part"]

OTHER_VERSION = (
    "run the command again; if it persists, the Lean library `Obligations` and this bridge are of "
    "different versions: use one checkout for both, or `obligations init`"
)


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """An object in an answer.  Where there are several kinds, ``kind`` says which."""


class End(Part, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    """The last message."""

    count: int
    lean: str = ""


E = TypeVar("E", bound=End)


def read_messages(
    messages: Sequence[object], kinds: Any, end: type[E], about: str
) -> tuple[list[Any], E]:
    """The messages of a whole answer, and its end.

    Args:
        messages: decoded JSON values, in Lean's order.
        kinds: a type for each kind of message, as a union.
        end: the type of the last message.
        about: what the answer is about, such as ``graphs``.

    Raises:
        AnswerError: the answer is empty, partial or malformed.
    """
    read = [read_part(m, kinds | end, f"{about}, message {i}") for i, m in enumerate(messages)]
    ends = [i for i, part in enumerate(read) if isinstance(part, end)]
    if not ends:
        raise AnswerError(
            f"Lean's answer about {about} has no end: {len(read)} messages arrived and then "
            "nothing",
            remedy="run the command again; a larger --timeout may help",
        )
    *parts, last = read
    if not isinstance(last, end) or len(ends) > 1:
        raise AnswerError(f"Lean's answer about {about} goes on after its end")
    if last.count != len(parts):
        again = next((m for i, m in enumerate(messages) if m in messages[:i]), None)
        raise AnswerError(
            f"Lean's answer is partial: it announces {last.count} messages about {about} and "
            f"{len(parts)} arrived" + (f", one of them twice: {again!r:.80}" if again else "")
        )
    return parts, last


def read_part(value: object, kind: Any, where: str) -> Any:
    """One object of an answer.

    Raises:
        AnswerError: it is malformed.
    """
    if isinstance(value, dict) and isinstance(name := value.get("name"), str):
        where = name
    return typed(value, kind, where, AnswerError, remedy=OTHER_VERSION)
