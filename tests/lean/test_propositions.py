"""Statements over the reals, from Lean to a verdict; the recording matches Lean's current
answer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from bridge.auditing.audit import library_for_audit
from bridge.engine import Engine
from bridge.lean.exporter import add_exporter
from bridge.lean.library import Library
from bridge.lean.project import find_project
from bridge.statements.choose import Obstacle, Question, Taken
from bridge.statements.numbers import NumbersJudge
from bridge.verdict import Role, Verdict
from numeric.propositions.terms import Op, Term, Theory, subterms
from tests.recorded import recorded

pytestmark = pytest.mark.lean

REALS = Path(__file__).with_name("reals")


@pytest.fixture(scope="module")
def reals(lean: Engine, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The project of statements over the reals, asked again."""
    root = tmp_path_factory.mktemp("reals") / "reals"
    shutil.copytree(REALS, root)
    shutil.copy(Path(__file__).parent.parent.parent / "lean-toolchain", root)
    add_exporter(root)
    return library_for_audit(find_project(root), lean, use_cache=False)


def without_lean(messages: list[Any]) -> list[Any]:
    """Without the version of Lean, which differs between engines."""
    return [{k: v for k, v in m.items() if k != "lean"} for m in messages]


@pytest.mark.slow
def test_the_recording_matches_lean(reals: Library) -> None:
    """If this fails, the export has changed: rewrite `tests/recorded/reals.json`."""
    assert without_lean(list(reals.answer["propositions"])) == without_lean(recorded("reals"))


@pytest.mark.slow
def test_statements_over_the_reals_are_judged_without_a_line_of_python(reals: Library) -> None:
    questions = [
        Question(s, s.name, tuple(f"{s.name}:{h.name}" for h in s.hypotheses))
        for s in reals.statements.theorems
    ]
    found = NumbersJudge().judge(reals, questions, seed=0, instances=60)
    verdicts = {
        name: taken.results[f"{name}:conclusion"].verdict
        for name, taken in found.items()
        if isinstance(taken, Taken)
    }
    obstacles = {n: f.constant for n, f in found.items() if isinstance(f, Obstacle)}
    assert obstacles == {
        "Demo.secret": "Demo.Secret",
        "Wide.continuous_relu": "Continuous",
        "Wide.deriv_sq": "HasDerivAt",
        "Wide.floor_le": "Int.floor",
        "Wide.le_sSup": "Set",
    }
    wrong = ("sqrt", "edge", "power", "clamp")
    assert {n for n, v in verdicts.items() if v is Verdict.FAILS} == {
        *(f"Demo.wrong_{name}" for name in wrong),
        "Wide.dented_nonneg",
    }
    undecided = {n for n, v in verdicts.items() if v is Verdict.INCONCLUSIVE}
    # Whether a number is 0 is undecided if it is 0 only up to rounding.
    assert undecided == {"Demo.blind", "PostNorm.sqrt_le", "Demo.safeDiv_mul"}
    assert all(o.key for o in reals.obligations if o.role is Role.HYPOTHESIS)


def operations(theory: Theory) -> set[str]:
    def of(term: Term) -> set[str]:
        return {t.name for t in subterms(term) if isinstance(t, Op)}

    terms = [d.body for d in theory.definitions.values()]
    return set().union(*(of(t) for t in terms))


def test_the_librarys_own_statements_are_exported_whole(library: Library) -> None:
    theory = library.theory
    assert theory is not None
    assert not theory.refused
    assert set(theory.theorems) == {s.name for s in library.statements.theorems}
    assert not [leaf for leaf in theory.leaves.values() if leaf.why.startswith("failed")]
    # The names in `lean/Obligations/Known.lean` are those of the library.
    assert {"sum", "exp", "sqrt", "tanh", "div"} <= operations(theory)
