"""Tricks with code that runs where a project's modules are imported, or where Lean looks for help.

Each is a small project as in ``tests/lean/tricks.py``.
"""

from __future__ import annotations

from tests.lean.tricks import RIGHT, Trick

__all__ = ["AT_IMPORT"]

AT_IMPORT = (
    Trick(
        "runs-at-import",
        "`initialize` in an honest project, which registers an option",
        RIGHT,
        0,
        "Runs at import: Demo.loud in Demo.Option (initialize)",
        files={
            "Demo.Option": "import Lean\ninitialize Demo.loud : Lean.Option Bool ←\n"
            "  Lean.Option.register `demo.loud { defValue := false }\n"
        },
    ),
)
