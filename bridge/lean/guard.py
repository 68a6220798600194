"""Whether the audited project answers the audit's own commands in its place.

Lean lets every project give any command another elaborator.  One that is given to a command of the
library `Obligations` could say of any theorem that it is proved.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import AnswerError, HijackedError

__all__ = ["parse_guard", "refuse_hijackers"]


def parse_guard(messages: Sequence[object]) -> tuple[str, ...]:
    """What answers in our place, each in words; empty where nothing does.

    Raises:
        AnswerError: the answer is empty, partial or malformed.
    """
    found: list[str] = []
    for position, message in enumerate(messages):
        match message:
            case {"kind": "instead", "name": str(name), "how": str(how), "module": str(module)}:
                found.append(f"{name} ({how}) in {module}")
            case {"kind": "end", "count": int(count)} if (
                count == position and position == len(messages) - 1
            ):
                return tuple(found)
            case _:
                raise AnswerError(f"guard message {position} is not understood: {message!r:.200}")
    raise AnswerError("Lean's answer about its commands has no end")


def refuse_hijackers(found: Sequence[str]) -> None:
    """Raise where something answers in our place.

    Raises:
        HijackedError: it names what does.
    """
    if found:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise HijackedError(
            f"the project answers the audit's own commands in its place: {', '.join(found[:5])}"
            f"{more}; nothing that it says of its theorems counts",
            remedy="remove what is registered for the commands of the Lean library `Obligations`",
        )
