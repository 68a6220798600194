"""The table of architectures in ``lean/README.md`` agrees with Lean's theorems."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.lean.library import Library

pytestmark = pytest.mark.lean

README = Path(__file__).parents[2] / "lean" / "README.md"
THEOREMS = ("hasFDerivAt_real", "backprop_eq_adjoint_fderiv_real")
IN_WORDS = {
    "hPreActivationNe0": "no number that ReLU gets is zero",
    "hKeyAllowed": "a key is allowed in each row",
}
"""Conditions that the table states in words, by the name of their hypothesis."""


def table() -> dict[str, set[str]]:
    """The remaining conditions, by the prefix of the theorems' names."""
    text = README.read_text(encoding="utf-8")
    part = text[text.index("## Architectures") : text.index("## The encoder block, row by row")]
    found: dict[str, set[str]] = {}
    for line in re.findall(r"^\| .*`\w+_…`.*$", part, flags=re.M):
        _, _, stems, conditions, _ = line.split("|")
        left = {c.strip().strip("`") for c in conditions.split(",")} - {"none"}
        found.update(dict.fromkeys(re.findall(r"`(\w+)_…`", stems), left))
    return found


def test_the_table_has_every_architecture() -> None:
    sources = (README.parent / "PostNorm").rglob("*.lean")
    command = re.compile(r"^(?:layer|model)_theorems (\w+)", re.M)
    stated = {n for path in sources for n in command.findall(path.read_text(encoding="utf-8"))}
    assert stated <= set(table())
    assert len(stated) > 15


def test_the_remaining_conditions_are_those_of_the_theorems(library: Library) -> None:
    keys = {o.key: o for o in library.obligations}
    for stem, left in table().items():
        assert f"{stem}_eval:conclusion" in keys
        for theorem in THEOREMS:
            start = f"{stem}_{theorem}:"
            assert f"{start}conclusion" in keys
            asked = {
                IN_WORDS.get(k.removeprefix(start), o.statement)
                for k, o in keys.items()
                if k.startswith(start) and not k.endswith(":conclusion")
            }
            assert asked == left, start


STATED = re.compile(
    r"(eval|hasFDerivAt|backprop_eq_adjoint_fderiv|gradient|adjoint)?(_of_pos|_real|_tokens)?"
)
"""The suffixes that a command adds to a name."""


def not_declared(text: str) -> set[str]:
    """The names in the first column of the table of theorems that no source declares, directly or
    by a command."""
    part = text[text.index("## What is proved") : text.index("## Architectures")]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| ")]
    names = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    paths = (README.parent / "PostNorm").rglob("*.lean")
    sources = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    stems = re.findall(r"^(?:layer|model|token)_theorems (\w+)", sources, re.M)
    declared = re.findall(r"^(?:@\[.*\] )?(?:noncomputable )?(?:def|theorem) (\S+)", sources, re.M)
    spaces = ("", "Layer.", "GraphFDerivCorrectAt.")
    known = {f"{space}{name}" for name in declared for space in spaces}
    missing = set()
    for name in names:
        start, dots, _ = name.partition("…")
        found = any(d.startswith(start) for d in known) if dots else start in known
        if not found and not any(
            start.startswith(f"{stem}_") and STATED.fullmatch(start.removeprefix(f"{stem}_"))
            for stem in stems
        ):
            missing.add(name)
    return missing


def test_every_declaration_that_the_page_names_exists() -> None:
    text = README.read_text(encoding="utf-8")
    assert not not_declared(text)
    wrong = text.replace("`rmsNorm_eval`", "`rmsNorm_evals`").replace("`mha_eval`", "`mha_value`")
    assert not_declared(wrong) == {"rmsNorm_evals", "mha_value"}
