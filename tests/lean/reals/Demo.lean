import Mathlib
import PostNorm
import Obligations

/-! Theorems about real numbers, over Mathlib's ℝ by its names, over any `RealField`, and over `PostNorm.Real`.  What is
measured is the statements; the proofs are left out. -/

namespace Demo

/-! ### Over ℝ -/

/-- The softmax of a vector. -/
noncomputable def softmax {n : Nat} (z : Fin n → ℝ) (i : Fin n) : ℝ := Real.exp (z i) / ∑ j, Real.exp (z j)

/-- Softmax sums to one. -/
@[obligation] theorem softmax_sum {n : Nat} (hn : 0 < n) (z : Fin n → ℝ) : (∑ i, softmax z i) = 1 := sorry

/-- A convex combination is not above a bound of all. -/
@[obligation] theorem convex_le {n : Nat} (p x : Fin n → ℝ) (c : ℝ) (hNonneg : ∀ i, 0 ≤ p i) (hSum : (∑ i, p i) = 1)
    (hLe : ∀ i, x i ≤ c) : (∑ i, p i * x i) ≤ c := sorry

/-- Roots grow. -/
@[obligation] theorem sqrt_lt (x y : ℝ) (hPos : 0 ≤ x) (hLt : x < y) : Real.sqrt x < Real.sqrt y := sorry

/-- The logarithm of a product. -/
@[obligation] theorem log_mul (x y : ℝ) (hx : x ≠ 0) (hy : y ≠ 0) : Real.log (x * y) = Real.log x + Real.log y := sorry

/-- Young's inequality at 2. -/
@[obligation] theorem young (a b : ℝ) : a * b ≤ a ^ 2 / 2 + b ^ 2 / 2 := sorry

/-- The triangle inequality. -/
@[obligation] theorem abs_add_le (a b : ℝ) : |a + b| ≤ |a| + |b| := sorry

/-- A step of gradient descent on a quadratic function shrinks the distance to the minimum. -/
@[obligation] theorem step_le (x η L : ℝ) (hη : 0 < η) (hL : 0 < L) (hSmall : η * L ≤ 2) : |x - η * (L * x)| ≤ |x| := sorry

/-- Wrong: it holds for 0 ≤ x only. -/
@[obligation] theorem wrong_sqrt (x : ℝ) : Real.sqrt (x * x) = x := sorry

/-- Wrong at x = 1 alone, which is the edge of the hypothesis. -/
@[obligation] theorem wrong_edge (x : ℝ) (hx : x ≤ 1) : x < 1 := sorry

/-- A matrix by a vector of ones has the row sums. -/
@[obligation] theorem mulVec_one {m n : Nat} (A : Matrix (Fin m) (Fin n) ℝ) (i : Fin m) :
    A.mulVec (fun _ => 1) i = ∑ j, A i j := sorry

/-- Settings of an optimiser. -/
structure Settings where
  rate : ℝ
  decay : ℝ
  rate_pos : 0 < rate
  decay_le : decay ≤ 1

/-- Weight decay shrinks. -/
@[obligation] theorem decay_abs_le (s : Settings) (w : ℝ) (hDecay : 0 ≤ s.decay) (hRate : s.rate ≤ 1) :
    |w - s.rate * s.decay * w| ≤ |w| := sorry

/-! By recursion and by `match`. -/

/-- The value of a polynomial. -/
noncomputable def horner (x : ℝ) : List ℝ → ℝ
  | [] => 0
  | c :: rest => c + x * horner x rest

/-- Without negative coefficients it is not negative on the right. -/
@[obligation] theorem horner_nonneg (x : ℝ) (cs : List ℝ) (hx : 0 ≤ x) (hc : ∀ c ∈ cs, 0 ≤ c) : 0 ≤ horner x cs := sorry

/-- A power. -/
noncomputable def power (x : ℝ) : Nat → ℝ
  | 0 => 1
  | n + 1 => x * power x n

/-- Wrong: for odd powers x must not be negative. -/
@[obligation] theorem wrong_power (x : ℝ) (n : Nat) : 0 ≤ power x n := sorry

/-- Nothing where the denominator is 0. -/
noncomputable def safeDiv (a b : ℝ) : Option ℝ := if b = 0 then none else some (a / b)

/-- What is there is the quotient; whether it is there differs between instances. -/
@[obligation] theorem safeDiv_mul (a b c : ℝ) (h : safeDiv a b = some c) : c * b = a := sorry

/-- An upper bound that there may be. -/
noncomputable def clampTo (top : Option ℝ) (x : ℝ) : ℝ :=
  match top with
  | none => x
  | some c => min c x

/-- It does not grow. -/
@[obligation] theorem clampTo_le (top : Option ℝ) (x : ℝ) : clampTo top x ≤ x := sorry

/-- Wrong where there is a bound. -/
@[obligation] theorem wrong_clamp (top : Option ℝ) (x : ℝ) : clampTo top x = x := sorry

/-- What a layer does to a number. -/
inductive Act where
  | relu
  | leaky (slope : ℝ)

noncomputable def Act.run : Act → ℝ → ℝ
  | .relu, x => max x 0
  | .leaky a, x => if x < 0 then a * x else x

/-- Slopes between 0 and 1. -/
def Act.Mild : Act → Prop
  | .relu => True
  | .leaky a => 0 ≤ a ∧ a ≤ 1

/-- It keeps the order. -/
@[obligation] theorem mild_le (a : Act) (x y : ℝ) (hMild : a.Mild) (hLe : x ≤ y) : a.run x ≤ a.run y := sorry

/-- Says nothing: it holds whatever is on the left. -/
@[obligation] theorem blind (x : ℝ) : x = x := sorry

/-- A proposition of the project's own that has no meaning in numbers. -/
opaque Secret (x : ℝ) : Prop
/-- Nobody can evaluate this. -/
@[obligation] theorem secret (x : ℝ) (hx : Secret x) : 0 ≤ x * x := sorry

/-- A sum that is none: over an instance of the project's own, `a + b` is `a - b`. -/
@[instance] def odd : Add ℝ := ⟨fun a b => a - b⟩
/-- Over the odd instance. -/
@[obligation] theorem odd_add (a b : ℝ) : @HAdd.hAdd ℝ ℝ ℝ (@instHAdd ℝ odd) a b = a - b := sorry

end Demo

/-! ### Over any `RealField`, and over the constructed real numbers -/

namespace PostNorm
open RealField Lean.Grind
attribute [local instance] Semiring.natCast
variable {R : Type} [RealField R]

/-- The mean of a vector. -/
noncomputable def average {n : Nat} (x : Fin n → R) : R := finSum n x / (n : R)

/-- The mean is not above a bound of all entries. -/
@[obligation] theorem average_le {n : Nat} (x : Fin n → R) (c : R) (hn : 0 < n) (hLe : ∀ i, x i ≤ c) :
    average x ≤ c := sorry

/-- tanh lies between −1 and 1. -/
@[obligation] theorem abs_tanh_le (x : R) : PostNorm.abs (PostNorm.tanh x) ≤ 1 := sorry


/-- Undecided where x is negative: the root is left open there. -/
@[obligation] theorem sqrt_le (x : R) : sqrt x * sqrt x ≤ (if 0 ≤ x then x else 0) := sorry

/-- Over the constructed numbers. -/
@[obligation] theorem exp_log_real (x : PostNorm.Real) (hx : 0 < x) : exp (PostNorm.log x) = x := sorry

end PostNorm
