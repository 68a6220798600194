"""Other people's projects, and how an audit handles what they try."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.engine import Engine
from bridge.errors import LeanSourceError
from bridge.lean.library import Library, read_library
from bridge.lean.project import Project
from bridge.verdict import LeanStatus
from tests.lean.conftest import Once, write_project

pytestmark = pytest.mark.lean

Make = Callable[[str], Project]

GOOD = """\
import Obligations
macro "done_later" : tactic => `(tactic| sorry)
namespace Demo
/-- Twice the number. -/
def twice (n : Nat) : Nat := n + n
/-- Doubling keeps positive numbers positive. -/
@[obligation] theorem twice_pos (n : Nat) (hPos : ∀ i : Fin 3, 0 < n + i) : 0 < twice n := by
  have := hPos 0; simp at this; unfold twice; omega
@[discharges twice_pos hPos] theorem pos_of_one_le (n : Nat) (h : 1 ≤ n) (j : Fin 3) :
    0 < n + j := by omega
theorem unfinished : 2 + 2 = 5 := by done_later
/-- It hides what it rests on. -/
@[obligation] theorem hides (n : Nat) : n + 2 + 2 = n + 5 := by have := unfinished; omega
axiom cheat : 2 + 2 = 5
/-- It rests on an axiom. -/
@[obligation] theorem cheats (n : Nat) : n + 2 + 2 = n + 5 := by have := cheat; omega
@[obligation] theorem unnamed (n : Nat) : 0 < n → 0 < n + 1 := by omega
def low : Nat := 0
def far (n : Nat) : Nat := n + low
@[obligation] theorem drifts (n : Nat) (h : ∀ i : Nat, 0 < far (n + i)) : 0 < far n := h 0
end Demo
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, lean: Engine, once: Once) -> Library:
    project = write_project(tmp_path_factory.mktemp("demo"), GOOD)
    with once("demo"):
        return read_library(project, lean)


def test_a_small_project(demo: Library) -> None:
    those = ("twice_pos", "hides", "cheats")
    assert {o.declaration for o in demo.obligations} == {*those, "unnamed", "drifts"}
    status = {o.key: o.lean.status for o in demo.obligations if o.declaration in those}
    assert status == {
        "twice_pos:hPos": LeanStatus.DISCHARGED,
        "twice_pos:conclusion": LeanStatus.PROVED,
        "hides:conclusion": LeanStatus.SORRY,
        "cheats:conclusion": LeanStatus.AXIOM,
    }
    discharge = demo.find("twice_pos:hPos")[0].lean.discharge
    assert discharge is not None
    assert (discharge.lemma, discharge.conditions) == ("Demo.pos_of_one_le", ("1 ≤ n",))
    assert demo.find("cheats")[0].lean.foreign_axioms == ("Demo.cheat",)


def refused(project: Project, lean: Engine, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_library(project, lean)


def test_an_unnamed_hypothesis_has_a_key_of_its_own(demo: Library) -> None:
    own = [o.key for o in demo.obligations if o.declaration == "unnamed"]
    assert own == ["unnamed:#2", "unnamed:conclusion"]


def test_a_lemma_that_proves_something_else_does_not_discharge(
    project_of: Make, lean: Engine
) -> None:
    source = (
        "import Obligations\nnamespace Demo\n"
        "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : 0 < n + n := by omega\n"
        "@[discharges t hPos] theorem wrong (n : Nat) (h : 2 ≤ n) : 1 ≤ n + 1 := by omega\n"
        "end Demo\n"
    )
    refused(project_of(source), lean, LeanSourceError, "does not prove hPos")


def test_a_definition_is_not_an_obligation(project_of: Make, lean: Engine) -> None:
    source = "import Obligations\n@[obligation] def Demo.d : Nat := 3\n"
    refused(project_of(source), lean, LeanSourceError, "is for theorems")


def test_a_syntax_error_has_its_place(project_of: Make, lean: Engine) -> None:
    source = "import Obligations\n\ntheorem Demo.t : 1 = 1 := by by\n"
    refused(project_of(source), lean, LeanSourceError, r"lean/Demo/Basic\.lean:3:")


@pytest.mark.slow
def test_renaming_a_bound_variable_is_not_a_change_but_changing_a_definition_is(
    demo: Library, project_of: Make, lean: Engine
) -> None:
    project = project_of(GOOD)

    def fingerprint(source: str) -> str:
        assert source != GOOD
        (project.root / "lean" / "Demo" / "Basic.lean").write_text(source)
        (found,) = read_library(project, lean).find("drifts:h")
        return found.statement_hash

    (before,) = demo.find("drifts:h")
    renamed = GOOD.replace("∀ i : Nat, 0 < far (n + i)", "∀ k : Nat, 0 < far (n + k)")
    assert fingerprint(renamed) == before.statement_hash
    assert fingerprint(GOOD.replace("low : Nat := 0", "low : Nat := 1")) != before.statement_hash
