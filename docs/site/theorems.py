"""The page of all audited theorems, from Lean's answer when `obligations lock` last ran.

``python docs/site/theorems.py`` rewrites it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from bridge.lean.statement import Binder, Statement, parse_statements
from bridge.policy.answer_file import open_kept

__all__ = ["PAGE", "kept_theorems", "theorems_page"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "theorems.md"
WIDTH = 100
BRACKETS = {"default": "()", "implicit": "{}", "strictImplicit": "⦃⦄", "instImplicit": "[]"}
HEAD = """\
# Every audited theorem

Generated from `statements.lock.answer.json.gz`, which is Lean's answer when `obligations lock` last
ran; `python docs/site/theorems.py` rewrites this page.  Statements are as Lean prints them,
with all their parameters and hypotheses.  A printed statement is not a fingerprint:
`obligations show NAME` prints the fingerprint, and the numeric verdict.
"""


def kept_theorems(root: Path = ROOT) -> tuple[Statement, ...]:
    """The tagged theorems of the answer that is kept next to the lock.

    Raises:
        EngineError: no answer is kept.
        AnswerError: the kept answer is not the one that the lock names.
    """
    return parse_statements(open_kept(root).answer["statements"]).theorems


def theorems_page(theorems: Iterable[Statement]) -> str:
    """The page as Markdown: by file, each theorem with its sentence, its statement, and what proves
    its hypotheses."""
    every = tuple(theorems)
    parts = [HEAD, f"There are {len(every)} theorems.\n"]
    for module, some in groupby(every, key=lambda s: s.module):
        parts.append(f"## `lean/{module.replace('.', '/')}.lean`\n")
        parts += [_theorem(s) for s in sorted(some, key=lambda s: s.line)]
    return "\n".join(parts)


def _theorem(statement: Statement) -> str:
    name = _short(statement.name)
    lines = [f"### `{name}`", "", " ".join(statement.doc.split()), "", "```lean"]
    lines += [f"theorem {name}", *_telescope(statement.binders)]
    lines[-1] += " :"
    lines += ["    " + line for line in statement.conclusion.type.splitlines()]
    lines += ["```", ""]
    for found in statement.discharges:
        conditions = ", ".join(f"`{c}`" for c in found.conditions) or "nothing"
        lemma = _short(found.lemma)
        lines += [f"`{found.binder}` follows from {conditions}, by `{lemma}`.", ""]
    return "\n".join(lines)


def _short(name: str) -> str:
    """The name without the root namespace, as in reports."""
    return name.split(".", 1)[-1]


def _telescope(binders: Iterable[Binder]) -> list[str]:
    """A theorem's binders: parameters on shared lines, each hypothesis on its own lines."""
    lines: list[str] = []
    fits = False
    for text, alone in _binders(binders):
        if fits and not alone and len(lines[-1]) + len(text) < WIDTH:
            lines[-1] += " " + text
        else:
            lines += ["    " + line for line in text.splitlines()]
        fits = not alone and "\n" not in text
    return lines


def _binders(binders: Iterable[Binder]) -> Iterator[tuple[str, bool]]:
    """Binders as Lean writes them, and whether each is a hypothesis; parameters of one type are
    written together."""
    for (kind, of_type, is_prop), some in groupby(
        binders, key=lambda b: (b.kind, b.type, b.is_prop)
    ):
        together = list(some)
        groups = [[b] for b in together] if is_prop else [together]
        for group in groups:
            names = " ".join(b.name for b in group if b.name is not None)
            left, right = BRACKETS[kind]
            yield f"{left}{names}{' : ' if names else ''}{of_type}{right}", is_prop


if __name__ == "__main__":
    PAGE.write_text(theorems_page(kept_theorems()), encoding="utf-8")
