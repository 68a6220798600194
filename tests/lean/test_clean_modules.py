"""After a change Lean inspects only the changed modules, and finds the same as a full inspection.
The second kernel gets only their theorems, with all that these rest on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.auditing.configured import Setup
from bridge.engine import Engine
from bridge.kernels import asking, compared
from bridge.kernels.exporting import Written
from bridge.lean.behind import read_trust
from bridge.lean.client import Answer
from bridge.lean.project import Project
from bridge.lean.questions import ask_engine
from bridge.lean.requests import TrustRequest
from bridge.lean.trust import Trust
from bridge.policy.settings import Settings

pytestmark = [pytest.mark.lean, pytest.mark.slow]

BASE = """\
import Obligations
namespace Demo
inductive Tree (α : Type) | leaf | node (l : Tree α) (x : α) (r : Tree α)
structure Box (α : Type u) : Type u where
  val : α
  own : val = val := by rfl
def Tree.size {α : Type} : Tree α → Nat
  | .leaf => 0
  | .node l _ r => l.size + 1 + r.size
theorem Tree.size_leaf {α : Type} : (Tree.leaf : Tree α).size = 0 := rfl
def swap : Quot (fun (a b : Nat) => a = b) → Nat := Quot.lift id fun _ _ h => h
@[obligation] theorem base (n : Nat) (hPos : 0 < n) : 0 < n + n := by omega
end Demo
"""
LEAF = """\
import Demo.Base
namespace Demo
@[obligation] theorem t (b : Box (Tree Nat)) (hLeaf : b.val = .leaf) :
    b.val.size = swap (Quot.mk _ 0) := by
  rw [hLeaf]
  exact Tree.size_leaf
"""
END = "end Demo\n"
EQUATION = "mkApp3 (mkConst ``Eq [1]) (mkConst ``Nat) (mkNatLit 4) (mkNatLit 5)"
BAD = """\
open Lean Elab Command in
run_cmd liftCoreM do
  let d : Declaration := .thmDecl
    { name := `Demo.bad, levelParams := [], value := mkConst ``True.intro
      type := EQUATION }
  withOptions (fun o => o.setBool `debug.skipKernelTC true) (addDecl d)
""".replace("EQUATION", EQUATION)
WRONG = """\
@[obligation] theorem wrong (n : Nat) (hPos : 0 < n) : n + 4 = n + 5 := by
  have := bad
  omega
"""
EMPTY = "@[obligation] theorem empty (n : Nat) (hSmall : n < 0) : n = 7 := by omega\n"

LOOKED = frozenset({"Demo.Base", "Demo.Leaf"})


class Looking:
    """The inspection of a project's modules, and which of them were skipped."""

    def __init__(self, project: Project, lean: Engine) -> None:
        self.project, self.lean = project, lean
        self.left: frozenset[str] = frozenset()
        self.folder = project.root / "lean" / "Demo"
        # New in each run, so that no answer is in the cache: a comment would not be compiled.
        self.only_here = f"/-! {uuid.uuid4()} -/\n"

    def put(self, request: TrustRequest, timeout: float) -> Answer:
        self.left = frozenset(request.already_clean)
        return ask_engine(self.project.root, self.lean, request, timeout=timeout)

    def __call__(self, *, whole: bool = False, **sources: str) -> Trust:
        """Trust of the modules with these sources; the others do not change."""
        self.write(sources)
        return read_trust(self.project, self.lean, put=self.put, use_cache=not whole)

    def write(self, sources: Mapping[str, str]) -> None:
        for name, text in sources.items():
            (self.folder / f"{name}.lean").write_text(text + self.only_here, encoding="utf-8")
        basic = f"{''.join(f'import Demo.{p.stem}{chr(10)}' for p in self.modules())}"
        basic += f"/-! {uuid.uuid4()} -/\n"
        (self.folder / "Basic.lean").write_text(basic, encoding="utf-8")

    def modules(self) -> list[Path]:
        return sorted(p for p in self.folder.glob("*.lean") if p.stem != "Basic")

    def without(self, name: str) -> None:
        (self.folder / f"{name}.lean").unlink()


@pytest.fixture
def look(project_of: Callable[[str], Project], lean: Engine) -> Looking:
    return Looking(project_of(""), lean)


def test_only_a_changed_leaf_is_inspected(look: Looking) -> None:
    first = look(Base=BASE, Leaf=LEAF + END)
    assert not LOOKED & look.left
    assert first.refusals == {}
    assert first.vacuous == ()
    # Its proof needs what the other module declares, which is added without being checked again.
    again = look(Leaf=LEAF + "def more := 1\n" + END)
    assert LOOKED & look.left == {"Demo.Base"}
    assert again.constants == first.constants + 1
    assert again.refusals == {}
    found = look(Leaf=LEAF + BAD + WRONG + EMPTY + END)
    assert LOOKED & look.left == {"Demo.Base"}
    assert set(found.refusals) == {"Demo.bad"}
    assert dict(found.refused) == {"Demo.wrong": "Demo.bad"}
    assert [name for name, _ in found.vacuous] == ["Demo.empty"]
    assert found == look(whole=True)


def test_a_changed_module_is_inspected_with_all_above_it(look: Looking) -> None:
    first = look(Base=BASE, Leaf=LEAF + END)
    for more in ("", "-- another state\n"):  # the problem is found again
        found = look(Base=BASE.replace(END, BAD + END), Leaf=LEAF + WRONG + END + more)
        assert not LOOKED & look.left
        assert dict(found.refused) == {"Demo.wrong": "Demo.bad"}
    assert look(Base=BASE, Leaf=LEAF + END) == first
    assert not LOOKED & look.left


CHEAT = """\
import Lean
open Lean Elab Command in
run_cmd liftCoreM do
  let d : Declaration := .thmDecl
    { name := `Demo.cheat, levelParams := [], value := mkConst ``True.intro
      type := mkConst `Demo.D }
  withOptions (fun o => o.setBool `debug.skipKernelTC true) (addDecl d)
"""


def test_a_term_may_mention_what_its_module_does_not_import(look: Looking) -> None:
    assert look(Base=CHEAT, Leaf="def Demo.D : Prop := True\n").refusals == {}
    found = look(Leaf="def Demo.D : Prop := False\n")
    assert "Demo.Base" not in look.left
    assert set(found.refusals) == {"Demo.cheat"}


@pytest.mark.parametrize("other", ["theorem Demo.T : False := sorry", "axiom Demo.T : False"])
def test_every_copy_of_a_constant_is_inspected(look: Looking, other: str) -> None:
    """Lean lets two modules declare the same theorem, or one of them as an axiom, and keeps the
    proof, valid or not."""
    bogus = BAD.replace("Demo.bad", "Demo.T").replace(EQUATION, "mkConst ``False")
    found = look(Base="import Lean\n" + bogus, Leaf=f"{other}\n")
    assert set(found.refusals) == {"Demo.T"}
    look.without("Leaf")
    assert set(look().refusals) == {"Demo.T"}


FIRST = """\
import Lean
theorem Demo.T : True ∨ False := Or.inl trivial
theorem Demo.above : True ∨ False := Demo.T
"""


def test_a_module_is_inspected_when_another_one_proves_its_theorem_differently(
    look: Looking,
) -> None:
    assert look(Base=FIRST).refusals == {}
    found = look(Leaf="theorem Demo.T : True ∨ False := Or.inl (id trivial)\n")
    assert "Demo.Base" not in look.left
    assert found == look(whole=True)
    look(Other="def more := 1\n")
    assert {"Demo.Base", "Demo.Leaf"} <= look.left
    look(Leaf="theorem Demo.T : True ∨ False := Or.inl (id (id trivial))\n")
    assert "Demo.Base" not in look.left


def test_the_same_theorem_in_two_modules_is_no_reason_to_inspect_both(look: Looking) -> None:
    """Such as the equations of a function, which Lean proves where they are first used."""
    base = "import Lean\ndef Demo.f : Nat → Nat\n  | 0 => 1\n  | n + 1 => n\n"
    uses = "import Demo.Base\ntheorem Demo.{} : Demo.f 0 = 1 := by rw [Demo.f]\n"
    look(Base=base, Leaf=uses.format("a"), Other=uses.format("b"))
    again = look(Leaf=uses.format("c"))
    assert {"Demo.Base", "Demo.Other"} <= look.left
    assert "Demo.Leaf" not in look.left
    assert again == look(whole=True)


def test_a_copy_of_a_tagged_theorem_in_another_module_counts(look: Looking) -> None:
    """What Lean says of a theorem includes the module and the line of one of its copies."""
    copy = "theorem Demo.T (n : Nat) (hPos : 0 < n) : 0 < n + n := by omega\n"
    base = "import Obligations\n@[obligation] " + copy
    look(Base=base)
    for other in (copy, "\n\n" + copy, ""):
        found = look(Another=other)
        assert "Demo.Base" not in look.left
        assert found.stated == look(whole=True).stated
    look(Leaf="def more := 1\n")
    assert "Demo.Base" in look.left


def test_a_module_may_tag_a_theorem_of_another(look: Looking) -> None:
    tag = """\
open Lean in
run_cmd setEnv (Obligations.obligationAttr.ext.modifyState (← getEnv) (·.insert `Demo.empty))
"""
    honest = "theorem empty (n : Nat) (hSmall : n < 7) : n < 8 := by omega\n"
    head = "import Lean\nnamespace Demo\n"
    first = look(Leaf="import Obligations\nimport Demo.Base\n" + tag, Base=head + honest + END)
    assert (first.vacuous, set(first.stated)) == ((), {"Demo.empty"})
    found = look(Base=head + EMPTY.replace("@[obligation] ", "") + END)
    assert [name for name, _ in found.vacuous] == ["Demo.empty"]
    look.without("Leaf")
    assert look().stated == {}


def test_an_instance_in_another_module_counts(look: Looking) -> None:
    base = """\
import Obligations
namespace Demo
class Scale (α : Type) where
  op : α → α
  law : ∀ x, op (op x) = x
@[obligation] theorem t (α : Type) [Scale α] (x : α) : Scale.op (Scale.op x) = x := Scale.law x
end Demo
"""
    first = look(Base=base)
    instance = "import Demo.Base\ninstance : Demo.Scale Nat := ⟨id, fun _ => rfl⟩\n"
    found = look(Leaf=instance)
    assert found.stated == look(whole=True).stated != first.stated
    look.without("Leaf")
    assert look().stated == first.stated


class Kernels:
    """What all kernels say of a project, and what the export for the second one had."""

    def __init__(self, look: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
        self.look, self.written = look, Written(0, {}, {}, {}, frozenset())
        reasons = compared.reasons

        def noted(kernel: Any, lean: str, written: Written, *rest: Any) -> Any:
            self.written = written
            return reasons(kernel, lean, written, *rest)

        monkeypatch.setattr(compared, "reasons", noted)

    def __call__(self, **sources: str) -> Trust:
        self.look.write(sources)
        setup = Setup(self.look.project, self.look.lean, Settings(), 300)
        found = setup.trust(library=setup.library())
        assert found is not None
        return found

    @property
    def roots(self) -> set[str]:
        return set(self.written.roots)


def test_the_second_kernel_is_given_the_theorems_of_changed_modules(
    look: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels = Kernels(look, monkeypatch)
    first = kernels(Base=BASE, Leaf=LEAF + END)
    assert kernels.roots == {"Demo.base", "Demo.t"}
    again = kernels(Leaf=LEAF + "def more := 1\n" + END)
    assert kernels.roots == {"Demo.t"}
    assert LOOKED & kernels.written.left_out == {"Demo.Base"}
    assert again.kernels[1].accepted == first.kernels[1].accepted

    for more in ("", "def less := 1\n"):  # what is refused is not kept
        found = kernels(Leaf=LEAF + BAD + WRONG + more + END)
        assert kernels.roots == {"Demo.t", "Demo.wrong"}
        assert dict(found.refused) == {"Demo.wrong": "Demo.bad"}

    claims = asking.claims_of

    def other(*given: Any) -> Any:
        """The project's own code answers that a theorem states something else."""
        odd: dict[str, Any] = {"type_hash": "0" * 64}
        return [replace(c, **odd) if c.theorem == "Demo.base" else c for c in claims(*given)]

    with monkeypatch.context() as patch:
        patch.setattr(asking, "claims_of", other)
        found = kernels(Leaf=LEAF + "def fewer := 1\n" + END)
    assert kernels.roots == {"Demo.base", "Demo.t"}
    assert dict(found.refused) == {"Demo.base": "Demo.base"}

    kernels(Leaf=LEAF + END)
    assert kernels.roots == {"Demo.base", "Demo.t"}  # what was refused once is written again
    # Lean has one copy at a time of a theorem that two modules prove differently.
    other_proof = "n.add_pos_left hPos n"
    kernels(Leaf=f"theorem Demo.base (n : Nat) (hPos : 0 < n) : 0 < n + n := {other_proof}\n")
    assert not LOOKED & kernels.written.left_out
    assert kernels.roots == {"Demo.base"}
