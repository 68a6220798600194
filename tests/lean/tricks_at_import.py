"""Tricks with code that runs when a project's modules are imported, or when Lean runs tactics.

Each is a small project as in ``tests/lean/tricks.py``.
"""

from __future__ import annotations

from tests.lean.trick import RIGHT, Trick

__all__ = ["AT_IMPORT"]

CONTRADICTION = (
    "@[obligation] theorem t (n : Nat) (hPos : 0 < n) (hLow : n < 1) : n = 7 := by omega\n"
)

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
        shares="",
    ),
    Trick(
        "search-hijacked",
        "the project replaces the tactics that find contradictions",
        "open Lean Elab Tactic in\n@[tactic Lean.Parser.Tactic.first] def blind : Tactic :=\n"
        '  fun _ => throwError "there is nothing to see here"\n' + CONTRADICTION,
        1,
        "contradict each other",
        waived=("t:hPos", "t:hLow", "t:conclusion"),
        shares="",
    ),
    Trick(
        "record-as-instance",
        "a record of constants, with a hypothesis in it, passed in square brackets",
        "class Rate where\n  eps : Nat\n  pos : 0 < eps\n"
        "@[obligation] theorem t [r : Rate] : r.eps ≠ 0 := Nat.ne_of_gt r.pos\n",
        0,
        "2 waived",
        waived=("t:r.pos", "t:conclusion"),
    ),
)
