import Init

/-! Stands in for Mathlib, which cannot be had here: its names and signatures, and nothing of its proofs.  The terms
that theorems elaborate to have the same heads and arguments as with Mathlib. -/

universe u v w

/-- ℝ; here a rational number, since nobody computes with it. -/
structure Real where
  ofCauchy ::
  cauchy : Rat

notation "ℝ" => Real
notation "ℕ" => Nat
notation "ℤ" => Int
notation "ℚ" => Rat

class Preorder (α : Type u) extends LE α, LT α
class Lattice (α : Type u) extends Preorder α, Min α, Max α
class AddGroup (α : Type u) extends Add α, Neg α, Sub α
class AddCommMonoid (M : Type u) extends Add M, Zero M
class CommMonoid (M : Type u) extends Mul M, One M
class TopologicalSpace (α : Type u) where
  isOpen : (α → Prop) → Prop

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
instance : One ℝ := ⟨⟨1⟩⟩
instance : NatCast ℝ := ⟨fun n => ⟨n⟩⟩
instance : IntCast ℝ := ⟨fun n => ⟨n⟩⟩
instance (n : Nat) : OfNat ℝ n := ⟨⟨n⟩⟩
instance : OfScientific ℝ := ⟨fun m s e => ⟨OfScientific.ofScientific m s e⟩⟩
instance : HPow ℝ Nat ℝ := ⟨fun a n => ⟨a.cauchy ^ n⟩⟩
noncomputable instance : HPow ℝ ℝ ℝ := ⟨fun a _ => a⟩
instance instPreorder : Preorder ℝ where
noncomputable instance instLattice : Lattice ℝ where
  min a _ := a
  max a _ := a
instance instAddGroup : AddGroup ℝ where
instance instAddCommMonoid : AddCommMonoid ℝ where
instance instCommMonoid : CommMonoid ℝ where
instance instTopologicalSpace : TopologicalSpace ℝ := ⟨fun _ => True⟩
noncomputable instance decidableLT (a b : ℝ) : Decidable (a < b) := Classical.propDecidable _
noncomputable instance decidableLE (a b : ℝ) : Decidable (a ≤ b) := Classical.propDecidable _
noncomputable instance decidableEq : DecidableEq ℝ := fun _ _ => Classical.propDecidable _
opaque sqrt (x : ℝ) : ℝ := x
opaque exp (x : ℝ) : ℝ := x
opaque log (x : ℝ) : ℝ := x
opaque tanh (x : ℝ) : ℝ := x
opaque cosh (x : ℝ) : ℝ := x
opaque sinh (x : ℝ) : ℝ := x
opaque sin (x : ℝ) : ℝ := x
opaque cos (x : ℝ) : ℝ := x
opaque pi : ℝ := ⟨3⟩
end Real

def abs {α : Type u} [Lattice α] [AddGroup α] (a : α) : α := max a (-a)
macro:max atomic("|" noWs) a:term noWs "|" : term => `(abs $a)

class Norm (E : Type u) where
  norm : E → ℝ
macro:max atomic("‖" noWs) a:term noWs "‖" : term => `(Norm.norm $a)

structure Finset (α : Type u) where
  elems : List α

class Fintype (α : Type u) where
  elems : Finset α

instance (n : Nat) : Fintype (Fin n) := ⟨⟨List.finRange n⟩⟩

namespace Finset
instance {α : Type u} : Membership α (Finset α) := ⟨fun s a => a ∈ s.elems⟩
def univ {α : Type u} [Fintype α] : Finset α := Fintype.elems
def range (n : Nat) : Finset Nat := ⟨List.range n⟩
def Icc (a b : Nat) : Finset Nat := ⟨(List.range (b + 1)).filter (a ≤ ·)⟩
def card {α : Type u} (s : Finset α) : Nat := s.elems.length
def Nonempty {α : Type u} (s : Finset α) : Prop := ∃ x, x ∈ s
def sum {ι : Type u} {M : Type v} [AddCommMonoid M] (s : Finset ι) (f : ι → M) : M :=
  s.elems.foldr (fun i m => f i + m) 0
def prod {ι : Type u} {M : Type v} [CommMonoid M] (s : Finset ι) (f : ι → M) : M :=
  s.elems.foldr (fun i m => f i * m) 1
end Finset

def Fintype.card (α : Type u) [Fintype α] : Nat := (Finset.univ : Finset α).card

open Lean in
macro "∑ " x:ident ", " b:term : term => `(Finset.sum Finset.univ fun $x:ident => $b)
open Lean in
macro "∑ " x:ident " ∈ " s:term ", " b:term : term => `(Finset.sum $s fun $x:ident => $b)
open Lean in
macro "∏ " x:ident ", " b:term : term => `(Finset.prod Finset.univ fun $x:ident => $b)

instance Pi.instAdd {ι : Type u} {α : Type v} [Add α] : Add (ι → α) := ⟨fun f g i => f i + g i⟩
noncomputable instance Pi.norm {n : Nat} : Norm (Fin n → ℝ) := ⟨fun f => Finset.sum Finset.univ f⟩
noncomputable instance Real.norm : Norm ℝ := ⟨fun x => abs x⟩

def Set (α : Type u) := α → Prop
def setOf {α : Type u} (p : α → Prop) : Set α := p

namespace Set
protected def Mem {α : Type u} (s : Set α) (a : α) : Prop := s a
instance {α : Type u} : Membership α (Set α) := ⟨Set.Mem⟩
variable {α : Type u} [Preorder α]
def Icc (a b : α) : Set α := setOf fun x => a ≤ x ∧ x ≤ b
def Ioo (a b : α) : Set α := setOf fun x => a < x ∧ x < b
def Ici (a : α) : Set α := setOf fun x => a ≤ x
end Set

def Monotone {α : Type u} {β : Type v} [Preorder α] [Preorder β] (f : α → β) : Prop := ∀ ⦃a b⦄, a ≤ b → f a ≤ f b
def Antitone {α : Type u} {β : Type v} [Preorder α] [Preorder β] (f : α → β) : Prop := ∀ ⦃a b⦄, a ≤ b → f b ≤ f a
def ExistsUnique {α : Sort u} (p : α → Prop) : Prop := ∃ x, p x ∧ ∀ y, p y → y = x
open Lean in
macro "∃! " x:ident ", " b:term : term => `(ExistsUnique fun $x:ident => $b)

structure Continuous {α : Type u} {β : Type v} [TopologicalSpace α] [TopologicalSpace β] (f : α → β) : Prop where
  isOpen_preimage : ∀ s, TopologicalSpace.isOpen s → TopologicalSpace.isOpen fun x => s (f x)
opaque HasDerivAt (f : ℝ → ℝ) (f' x : ℝ) : Prop
opaque deriv (f : ℝ → ℝ) (x : ℝ) : ℝ := f x
opaque Int.floor (x : ℝ) : ℤ := x.cauchy.floor
def NNReal := { r : ℝ // 0 ≤ r }
def NNReal.toReal (r : NNReal) : ℝ := r.val
opaque sSup (s : Set ℝ) : ℝ := ⟨0⟩

def Fin.cons {n : Nat} {α : Fin (n + 1) → Type u} (x : α 0) (p : ∀ i : Fin n, α i.succ) : ∀ i, α i :=
  fun j => Fin.cases x p j
def Matrix.vecCons {α : Type u} {n : Nat} (h : α) (t : Fin n → α) : Fin (n + 1) → α := Fin.cons h t
def Matrix.vecEmpty {α : Type u} : Fin 0 → α := Fin.elim0
macro_rules
  | `(![]) => `(Matrix.vecEmpty)
syntax "![" term,* "]" : term
macro_rules
  | `(![$x]) => `(Matrix.vecCons $x Matrix.vecEmpty)
  | `(![$x, $y]) => `(Matrix.vecCons $x (Matrix.vecCons $y Matrix.vecEmpty))
  | `(![$x, $y, $z]) => `(Matrix.vecCons $x (Matrix.vecCons $y (Matrix.vecCons $z Matrix.vecEmpty)))

class DFunLike (F : Sort _) (α : outParam (Sort _)) (β : outParam <| α → Sort _) where
  coe : F → ∀ a : α, β a
structure Equiv (α : Sort _) (β : Sort _) where
  toFun : α → β
  invFun : β → α
instance Equiv.instFunLike {α : Sort u} {β : Sort v} : DFunLike (Equiv α β) α fun _ => β := ⟨Equiv.toFun⟩
protected def Equiv.refl (α : Sort _) : Equiv α α := ⟨id, id⟩

def Matrix (m : Type u) (n : Type v) (α : Type w) := m → n → α
def dotProduct {m : Type u} {α : Type v} [Fintype m] [Mul α] [AddCommMonoid α] (v w : m → α) : α :=
  Finset.sum Finset.univ fun i => v i * w i
infixl:72 " ⬝ᵥ " => dotProduct

namespace Matrix
variable {l : Type u} {m : Type u} {n : Type u} {α : Type w}
def of : Equiv (m → n → α) (Matrix m n α) := Equiv.refl _
def transpose (M : Matrix m n α) : Matrix n m α := DFunLike.coe of fun x y => M y x
def diag (A : Matrix n n α) (i : n) : α := A i i
def trace [Fintype n] [AddCommMonoid α] (A : Matrix n n α) : α := Finset.sum Finset.univ fun i => diag A i
def mulVec [Fintype n] [Mul α] [AddCommMonoid α] (M : Matrix m n α) (v : n → α) : m → α := fun i => M i ⬝ᵥ v
instance [Fintype m] [Mul α] [AddCommMonoid α] : HMul (Matrix l m α) (Matrix m n α) (Matrix l n α) :=
  ⟨fun M N i k => (fun j => M i j) ⬝ᵥ fun j => N j k⟩
instance [DecidableEq n] [Zero α] [One α] : One (Matrix n n α) := ⟨fun i j => if i = j then 1 else 0⟩
end Matrix
postfix:1024 "ᵀ" => Matrix.transpose
