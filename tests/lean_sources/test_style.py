"""Rules that every Lean source of the library keeps.

The proofs themselves are checked by Lean; this checks what Lean does not refuse: weakened checking,
files that are too long, missing documentation, imports in the wrong direction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LEAN = Path(__file__).parents[2] / "lean"
SOURCES = [*sorted(LEAN.glob("PostNorm/**/*.lean")), LEAN / "PostNorm.lean"]

#: Folders of ``PostNorm`` in the order in which they may import each other.
ORDER = ("Field", "Calculus", "Real", "Graph", "Layers", "Block", "Export", "Run", "Capture")

#: Texts that would weaken Lean's checking, or leave a hole in a proof.
FORBIDDEN = (
    r"\bsorry\b",
    r"\badmit\b",
    r"\bnative_decide\b",
    r"^\s*axiom\b",
    r"\bset_option\b",
    r"\bdebug\.skipKernelTC\b(?!\.set · false)",
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


Complaints = Iterator[str]
"""The problems of one source, each with its line if there is one."""


def weakened(path: Path, text: str) -> Complaints:
    """Nothing weakens Lean's checking."""
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        for pattern in FORBIDDEN:
            if re.search(pattern, line):
                yield f"{number}: {pattern} in {line.strip()!r}"


def untidy(path: Path, text: str) -> Complaints:
    """Files are short; lines too, without tabs and without white space at the end."""
    lines = text.split("\n")
    if len(lines) > 300:
        yield f"has {len(lines)} lines; split it"
    for number, line in enumerate(lines, 1):
        if len(line) > 120:
            yield f"{number}: has {len(line)} characters"
        if line != line.rstrip():
            yield f"{number}: white space at the end"
        if "\t" in line:
            yield f"{number}: a tab"


def untitled(path: Path, text: str) -> Complaints:
    """Files say what they are about."""
    if not re.search(r"^/-! # ", text, re.MULTILINE):
        yield "no module documentation: a comment /-! # Title … -/ after the imports"


def undocumented(path: Path, text: str) -> Complaints:
    """Definitions have docstrings."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not DEFINITION.match(line):
            continue
        above = number - 1
        while above >= 0 and re.match(r"@\[|open Classical in", lines[above]):
            above -= 1
        if not lines[above].endswith("-/"):
            yield f"{number + 1}: no docstring on {line.strip()!r}"


def against_the_grain(path: Path, text: str) -> Complaints:
    """Imports run one way."""
    here = layer(path)
    if here is None:
        return
    for target in re.findall(r"^import PostNorm\.(\w+)", text, re.MULTILINE):
        if here not in ORDER or target not in ORDER:
            yield f"say in ORDER where PostNorm.{here} and PostNorm.{target} stand"
        elif ORDER.index(target) > ORDER.index(here):
            yield f"{here} may not import {target}"


def without_a_sentence(path: Path, text: str) -> Complaints:
    """The docstring of a tagged theorem begins with a sentence: reports print it."""
    for found in re.finditer(r"^@\[obligation\]", text, re.MULTILINE):
        before = text[: found.start()].rstrip()
        if not before.endswith("-/"):
            yield "an @[obligation] has no docstring"
            continue
        doc = before[before.rindex("/--") + 3 : -2].strip()
        if not re.match(r"[A-Z`*][\s\S]*\.", doc):
            yield f"docstring is no sentence: {doc!r}"


RULES = (weakened, untidy, untitled, undocumented, against_the_grain, without_a_sentence)
BAD = {
    weakened: "theorem t : 1 = 2 := sorry\n",
    untidy: "def x := 1 \n",
    untitled: "def x := 1\n",
    undocumented: "\ndef x := 1\n",
    against_the_grain: "import PostNorm.Run.Store\n",
    without_a_sentence: "/-- no sentence -/\n@[obligation] theorem t : True := trivial\n",
}
"""A source that breaks each rule."""


def test_there_are_sources() -> None:
    assert len(SOURCES) > 20, f"found {len(SOURCES)} Lean sources under {LEAN}"


@pytest.mark.parametrize("rule", RULES)
def test_every_source_keeps(rule: Callable[[Path, str], Complaints]) -> None:
    assert not [
        f"{path.relative_to(LEAN)}: {complaint}"
        for path in SOURCES
        for complaint in rule(path, path.read_text("utf-8"))
    ]


@pytest.mark.parametrize("rule", RULES)
def test_a_source_that_does_not_is_named(rule: Callable[[Path, str], Complaints]) -> None:
    assert list(rule(LEAN / "PostNorm" / "Field" / "Some.lean", BAD[rule]))
