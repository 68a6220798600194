"""Recorded answers of Lean, so that tests without Lean evaluate real statements.

`reals.json` is the export of `tests/lean/reals`; `tests/lean/test_propositions.py` compares it with
Lean's current answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["recorded"]


def recorded(name: str) -> list[Any]:
    """The messages of a recorded export."""
    found: list[Any] = json.loads(
        Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8")
    )
    return found
