"""Which obligations a pattern names: by key, declaration or glob."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from bridge.errors import InvalidInputError
from bridge.lean.obligation import Obligation
from bridge.suggestions import did_you_mean

__all__ = ["select_keys", "unknown_name"]


def select_keys(obligations: Sequence[Obligation], only: Sequence[str]) -> tuple[Obligation, ...]:
    """The obligations that ``--only`` names, by key, declaration or glob; all if it is empty.

    Raises:
        InvalidInputError: a pattern matches nothing; the message suggests similar keys.
    """
    if not only:
        return tuple(obligations)
    chosen: set[str] = set()
    for pattern in only:
        hits = {
            o.key
            for o in obligations
            if any(n == pattern or fnmatch.fnmatchcase(n, pattern) for n in (o.key, o.declaration))
        }
        if not hits:
            raise unknown_name(pattern, obligations)
        chosen |= hits
    return tuple(o for o in obligations if o.key in chosen)


def unknown_name(name: str, obligations: Sequence[Obligation]) -> InvalidInputError:
    """The error for an unknown name, with similar names."""
    known = [n for o in obligations for n in ([o.key] if ":" in name else [o.declaration, o.key])]
    remedy = did_you_mean(name, known, "`obligations list` shows every key")
    return InvalidInputError(f"no obligation is called {name!r}", remedy=remedy)
