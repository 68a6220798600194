import Init

/-! Stands in for Mathlib, which cannot be had here: its names and signatures, and nothing of its proofs.  The terms
that theorems elaborate to have the same heads and arguments as with Mathlib. -/

universe u v

/-- ℝ; here a rational number, since nobody computes with it. -/
structure Real where
  ofCauchy ::
  cauchy : Rat

notation "ℝ" => Real

class Lattice (α : Type u) extends LE α, LT α, Min α, Max α
class AddGroup (α : Type u) extends Add α, Neg α, Sub α
class AddCommMonoid (M : Type u) extends Add M, Zero M

namespace Real
instance : LE ℝ := ⟨fun a b => a.cauchy ≤ b.cauchy⟩
instance : LT ℝ := ⟨fun a b => a.cauchy < b.cauchy⟩
instance : Add ℝ := ⟨fun a b => ⟨a.cauchy + b.cauchy⟩⟩
instance : Sub ℝ := ⟨fun a b => ⟨a.cauchy - b.cauchy⟩⟩
instance : Mul ℝ := ⟨fun a b => ⟨a.cauchy * b.cauchy⟩⟩
instance : Div ℝ := ⟨fun a b => ⟨a.cauchy / b.cauchy⟩⟩
instance : Neg ℝ := ⟨fun a => ⟨-a.cauchy⟩⟩
instance : Inv ℝ := ⟨fun a => ⟨a.cauchy⁻¹⟩⟩
instance : Zero ℝ := ⟨⟨0⟩⟩
instance : NatCast ℝ := ⟨fun n => ⟨n⟩⟩
instance (n : Nat) : OfNat ℝ n := ⟨⟨n⟩⟩
instance : OfScientific ℝ := ⟨fun m s e => ⟨OfScientific.ofScientific m s e⟩⟩
instance : HPow ℝ Nat ℝ := ⟨fun a n => ⟨a.cauchy ^ n⟩⟩
noncomputable instance : HPow ℝ ℝ ℝ := ⟨fun a _ => a⟩
noncomputable instance instLattice : Lattice ℝ where
  min a _ := a
  max a _ := a
instance instAddGroup : AddGroup ℝ where
instance instAddCommMonoid : AddCommMonoid ℝ where
noncomputable instance decidableLT (a b : ℝ) : Decidable (a < b) := Classical.propDecidable _
noncomputable instance decidableLE (a b : ℝ) : Decidable (a ≤ b) := Classical.propDecidable _
noncomputable instance decidableEq : DecidableEq ℝ := fun _ _ => Classical.propDecidable _
opaque sqrt (x : ℝ) : ℝ := x
opaque exp (x : ℝ) : ℝ := x
opaque log (x : ℝ) : ℝ := x
opaque tanh (x : ℝ) : ℝ := x
opaque sin (x : ℝ) : ℝ := x
opaque cos (x : ℝ) : ℝ := x
opaque pi : ℝ := ⟨3⟩
end Real

def abs {α : Type u} [Lattice α] [AddGroup α] (a : α) : α := max a (-a)
macro:max atomic("|" noWs) a:term noWs "|" : term => `(abs $a)

structure Finset (α : Type u) where
  elems : List α

class Fintype (α : Type u) where
  elems : Finset α

instance (n : Nat) : Fintype (Fin n) := ⟨⟨List.finRange n⟩⟩

namespace Finset
def univ {α : Type u} [Fintype α] : Finset α := Fintype.elems
def range (n : Nat) : Finset Nat := ⟨List.range n⟩
def sum {ι : Type u} {M : Type v} [AddCommMonoid M] (s : Finset ι) (f : ι → M) : M :=
  s.elems.foldr (fun i m => f i + m) 0
end Finset

open Lean in
macro "∑ " x:ident ", " b:term : term => `(Finset.sum Finset.univ fun $x:ident => $b)
open Lean in
macro "∑ " x:ident " ∈ " s:term ", " b:term : term => `(Finset.sum $s fun $x:ident => $b)

def Matrix (m : Type u) (n : Type v) (α : Type _) := m → n → α
def dotProduct {m : Type u} {α : Type v} [Fintype m] [Mul α] [AddCommMonoid α] (v w : m → α) : α :=
  Finset.sum Finset.univ fun i => v i * w i
def Matrix.mulVec {m : Type u} {n : Type v} {α : Type _} [Fintype n] [Mul α] [AddCommMonoid α] (M : Matrix m n α)
    (v : n → α) : m → α := fun i => dotProduct (M i) v
