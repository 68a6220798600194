"""Rules that every Lean source of the library keeps.

The proofs themselves are checked by Lean; this checks what Lean does not refuse: weakened
checking, files that outgrow a screen or two, missing documentation, imports against the grain.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LEAN = Path(__file__).parents[2] / "lean"
SOURCES = [*sorted(LEAN.glob("PostNorm/**/*.lean")), LEAN / "PostNorm.lean"]
NAMES = [str(path.relative_to(LEAN)) for path in SOURCES]

#: Folders of ``PostNorm`` in the order in which they may import each other.
ORDER = ("Field", "Real", "Calculus", "Graph", "Layers", "Block", "Export", "Run")

#: What would weaken Lean's checking, or leave a hole in a proof.
FORBIDDEN = (
    r"\bsorry\b",
    r"\badmit\b",
    r"\bnative_decide\b",
    r"^\s*axiom\b",
    r"\bset_option\b",
    r"\bdebug\.skipKernelTC\b",
    r"\bunsafe\b",
    r"\bimplemented_by\b",
    r"^module\b",
)

DEFINITION = re.compile(
    r"(?:@\[[^\]]*\]\s*)*(?:private )?(?:noncomputable )?(?:partial )?"
    r"(?:def|structure|class|inductive|abbrev)\b"
)


def without_comments(text: str) -> str:
    """The source with block and line comments blanked, lines kept."""
    blocks = re.compile(r"/-.*?-/", re.DOTALL)
    text = blocks.sub(lambda m: "\n" * m.group().count("\n"), text)
    return re.sub(r"--[^\n]*", "", text)


def layer(path: Path) -> str | None:
    """The folder of ``PostNorm`` that a source belongs to, or None for the library's root."""
    return path.relative_to(LEAN).with_suffix("").parts[1:2][0] if path.stem != "PostNorm" else None


def test_there_are_sources() -> None:
    assert len(SOURCES) > 20, f"found {len(SOURCES)} Lean sources under {LEAN}"


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_nothing_weakens_checking(path: Path) -> None:
    for number, line in enumerate(without_comments(path.read_text("utf-8")).splitlines(), 1):
        for pattern in FORBIDDEN:
            assert not re.search(pattern, line), f"{path}:{number}: {pattern} in {line.strip()!r}"


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_files_are_short_and_tidy(path: Path) -> None:
    lines = path.read_text("utf-8").split("\n")
    assert len(lines) <= 300, f"{path} has {len(lines)} lines; split it"
    for number, line in enumerate(lines, 1):
        assert len(line) <= 120, f"{path}:{number} has {len(line)} characters"
        assert line == line.rstrip(), f"{path}:{number}: white space at the end"
        assert "\t" not in line, f"{path}:{number}: a tab"


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_files_say_what_they_are_about(path: Path) -> None:
    assert re.search(r"^/-! # ", path.read_text("utf-8"), re.MULTILINE), (
        f"{path} has no module documentation: a comment /-! # Title … -/ after the imports"
    )


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_definitions_are_documented(path: Path) -> None:
    lines = path.read_text("utf-8").split("\n")
    for number, line in enumerate(lines):
        if not DEFINITION.match(line):
            continue
        above = number - 1
        while above >= 0 and re.match(r"@\[|open Classical in", lines[above]):
            above -= 1
        assert lines[above].endswith("-/"), f"{path}:{number + 1}: no docstring on {line.strip()!r}"


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_imports_run_one_way(path: Path) -> None:
    here = layer(path)
    if here is None:
        return
    for target in re.findall(r"^import PostNorm\.(\w+)", path.read_text("utf-8"), re.MULTILINE):
        assert here in ORDER, f"{path}: say in ORDER where PostNorm.{here} stands"
        assert target in ORDER, f"{path}: say in ORDER where PostNorm.{target} stands"
        assert ORDER.index(target) <= ORDER.index(here), f"{path}: {here} may not import {target}"


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_audited_theorems_begin_with_a_sentence(path: Path) -> None:
    """The docstring of a tagged theorem is printed in reports."""
    text = path.read_text("utf-8")
    for found in re.finditer(r"^@\[obligation\]", text, re.MULTILINE):
        before = text[: found.start()].rstrip()
        assert before.endswith("-/"), f"{path}: an @[obligation] has no docstring"
        doc = before[before.rindex("/--") + 3 : -2].strip()
        assert re.match(r"[A-Z`*][\s\S]*\.", doc), f"{path}: docstring is no sentence: {doc!r}"
