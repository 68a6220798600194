import Obligations

/-! Theorems that say nothing, each in another way (`Empty.…`), and theorems that say something and look like them (`Honest.…`).  All
are proved; `tests/lean/test_vacuity.py` holds what an audit says of each. -/

namespace Demo

/-- A record that nobody can build. -/
structure Impossible where
  size : Nat
  small : size < 0

/-- The same, further in. -/
structure Wrapped where
  inner : Impossible
  more : Nat

/-- A law that no number obeys. -/
class Lawless (n : Nat) : Prop where
  law : n < n

/-- A law that no number obeys, with an instance that needs another one. -/
class Looping (n : Nat) : Prop where
  law : n < n

instance [h : Looping 1] : Looping 2 := absurd h.law (Nat.lt_irrefl 1)

/-- A law that holds. -/
class Lawful (n : Nat) : Prop where
  law : n < n + 1

instance (n : Nat) : Lawful n := ⟨Nat.lt_succ_self n⟩

/-- An enumeration without members. -/
inductive Nobody

/-- Two ways to be nobody. -/
inductive Either where
  | left (x : Nobody)
  | right (x : Impossible)

def Below (n : Nat) : Prop := n < n
def Deep (n : Nat) : Prop := Below n ∧ 0 < n
def Obvious : Prop := True
def Claim (n : Nat) : Prop := n = n
def Slots : Nat := 0
def Index : Type := Fin Slots
def Always (n : Nat) : Prop := 0 ≤ n ∨ Obvious
def Guarded : Prop := ∀ n : Nat, Below n → n = 7
def Positive (n : Nat) : Prop := 0 < n
def double (n : Nat) : Nat := n + n
@[irreducible] def Hidden : Prop := True

def agrees (x y : Nat) : Bool := x == y

namespace Empty
@[obligation] theorem finZero (i : Fin 0) : i.val = 7 := i.elim0
@[obligation] theorem empty (x : _root_.Empty) (n : Nat) : n = 7 := x.elim
@[obligation] theorem record (x : Impossible) : x.size = 7 := absurd x.small (Nat.not_lt_zero _)
@[obligation] theorem nested (x : Wrapped) : x.more = 7 := absurd x.inner.small (Nat.not_lt_zero _)
@[obligation] theorem field (x : { n : Nat // 0 < n }) : 0 < x.val := x.property
@[obligation] theorem afterwards (n : Nat) : 0 < n → 0 < n := id
@[obligation] theorem subtype (x : { _n : Nat // False }) : x.val = 7 := x.property.elim
@[obligation] theorem lawless (n : Nat) [h : Lawless n] : n = 7 := absurd h.law (Nat.lt_irrefl n)
@[obligation] theorem default [h : Inhabited Nobody] (n : Nat) : n = 7 := nomatch h.default
@[obligation] theorem chained (n : Nat) [h : Looping n] : n = 7 := absurd h.law (Nat.lt_irrefl n)
@[obligation] theorem cases (x : Either) (n : Nat) : n = 7 := by
  cases x with
  | left x => cases x
  | right x => exact absurd x.small (Nat.not_lt_zero _)
@[obligation] theorem alias (i : Index) (n : Nat) : n = 7 := Fin.elim0 i
@[obligation] theorem function (f : Nat → Fin 0) (n : Nat) : n = 7 := (f 0).elim0
@[obligation] theorem unfolded (n : Nat) (h : Below n) : n = 7 := absurd h (Nat.lt_irrefl n)
@[obligation] theorem twice (n : Nat) (h : Deep n) : n = 7 := absurd h.1 (Nat.lt_irrefl n)
@[obligation] theorem everywhere (n : Nat) (h : ∀ k : Nat, k < 5) : n = 7 := absurd (h 5) (Nat.lt_irrefl 5)
@[obligation] theorem somewhere (n : Nat) (h : ∃ k : Nat, Below k) : n = 7 := h.elim fun k hk => absurd hk (Nat.lt_irrefl k)
@[obligation] theorem together (n : Nat) (h : Positive n) (h' : n < 1) : n = 7 := by unfold Positive at h; omega
@[obligation] theorem apart (n : Nat) (i : Fin n) (h : n = Slots) : i.val = 7 := by subst h; exact Fin.elim0 i
@[obligation] theorem guarded : Guarded := fun n h => absurd h (Nat.lt_irrefl n)
@[obligation] theorem obvious (n : Nat) (_h : 0 < n) : Obvious := trivial
@[obligation] theorem hidden (n : Nat) (_h : 0 < n) : Hidden := by unfold Hidden; trivial
@[obligation] theorem orTrue (n : Nat) (_h : 0 < n) : n = 7 ∨ True := Or.inr trivial
@[obligation] theorem trueOr (n : Nat) (_h : 0 < n) : True ∨ n = 7 := Or.inl trivial
@[obligation] theorem toTrue (n : Nat) (_h : 0 < n) : n = 7 → True := fun _ => trivial
@[obligation] theorem refl (n : Nat) (_h : 0 < n) : double n = double n := rfl
@[obligation] theorem claim (n : Nat) (_h : 0 < n) : Claim (double n) := rfl
@[obligation] theorem both (n : Nat) (_h : 0 < n) : (∀ k : Nat, k = k) ∧ (n = 7 ∨ Obvious) := ⟨fun _ => rfl, Or.inr trivial⟩
@[obligation] theorem always (n : Nat) (_h : 0 < n) : Always n := Or.inr trivial
@[obligation] theorem exists_ (n : Nat) (_h : 0 < n) : ∃ k : Nat, k = k ∧ Obvious := ⟨n, rfl, trivial⟩
@[obligation] theorem notFalse (n : Nat) (_h : 0 < n) : ¬ (n = 7 ∧ False) := fun h => h.2
@[obligation] theorem excluded (n : Nat) (_h : 0 < n) : n = 7 ∨ ¬ n = 7 := Classical.em _
@[obligation] theorem itself (n : Nat) (h : 0 < n) : Positive n := h
@[obligation] theorem sameBool (n : Nat) : (n == n) = true := by simp
@[obligation] theorem sameOf {α : Type} [DecidableEq α] (x : α) : x == x := by simp
@[obligation] theorem notUnlike (x : Rat) : (x != x) = false := by simp
@[obligation] theorem decides (n : Nat) (_h : 0 < n) : decide (n = n) = true := by simp
@[obligation] theorem bothBool (n : Nat) (xs : List Nat) : (n == n && !(xs != xs)) = true := by simp
@[obligation] theorem turned (s : String) : true = (s == s) := by simp
@[obligation] theorem unfoldedBool (n : Nat) : agrees n n = true := by simp [agrees]
@[obligation] theorem unlike (n : Nat) (h : (n != n) = true) : n = 3 := by simp at h
@[obligation] theorem part (n : Nat) (h : 0 < n ∧ n < 5) : Positive n := h.1
@[obligation] theorem again (n : Nat) (h : 0 < n) (h' : n < 5) : n < 5 ∧ n = n ∧ 0 < n := ⟨h', rfl, h⟩
end Empty

namespace Honest
@[obligation] theorem index (n : Nat) (i : Fin n) : i.val < n := i.isLt
@[obligation] theorem three (i : Fin 3) (h : i.val ≠ 0) : 0 < i.val := Nat.pos_of_ne_zero h
@[obligation] theorem lawful (n : Nat) [h : Lawful n] : n < n + 1 := h.law
@[obligation] theorem computes (n : Nat) : double n = n + n := rfl
@[obligation] theorem differs (n : Nat) (h : Positive n) : n ≠ 0 := Nat.ne_of_gt h
@[obligation] theorem negation (n : Nat) : ¬ Below n := Nat.lt_irrefl n
@[obligation] theorem choice (n : Nat) : n = 0 ∨ Positive n := Nat.eq_zero_or_pos n
@[obligation] theorem least (n : Nat) : 0 ≤ double n := Nat.zero_le _
@[obligation] theorem same (n m : Nat) (h : double n = double m) : n = m := by unfold double at h; omega
@[obligation] theorem pair (x : Nat × Fin 2) (h : x.1 < x.2.val) : x.1 = 0 := by have := x.2.isLt; omega
@[obligation] theorem some_ (n : Nat) (h : ∃ k : Nat, n = double k) : n % 2 = 0 := by
  obtain ⟨k, hk⟩ := h; unfold double at hk; omega
@[obligation] theorem all (f : Nat → Nat) (h : ∀ k, f k < f (k + 1)) : f 0 < f 1 := h 0
@[obligation] theorem sameBool (n m : Nat) (h : n = m) : (n == m) = true := by simp [h]
@[obligation] theorem decides (n : Nat) (h : 0 < n) : decide (0 < n + n) = true := by simp; omega
@[obligation] theorem subtype (x : { n : Nat // 0 < n }) : x.val ≠ 0 := Nat.ne_of_gt x.property
@[obligation] theorem implies (n : Nat) : n < 3 → double n < 6 := by unfold double; omega
@[obligation] theorem iff_ (n : Nat) : Positive n ↔ n ≠ 0 := Nat.pos_iff_ne_zero
@[obligation] theorem more (n : Nat) (h : 0 < n ∧ n < 5) : 0 < n ∧ n ≠ 7 := ⟨h.1, by omega⟩
end Honest

end Demo
