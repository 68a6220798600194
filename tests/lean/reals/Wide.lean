import Mathlib
import Obligations

/-! What people state over ℝ in the style of Mathlib.  The proofs are left out: what is judged is the statements. -/

namespace Wide
open Real

/-! ### Losses and activations -/

noncomputable def sigmoid (x : ℝ) : ℝ := 1 / (1 + exp (-x))
noncomputable def softplus (x : ℝ) : ℝ := Real.log (1 + Real.exp x)
noncomputable def huber (δ x : ℝ) : ℝ := if |x| ≤ δ then x ^ 2 / 2 else δ * (|x| - δ / 2)
noncomputable def relu (x : ℝ) : ℝ := max x 0

@[obligation] theorem sigmoid_neg (x : ℝ) : sigmoid (-x) = 1 - sigmoid x := by sorry
@[obligation] theorem sigmoid_mem (x : ℝ) (hx : x ∈ Set.Icc (-30) 30) : sigmoid x ∈ Set.Ioo (0 : ℝ) 1 := by sorry
@[obligation] theorem softplus_ge (x : ℝ) : relu x ≤ softplus x := by sorry
@[obligation] theorem log_cosh_le (x : ℝ) : Real.log (Real.cosh x) ≤ |x| := by sorry
@[obligation] theorem huber_nonneg {δ : ℝ} (x : ℝ) (hδ : 0 < δ) : 0 ≤ huber δ x := by sorry
@[obligation] theorem relu_lipschitz (x y : ℝ) : |relu x - relu y| ≤ |x - y| := by sorry
@[obligation] theorem relu_mono : Monotone relu := by sorry

/-- Wrong in a wedge. -/
noncomputable def dented (δ x : ℝ) : ℝ := if x ≤ δ then x ^ 2 else if x < δ + 1e-5 then -1 else 1
@[obligation] theorem dented_nonneg (δ x : ℝ) : 0 ≤ dented δ x := by sorry

/-! ### Quantifiers -/

@[obligation] theorem young (a b : ℝ) : ∀ ε > 0, a * b ≤ ε * a ^ 2 / 2 + b ^ 2 / (2 * ε) := by sorry
@[obligation] theorem chain {a b c d : ℝ} (hab : a ≤ b) (hbc : b < c) (hcd : c ≤ d) : a < d := by sorry
@[obligation] theorem two_mul_continuous (x : ℝ) : ∀ ε > 0, ∃ δ > 0, ∀ y, |y - x| < δ → |2 * y - 2 * x| < ε := by sorry
@[obligation] theorem exists_between (x y : ℝ) (h : x < y) : ∃ z, x < z ∧ z < y := by sorry
@[obligation] theorem exists_sqrt (a : ℝ) (ha : 0 ≤ a) : ∃ x, x ^ 2 = a ∧ 0 ≤ x := by sorry
@[obligation] theorem exists_unique_quotient (a b : ℝ) (ha : a ≠ 0) : ∃! x, a * x = b := by sorry
@[obligation] theorem exp_sub_one_pos (x : ℝ) : 0 < Real.exp x - 1 ↔ 0 < x := by sorry
@[obligation] theorem sq_lt_self (x : ℝ) (hx : x ∈ Set.Ioo (0 : ℝ) 1) : x ^ 2 < x := by sorry
@[obligation] theorem mono_le (f : ℝ → ℝ) (hf : Monotone f) (x : ℝ) (hx : 0 ≤ x) : f 0 ≤ f x := by sorry
@[obligation] theorem max_sub_min (a b : ℝ) : max a b - min a b = |a - b| := by sorry
@[obligation] theorem sqrt_eq_rpow (x : ℝ) (hx : 0 ≤ x) : x ^ (1 / 2 : ℝ) = Real.sqrt x := by sorry

/-! ### Sums -/

@[obligation] theorem cauchy_schwarz {n : ℕ} (x y : Fin n → ℝ) :
    (∑ i, x i * y i) ^ 2 ≤ (∑ i, x i ^ 2) * (∑ i, y i ^ 2) := by sorry
@[obligation] theorem am_gm (a b : ℝ) (ha : 0 ≤ a) (hb : 0 ≤ b) : Real.sqrt (a * b) ≤ (a + b) / 2 := by sorry
@[obligation] theorem log_sum_exp_ge {n : ℕ} (z : Fin n → ℝ) (i : Fin n) : z i ≤ Real.log (∑ j, Real.exp (z j)) := by sorry
@[obligation] theorem geom_sum (r : ℝ) (n : ℕ) (hr : r ≠ 1) : (∑ i ∈ Finset.range n, r ^ i) = (r ^ n - 1) / (r - 1) := by sorry
@[obligation] theorem weighted_le {ι : Type} (s : Finset ι) (w x : ι → ℝ) (c : ℝ) (hw : ∀ i ∈ s, 0 ≤ w i)
    (hSum : (∑ i ∈ s, w i) = 1) (hx : ∀ i ∈ s, x i ≤ c) : (∑ i ∈ s, w i * x i) ≤ c := by sorry
@[obligation] theorem prod_one_add {n : ℕ} (x : Fin n → ℝ) (hx : ∀ i, 0 ≤ x i) : 1 + (∑ i, x i) ≤ ∏ i, (1 + x i) := by sorry
@[obligation] theorem cos_schedule (t T : ℕ) (hT : 0 < T) : 0 ≤ (1 + Real.cos (Real.pi * t / T)) / 2 := by sorry

/-- A probability vector. -/
structure Prob (n : ℕ) where
  p : Fin n → ℝ
  nonneg : ∀ i, 0 ≤ p i
  sums : (∑ i, p i) = 1

@[obligation] theorem entropy_nonneg {n : ℕ} (P : Prob n) : 0 ≤ -∑ i, P.p i * Real.log (P.p i) := by sorry
@[obligation] theorem kl_nonneg {n : ℕ} (P Q : Prob n) (hQ : ∀ i, 0 < Q.p i) :
    0 ≤ ∑ i, P.p i * Real.log (P.p i / Q.p i) := by sorry

/-- Adam's settings. -/
structure Adam where
  β₁ : ℝ
  β₂ : ℝ
  ε : ℝ
  hβ₁ : 0 ≤ β₁ ∧ β₁ < 1
  hβ₂ : β₂ ∈ Set.Ioo (0 : ℝ) 1
  hε : 0 < ε

@[obligation] theorem adam_first (a : Adam) (g : ℝ) :
    |(1 - a.β₁) * g / (1 - a.β₁ ^ 1) / (Real.sqrt ((1 - a.β₂) * g ^ 2 / (1 - a.β₂ ^ 1)) + a.ε)| ≤ 1 := by sorry
@[obligation] theorem clip_norm_le {n : ℕ} (g : Fin n → ℝ) (c : ℝ) (hc : 0 < c) (i : Fin n) : |c / max c ‖g‖ * g i| ≤ c := by sorry
@[obligation] theorem norm_add_le {n : ℕ} (x y : Fin n → ℝ) : ‖x + y‖ ≤ ‖x‖ + ‖y‖ := by sorry
@[obligation] theorem norm_real (x : ℝ) : ‖x‖ = |x| := by sorry

/-! ### Matrices -/

@[obligation] theorem mulVec_mulVec {n : ℕ} (A B : Matrix (Fin n) (Fin n) ℝ) (v : Fin n → ℝ) :
    (A * B).mulVec v = A.mulVec (B.mulVec v) := by sorry
@[obligation] theorem transpose_mul {n : ℕ} (A B : Matrix (Fin n) (Fin n) ℝ) : (A * B)ᵀ = Bᵀ * Aᵀ := by sorry
@[obligation] theorem trace_mul_comm {n : ℕ} (A B : Matrix (Fin n) (Fin n) ℝ) : (A * B).trace = (B * A).trace := by sorry
@[obligation] theorem dot_two (a b c d : ℝ) : ![a, b] ⬝ᵥ ![c, d] = a * c + b * d := by sorry
@[obligation] theorem mulVec_nonneg {m n : ℕ} (A : Matrix (Fin m) (Fin n) ℝ) (v : Fin n → ℝ) (hA : ∀ i j, 0 ≤ A i j)
    (hv : ∀ j, 0 ≤ v j) (i : Fin m) : 0 ≤ A.mulVec v i := by sorry

/-! ### Outside: no way can judge these -/

@[obligation] theorem continuous_relu : Continuous relu := by sorry
@[obligation] theorem deriv_sq (x : ℝ) : HasDerivAt (fun y => y ^ 2) (2 * x) x := by sorry
@[obligation] theorem floor_le (x : ℝ) : (Int.floor x : ℝ) ≤ x := by sorry
@[obligation] theorem le_sSup (s : Set ℝ) (x : ℝ) (hx : x ∈ s) : x ≤ sSup s := by sorry
@[obligation] theorem nnreal_nonneg (r : NNReal) : 0 ≤ r.toReal := by sorry

end Wide
