"""Exact-match edits of the published engine's files, as text or as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AnyStr, Generic

from bridge.engine.errors import PatchError

__all__ = ["NOT_KNOWN", "Edit"]

NOT_KNOWN = (
    "The published engine is not the one that this release knows. Update lean-obligations, "
    "or use the official toolchain: --engine lake."
)
"""The remedy for a file in which an edit does not find its place."""


@dataclass(frozen=True, slots=True)
class Edit(Generic[AnyStr]):
    """Replaces `old`, which must occur exactly `count` times, by `new`.

    Attributes:
        why: the purpose, for people; errors name the edit by it.
        old: what is replaced.
        new: what replaces it.
        count: how often `old` occurs.
    """

    why: str
    old: AnyStr
    new: AnyStr
    count: int = 1

    def applied(self, content: AnyStr, file: str) -> AnyStr:
        """The edited content of `file`.

        Raises:
            PatchError: `old` occurs more or less often.
        """
        found = content.count(self.old)
        if found != self.count:
            raise PatchError(
                f"{file}: the edit '{self.why}' expects {self.count} place(s) and found {found}",
                remedy=NOT_KNOWN,
            )
        return content.replace(self.old, self.new)
