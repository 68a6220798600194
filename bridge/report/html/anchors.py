"""Identifiers on the page, for links."""

from __future__ import annotations

import re

__all__ = ["anchor"]


def anchor(kind: str, name: str) -> str:
    """An identifier for links, made of letters, digits, ``_`` and ``-``; different names differ."""
    return f"{kind}-" + re.sub(
        r"[^A-Za-z0-9_]", lambda m: f"-{ord(m[0]):x}-" if m[0] != ":" else "--", name
    )
