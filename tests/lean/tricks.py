"""Ways to fool an audit, each as a small Lean project, and what our audit reports.

In every project the obligations are waived, so that an honest one ends with 0: everything else that
is reported is due to the trick.  ``docs/tricks.md`` shows this table.
"""

from __future__ import annotations

from tests.lean.trick import KEYS, RIGHT, UNDECIDED, WRONG, Trick

__all__ = ["HONEST", "TRICKS"]

ABOVE = """\
@[obligation] theorem t (n : Nat) (hPos : low < n) : low < n + n := by
  unfold low at *
  omega
"""

HONEST = Trick("honest", "nothing: an honest theorem, waived", RIGHT, 0, "proved")

SKIP = """\
open Lean Elab Command in
run_cmd liftCoreM do
  let d : Declaration := .thmDecl
    { name := `Demo.bad, levelParams := [], value := mkConst ``True.intro
      type := mkApp3 (mkConst ``Eq [1]) (mkConst ``Nat) (mkNatLit 4) (mkNatLit 5) }
  withOptions (fun o => o.setBool `debug.skipKernelTC true) (addDecl d)
"""
ASSIGN = """\
open Lean Elab Tactic in
elab "believe" : tactic => do (← getMainGoal).assign (mkConst ``True.intro)
set_option debug.skipKernelTC true in
theorem bad : 2 + 2 = 5 := by believe
"""

TRICKS = (
    Trick("sorry", "an unfinished proof", "theorem bad : 2 + 2 = 5 := sorry\n" + WRONG, 1, "sorry"),
    Trick(
        "sorry-in-a-macro",
        "`sorry` spelled by a macro, so that no text search finds it near the theorem",
        'macro "done!" : tactic => `(tactic| sorry)\ntheorem bad : 2 + 2 = 5 := by done!\n' + WRONG,
        1,
        "sorry",
    ),
    Trick(
        "sorry-far-away",
        "`sorry` two lemmas down, in another file",
        "theorem bad : 2 + 2 = 5 := Far.worse\n" + WRONG,
        1,
        "sorry",
        files={
            "Demo.Far": "theorem Far.worst : 2 + 2 = 5 := sorry\n"
            "theorem Far.worse : 2 + 2 = 5 := Far.worst\n"
        },
    ),
    Trick(
        "admit",
        "`admit` instead of `sorry`",
        "theorem bad : 2 + 2 = 5 := by admit\n" + WRONG,
        1,
        "sorry",
    ),
    Trick(
        "sorry-in-a-definition",
        "a definition in the statement is unfinished, the proof is not",
        "def low : Nat := sorry\n"
        "@[obligation] theorem t (n : Nat) (hPos : low < n) : low < n + n := by omega\n",
        1,
        "sorry",
    ),
    Trick("axiom", "a project axiom", "axiom bad : 2 + 2 = 5\n" + WRONG, 1, "axiom"),
    Trick(
        "axiom-far-away",
        "an axiom in another file",
        "theorem bad : 2 + 2 = 5 := Far.law\n" + WRONG,
        1,
        "axiom",
        files={"Demo.Far": "axiom Far.law : 2 + 2 = 5\n"},
    ),
    Trick(
        "axiom-with-a-good-name",
        "an axiom called `propext`, in the project's namespace",
        "axiom propext : 2 + 2 = 5\ntheorem bad : 2 + 2 = 5 := Demo.propext\n" + WRONG,
        1,
        "axiom",
    ),
    Trick(
        "axiom-private",
        "a private axiom inside a section, which no other file can name",
        "section\nprivate axiom bad : 2 + 2 = 5\n" + WRONG + "end\n",
        1,
        "Demo.bad (axiom)",
    ),
    Trick(
        "axiom-behind-instance",
        "an axiom that enters through an instance",
        "class Odd where law : 2 + 2 = 5\naxiom odd : Odd\n"
        "instance : Odd := odd\ntheorem bad : 2 + 2 = 5 := Odd.law\n" + WRONG,
        1,
        "axiom",
    ),
    Trick(
        "native-decide",
        "the compiler's result as a proof",
        "theorem bad : (2 + 3 : Nat) = 5 := by native_decide\n"
        "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : n + (2 + 3) = n + 5 := by rw [bad]\n",
        1,
        "nativeDecide",
        shares="refused",
    ),
    Trick(
        "true",
        "a conclusion that is `True`",
        "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : True := trivial\n",
        1,
        "its conclusion is True",
    ),
    Trick(
        "itself",
        "a conclusion that is a hypothesis",
        "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : 0 < n := hPos\n",
        1,
        "its own hypothesis hPos",
    ),
    Trick(
        "contradiction",
        "hypotheses that no number satisfies",
        "@[obligation] theorem t (n : Nat) (hPos : 0 < n) (hLow : n < 1) : n = 7 := by omega\n",
        1,
        "contradict each other",
        waived=(*KEYS, "t:hLow"),
    ),
    Trick(
        "impossible",
        "one hypothesis that is false",
        "@[obligation] theorem t (n : Nat) (hPos : n < n) : n = 7 := by omega\n",
        1,
        "nothing meets its hypothesis hPos",
    ),
    Trick(
        "empty-type",
        "a binder of a type without values",
        "@[obligation] theorem t (n : Fin 0) (hPos : n.val < 5) : n.val = 7 := n.elim0\n",
        1,
        "its binder n has a type without values",
    ),
    Trick(
        "impossible-below",
        "a hypothesis that is false once its definition is unfolded",
        "def Fits (n : Nat) : Prop := n + 1 < n\n"
        "@[obligation] theorem t (n : Nat) (hPos : Fits n) : n = 7 := by\n"
        "  unfold Fits at hPos; omega\n",
        1,
        "nothing meets its hypothesis hPos",
    ),
    Trick(
        "or-true",
        "a conclusion with `∨ True` behind a definition",
        "def Good (n : Nat) : Prop := n = 7 ∨ True\n"
        "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : Good n := Or.inr trivial\n",
        1,
        "its conclusion is true whatever the hypotheses say",
    ),
    Trick(
        "past-the-kernel",
        "a metaprogram adds a theorem unchecked",
        SKIP + WRONG,
        1,
        "Demo.bad",
        shares="refused",
    ),
    Trick(
        "kernel-switched-off",
        "`debug.skipKernelTC` and a tactic that assigns nonsense",
        ASSIGN + WRONG,
        1,
        "Demo.bad",
        shares="refused",
    ),
    Trick(
        "implemented-by",
        "a definition that runs as a different one",
        "def slow (n : Nat) : Nat := n\n@[implemented_by slow] def quick (n : Nat) : Nat := n + 1\n"
        + RIGHT,
        0,
        "Demo.quick (implemented_by)",
    ),
    Trick(
        "extern",
        "a definition that runs as foreign code",
        '@[extern "nat_quick"] def quick (n : Nat) : Nat := n + 1\n' + RIGHT,
        0,
        "Demo.quick (extern)",
    ),
    Trick(
        "unsafe",
        "an unsafe definition that runs in place of an opaque one",
        "unsafe def wild (n : Nat) : Nat := wild (n + 1)\n"
        "@[implemented_by wild] opaque tame (n : Nat) : Nat\n" + RIGHT,
        0,
        "Demo.wild (unsafe)",
    ),
    Trick(
        "redefined",
        "a true theorem, and a false one of the same name after it",
        "theorem bad : 2 + 2 = 4 := rfl\ntheorem bad : 2 + 2 = 5 := sorry\n" + WRONG,
        3,
        "already been declared",
        shares="",
    ),
    Trick(
        "unnamed-hypothesis",
        "a hypothesis without a name, which no waiver or check can name",
        UNDECIDED + "@[obligation] theorem t (n : Nat) : Great n ∧ 0 < n → 0 < n + n := by omega\n",
        4,
        "t:#2;",
        waived=("t:conclusion",),
    ),
    Trick(
        "hypothesis-as-instance",
        "a hypothesis hidden in square brackets",
        UNDECIDED + "class Big (n : Nat) : Prop where\n  law : 0 < n\n  great : Great n\n"
        "@[obligation] theorem t (n : Nat) [Big n] : 0 < n + n := by\n"
        "  have := Big.law (n := n)\n  omega\n",
        4,
        "t:#2;",
        waived=("t:conclusion",),
    ),
    Trick(
        "two-of-one-name",
        "two hypotheses of one name, so that one check would cover both",
        UNDECIDED + "@[obligation] theorem t (n : Nat) (hPos : 0 < n) (hPos : Great n ∧ n < 9) :\n"
        "    n < 10 := by omega\n",
        4,
        "t:hPos#3;",
        waived=("t:conclusion",),
    ),
    Trick(
        "nothing-tagged",
        "no theorem is tagged",
        RIGHT.replace("@[obligation] ", ""),
        4,
        "nothing",
        waived=(),
        shares="nothing",
    ),
    Trick(
        "comment",
        "a tagged theorem in a comment",
        "/- " + RIGHT + " -/\n",
        4,
        "nothing was audited",
        waived=(),
        shares="nothing",
    ),
    Trick(
        "look-alike",
        "the theorem's name with a Greek omicron, so that its waiver names nothing",
        RIGHT.replace("theorem t", "theorem ο"),
        2,
        "no obligation is called 'o:hPos'",
        waived=("o:hPos", "o:conclusion"),
        spoils=True,
    ),
    Trick(
        "shadow",
        "the theorem restated, weaker, in a namespace below",
        UNDECIDED + RIGHT + "namespace Demo\n"
        "@[obligation] theorem t (n : Nat) (hPos : Great n ∧ 5 < n) : 0 < n := by omega\n"
        "end Demo\n",
        4,
        "unpaired",
    ),
    Trick(
        "forged-answer",
        "a message that looks like Lean's answer",
        '#eval IO.println "obligations:0:{}"\n'
        "open Lean Elab Command in\n"
        'run_cmd logInfo "obligations:statements:{\\"kind\\": \\"end\\"}"\n' + RIGHT,
        0,
        "t  ",
    ),
    Trick(
        "command-hijacked",
        "the project redefines our export command",
        'open Lean in\nmacro (priority := high) "#export_obligations " s:str : command =>\n'
        "  `(#eval IO.println $s)\n" + RIGHT,
        1,
        "#export_obligations (syntax) in Demo.Basic",
        shares="",
    ),
    Trick(
        "trust-answered",
        "an elaborator of the project's own says that the kernel took everything",
        "open Lean Elab Command in\nelab_rules : command | `(#export_trust $n $_) => do\n"
        '  let said := "{\\"kind\\": \\"end\\", \\"count\\": 0, \\"constants\\": 1, "\n'
        '    ++ "\\"not_checked\\": 0, \\"all\\": 1}"\n'
        '  logInfo m!"obligations:{n.getString}:{said}"\n' + SKIP + WRONG,
        1,
        "(elaborator) in Demo.Basic",
        shares="",
    ),
    Trick(
        "statements-rewritten",
        "a macro of the project's own rewrites our command",
        "macro_rules | `(#export_obligations $n $_) => `(#eval IO.println $n)\n" + RIGHT,
        1,
        "(macro) in Demo.Basic",
        shares="",
    ),
    Trick(
        "definition-changed",
        "a definition changes below an unchanged statement",
        "def low : Nat := 1\n" + ABOVE,
        4,
        "stale",
        before="def low : Nat := 0\n" + ABOVE,
        shares="changed",
    ),
    Trick(
        "notation-changed",
        "a notation changes its meaning; the statement prints as before",
        'def much (n : Nat) : Prop := 1 < n\nnotation "big " n:max => much n\n'
        "@[obligation] theorem t (n : Nat) (hPos : big n) : big n ∨ n = 0 := Or.inl hPos\n",
        4,
        "stale",
        before='def some (n : Nat) : Prop := 0 < n\nnotation "big " n:max => some n\n'
        "@[obligation] theorem t (n : Nat) (hPos : big n) : big n ∨ n = 0 := Or.inl hPos\n",
        shares="changed",
    ),
    Trick(
        "instance-changed",
        "another order on the same numbers; the statement prints as before",
        "structure N where v : Nat\ninstance : LT N := ⟨fun a b => b.v < a.v⟩\n"
        "@[obligation] theorem t (a b : N) (hPos : a < b) : a < b ∨ b < a := Or.inl hPos\n",
        4,
        "stale",
        before="structure N where v : Nat\ninstance : LT N := ⟨fun a b => a.v < b.v⟩\n"
        "@[obligation] theorem t (a b : N) (hPos : a < b) : a < b ∨ b < a := Or.inl hPos\n",
        shares="changed",
    ),
    Trick(
        "theorem-removed",
        "a locked theorem is removed, so that less is audited",
        RIGHT,
        4,
        "Locked and missing now: u:conclusion",
        before=RIGHT + "@[obligation] theorem u (n : Nat) : 0 ≤ n := by omega\n",
        shares="",
    ),
    Trick(
        "does-not-compile",
        "a source with an error",
        "theorem bad : 2 + 2 = 5 := rfl\n" + WRONG,
        3,
        "Demo/Basic.lean:3:",
        shares="",
    ),
)
