"""After a change Lean looks behind the changed modules alone, and finds what a whole look does."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from bridge.engine import Engine
from bridge.lean.behind import read_trust
from bridge.lean.client import Answer
from bridge.lean.project import Project
from bridge.lean.questions import ask_engine
from bridge.lean.requests import TrustRequest
from bridge.lean.trust import Trust

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
BAD = """\
open Lean Elab Command in
run_cmd liftCoreM do
  let d : Declaration := .thmDecl
    { name := `Demo.bad, levelParams := [], value := mkConst ``True.intro
      type := mkApp3 (mkConst ``Eq [1]) (mkConst ``Nat) (mkNatLit 4) (mkNatLit 5) }
  withOptions (fun o => o.setBool `debug.skipKernelTC true) (addDecl d)
"""
WRONG = """\
@[obligation] theorem wrong (n : Nat) (hPos : 0 < n) : n + 4 = n + 5 := by
  have := bad
  omega
"""
EMPTY = "@[obligation] theorem empty (n : Nat) (hSmall : n < 0) : n = 7 := by omega\n"

Look = Callable[[str, str], tuple[Trust, tuple[str, ...]]]


@pytest.fixture
def look(project_of: Callable[[str], Project], lean: Engine) -> Look:
    """What is behind two modules, and which modules were left out.  The sources are new each time,
    so that no answer is in the cache; the first module is what it was where its text is."""
    project = project_of("import Demo.Leaf\n")
    asked: list[tuple[str, ...]] = []
    only_here = f"-- {uuid.uuid4()}\n"

    def put(request: TrustRequest, timeout: float) -> Answer:
        asked.append(request.in_order)
        return ask_engine(project.root, lean, request, timeout=timeout)

    def looked(base: str, leaf: str) -> tuple[Trust, tuple[str, ...]]:
        folder = project.root / "lean" / "Demo"
        (folder / "Base.lean").write_text(base + only_here, encoding="utf-8")
        (folder / "Leaf.lean").write_text(f"{leaf}-- {uuid.uuid4()}\n", encoding="utf-8")
        return read_trust(project, lean, put=put), asked[-1]

    return looked


@pytest.mark.lean
def test_a_changed_leaf_is_looked_at_and_nothing_else(look: Look) -> None:
    first, left = look(BASE, LEAF + END)
    assert left == ()
    assert first.refusals == {}
    assert first.vacuous == ()
    # Its proof needs what the other module declares, which is added without being checked again.
    again, left = look(BASE, LEAF + "def more := 1\n" + END)
    assert left == ("Demo.Base",)
    assert again.constants == first.constants + 1
    assert again.refusals == {}
    found, left = look(BASE, LEAF + BAD + WRONG + EMPTY + END)
    assert left == ("Demo.Base",)
    assert set(found.refusals) == {"Demo.bad"}
    assert dict(found.refused) == {"Demo.wrong": "Demo.bad"}
    assert [name for name, _ in found.vacuous] == ["Demo.empty"]


@pytest.mark.lean
def test_a_changed_module_is_looked_at_with_all_above_it(look: Look) -> None:
    first, _ = look(BASE, LEAF + END)
    bad = BASE.replace("end Demo", BAD + "end Demo")
    for _ in range(2):  # what is amiss is found again
        found, left = look(bad, LEAF + WRONG + END)
        assert not {"Demo.Base", "Demo.Leaf"} & {*left}
        assert dict(found.refused) == {"Demo.wrong": "Demo.bad"}
    again, left = look(BASE, LEAF + END)
    assert not {"Demo.Base", "Demo.Leaf"} & {*left}
    assert again == first
