"""Whether the audited project overrides the audit's own commands.

In Lean every project can give any command another elaborator.  An elaborator for a command of the
library `Obligations` could claim of any theorem that it is proved.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import HijackedError
from bridge.lean.messages import End, Part, read_messages

__all__ = ["parse_guard", "refuse_hijackers"]


class _Instead(Part, frozen=True, tag_field="kind", tag="instead"):
    name: str
    how: str
    module: str


def parse_guard(messages: Sequence[object]) -> tuple[str, ...]:
    """What overrides our commands, each in words; empty if nothing does.

    Raises:
        AnswerError: the answer is empty, partial or malformed.
    """
    read, _ = read_messages(messages, _Instead, End, "its commands")
    return tuple(f"{one.name} ({one.how}) in {one.module}" for one in read)


def refuse_hijackers(found: Sequence[str]) -> None:
    """Raise if something overrides our commands.

    Raises:
        HijackedError: it names what does.
    """
    if found:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise HijackedError(
            f"the project overrides the audit's own commands: {', '.join(found[:5])}"
            f"{more}; nothing that it says of its theorems counts",
            remedy="remove what is registered for the commands of the Lean library `Obligations`",
        )
