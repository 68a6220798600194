import Mathlib
import PostNorm
import Obligations

/-! Definitions over numbers, exported as graphs; `tests/lean/test_export_graph.py` computes the same in Python.  What has
no operation is refused, with the words that stand here. -/

namespace Demo

/-! ### Numbers -/

section
variable {α : Type} [Add α] [Sub α] [Mul α]

def slope (w x y : α) : α := x * (w * x - y) + x * (w * x - y)
def step (eta w x y : α) : α := w - eta * slope w x y

end

#export_graph step (eta := 0.25)

noncomputable def smooth (x : ℝ) : ℝ :=
  let root := Real.sqrt (x ^ 2 + 1)
  root ^ 5 - Real.log (1 + Real.exp (-x)) / 3 + 2.5e-1 * Real.tanh x

#export_graph smooth

noncomputable def rates (eta x : ℝ) : ℝ := eta ^ 3 + x / eta - (1 - eta) * (x⁻¹ - eta) + (eta - 2) / 4

#export_graph rates (eta := -2.0)

/-! ### Functions of indices -/

noncomputable def softmax {n : Nat} (z : Fin n → ℝ) (i : Fin n) : ℝ := Real.exp (z i) / ∑ j, Real.exp (z j)

#export_graph softmax (n := 5)

noncomputable def layer {m n : Nat} (W : Matrix (Fin m) (Fin n) ℝ) (b : Fin m → ℝ) (x : Fin n → ℝ) : Fin m → ℝ :=
  fun i => Real.tanh (W.mulVec x i + b i)

noncomputable def twoLayers {m n : Nat} (V : Matrix (Fin n) (Fin m) ℝ) (W : Matrix (Fin m) (Fin n) ℝ) (b : Fin m → ℝ)
    (x : Fin n → ℝ) : Fin n → ℝ :=
  let h := layer W b x
  fun k => x k + softmax (V.mulVec h) k

#export_graph layer
#export_graph twoLayers (m := 4)

noncomputable def mean {n : Nat} (x : Fin n → ℝ) : ℝ := (∑ i, x i) / (n : ℝ)
noncomputable def variance {n : Nat} (x : Fin n → ℝ) : ℝ := mean fun i => (x i - mean x) ^ 2
noncomputable def standard {n : Nat} (eps : ℝ) (x : Fin n → ℝ) (i : Fin n) : ℝ :=
  (x i - mean x) / Real.sqrt (variance x + eps)
noncomputable def rows {m n : Nat} (eps : ℝ) (x : Fin m → Fin n → ℝ) : Fin m → Fin n → ℝ :=
  fun i => standard eps (x i)

section
variable {R : Type} [PostNorm.RealField R] {n m : Nat}

def scores (q k : Fin m → Fin n → R) (i j : Fin m) : R := PostNorm.tanh (PostNorm.finSum n fun d => q j d * k i d)
def ones (x : Fin n → R) (i : Fin n) : R := PostNorm.RealField.sqrt 4 + PostNorm.finSum n fun _ => x i

end

#export_graph rows (eps := 1e-5) (n := 4)
#export_graph scores (m := 2)
#export_graph ones

def corner (a : Fin 3 → Fin 3 → Rat) : Rat := a 0 2 - Fin.foldl 3 (fun total i => total + a i 1) 1 / 2

#export_graph corner

/-! ### What is refused -/

def clipped (x : Rat) : Rat := 2 * if x < 0 then 0 else x

/-- error: no graph of Demo.clipped: no operation computes ite, in Demo.clipped, line 74:
  if x < 0 then 0 else x -/
#guard_msgs in #export_graph clipped

opaque secret (x : Rat) : Rat
def calls (x : Rat) : Rat := x + secret x
def callsBelow (x : Rat) : Rat := calls (x * x)

/-- error: no graph of Demo.callsBelow: no operation computes Demo.secret, in Demo.calls, line 81:
  secret x -/
#guard_msgs in #export_graph callsBelow

noncomputable def wave (x : ℝ) : ℝ := Real.sin x

/-- error: no graph of Demo.wave: no operation computes Real.sin, in Demo.wave, line 88:
  x.sin -/
#guard_msgs in #export_graph wave

def diagonal {n : Nat} (a : Fin n → Fin n → Rat) (i : Fin n) : Rat := a i i

/-- error: no graph of Demo.diagonal: the index i occurs twice, in Demo.diagonal, line 94:
  a i i -/
#guard_msgs in #export_graph diagonal

def cut (a b : Nat) (x : Rat) : Rat := x * ((a - b : Nat) : Rat)
def natural (x : Fin 2 → Nat) : Nat := x 0

#export_graph cut (a := 5)

/-- error: no graph of Demo.natural: an argument of type Fin 2 → ℕ, in Demo.natural, line 101:
  x -/
#guard_msgs in #export_graph natural

def constant (c x : Rat) : Rat := x * x + (c - c * x ^ 0)
def nothing (c : Rat) : Rat := c

/-- error: Demo.constant does not depend on the number d -/
#guard_msgs in #export_graph constant (d := 2)

/-- error: no graph of Demo.nothing: none of its arguments is an input -/
#guard_msgs in #export_graph nothing (c := 2)

/-- error: Demo.step is exported already -/
#guard_msgs in #export_graph step

/-- error: n is a size: expected a natural number above 0 -/
#guard_msgs in #export_graph mean (n := 0.5)

instance (priority := high) strange : Add Rat := ⟨fun a b => a * b⟩
def product (a b : Rat) : Rat := a + b

/-- error: no graph of Demo.product: Demo.strange is not the usual instance of HAdd.hAdd, in Demo.product, line 125:
  a + b -/
#guard_msgs in #export_graph product

end Demo
