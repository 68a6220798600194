"""Suggestions for a misspelled name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(name: str, known: Iterable[str], otherwise: str, *, cutoff: float = 0.5) -> str:
    """A remedy: the known names similar to ``name``, or ``otherwise`` if there are none."""
    names = list(dict.fromkeys(known))
    by_small = {n.casefold(): n for n in reversed(names)}
    close = difflib.get_close_matches(name.casefold(), list(by_small)[::-1], n=3, cutoff=cutoff)
    return f"did you mean {' or '.join(by_small[n] for n in close)}?" if close else otherwise
