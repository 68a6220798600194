import PostNorm.Graph.LayerTheorems
import PostNorm.Graph.Op.Gather
import PostNorm.Layers.Softmax

/-! # Softmax over the allowed entries: exact masks

A mask says which keys each query may attend to.  Softmax over these is what `−∞` at the others means: their
exponentials are zero, and they affect neither value nor derivative.  A query with no allowed key has no softmax: each
row must allow a key.

## Main definitions

* `Mask n m`; `Mask.all`, `Mask.causal`, `Mask.padding`, `Mask.window`, `Mask.both`.
* `softmaxOverGraph allowed`, `Spec.softmaxOver`, `softmaxOverLayer allowed`.

## Main statements

* `softmaxOver_eval`, `softmaxOver_hasFDerivAt`, `softmaxOver_backprop_eq_adjoint_fderiv`: where each row allows an
  entry, which is the operations' only side condition.
* `Mask.causal_allows`, `Mask.window_allows`, `Mask.padding_allows`: masks that allow a key in each row.
* `Spec.softmaxOver_all`: where everything is allowed it is softmax; `Spec.softmaxOver_forbidden`: a forbidden entry has
  weight zero; `Spec.softmaxOver_congr`: and its score is not read.

## Sources

* Vaswani et al., *Attention is all you need*, arXiv:1706.03762, section 3.2.3; PyTorch's `attn_mask`,
  `key_padding_mask` and `is_causal`. -/

namespace PostNorm
universe u
open RealField Lean.Grind

/-- Which of `m` keys each of `n` queries may attend to. -/
abbrev Mask (n m : Nat) : Type := Fin n → Fin m → Bool

namespace Mask
variable {n m : Nat}

/-- Every key. -/
def all : Mask n m := fun _ _ => true

/-- No key after the query. -/
def causal : Mask n m := fun i j => decide (j.val ≤ i.val)

/-- The keys that are not padding. -/
def padding (real : Fin m → Bool) : Mask n m := fun _ j => real j

/-- No key after the query, and only the last `w + 1` of the others: a sliding window. -/
def window (w : Nat) : Mask n m := fun i j => decide (j.val ≤ i.val) && decide (i.val ≤ j.val + w)

/-- What both masks allow. -/
def both (a b : Mask n m) : Mask n m := fun i j => a i j && b i j

/-- Every key is allowed, so one is, if there is any. -/
theorem all_allows (hKeys : 0 < m) (i : Fin n) : ∃ j, (all : Mask n m) i j = true := ⟨⟨0, hKeys⟩, rfl⟩

/-- Among its own tokens, each query may attend to itself. -/
theorem causal_allows (i : Fin n) : ∃ j, (causal : Mask n n) i j = true := ⟨i, decide_eq_true (Nat.le_refl _)⟩

/-- In a sliding window, each query may attend to itself. -/
theorem window_allows (w : Nat) (i : Fin n) : ∃ j, (window w : Mask n n) i j = true :=
  ⟨i, by simp [window]⟩

/-- If some token is not padding, then each query may attend to one. -/
theorem padding_allows {real : Fin m → Bool} (hReal : ∃ j, real j = true) (i : Fin n) :
    ∃ j, (padding real : Mask n m) i j = true := hReal

/-- If the first token is not padding, then each query may attend to a token that is neither later nor padding. -/
theorem causal_padding_allows {real : Fin n → Bool} (hFirst : ∀ i : Fin n, i.val = 0 → real i = true) (i : Fin n) :
    ∃ j, both causal (padding real) i j = true :=
  ⟨⟨0, i.pos⟩, by simp [both, causal, padding, hFirst]⟩

end Mask

/-- Softmax over the allowed entries of the last axis. -/
def softmaxOverGraph {K : Type u} {s : Shape} {n : Nat} (allowed : s.Coord → Fin n → Bool) :
    Graph K [s ▹ n] (s ▹ n) := graph! x =>
  let exp := .exp x
  let kept := .select (fun c : Shape.Coord (s ▹ n) => allowed c.1 c.2) exp
  let sum := .sum kept
  let inv := .inv sum
  let invBroadcast := .broadcastLast n inv
  let weights := .mul kept invBroadcast
  return weights

section
variable {R : Type u} [RealField R] {s : Shape} {n : Nat}

/-- Softmax of the allowed entries of a vector; the others have weight zero. -/
noncomputable def Spec.softmaxOver (allowed : Fin n → Bool) (z : Fin n → R) : Fin n → R := fun j =>
  (if allowed j then exp (z j) else 0) / finSum n fun i => if allowed i then exp (z i) else 0

/-- Where everything is allowed it is softmax. -/
theorem Spec.softmaxOver_all (z : Fin n → R) : Spec.softmaxOver (fun _ => true) z = Spec.softmax z := rfl

/-- A forbidden entry has weight zero. -/
theorem Spec.softmaxOver_forbidden {allowed : Fin n → Bool} {j : Fin n} (hForbidden : allowed j = false)
    (z : Fin n → R) : Spec.softmaxOver allowed z j = 0 := by
  unfold softmaxOver
  rw [hForbidden, if_neg nofun, Field.div_eq_mul_inv]
  grind

/-- The forbidden entries are not read. -/
theorem Spec.softmaxOver_congr {allowed : Fin n → Bool} {z z' : Fin n → R}
    (hAgree : ∀ j, allowed j = true → z j = z' j) : Spec.softmaxOver allowed z = Spec.softmaxOver allowed z' := by
  have e : (fun i => if allowed i then exp (z i) else 0) = fun i => if allowed i then exp (z' i) else 0 := by
    funext i
    split
    · rw [hAgree i (by assumption)]
    · rfl
  funext j
  show (fun i => if allowed i then exp (z i) else 0) j / _ = (fun i => if allowed i then exp (z' i) else 0) j / _
  rw [e]

/-- A sum of nonnegative numbers is positive exactly if one of them is. -/
theorem finSum_pos_of_exists (f : Fin n → R) (h : ∀ i, 0 ≤ f i) {k : Fin n} (hk : 0 < f k) : 0 < finSum n f := by
  have e : f = fun i => (if k = i then f i else 0) + if k = i then 0 else f i := by
    funext i
    split <;> grind
  have rest : 0 ≤ finSum n fun i => if k = i then 0 else f i :=
    finSum_nonneg n _ fun i => by
      split
      · grind
      · exact h i
  have total := (congrArg (finSum n) e).trans ((finSum_add n _ _).trans (congrArg (· + _) (finSum_ite n k f)))
  rw [total]
  clear e total h
  grind

/-- The sum of the allowed exponentials is zero exactly where nothing is allowed. -/
theorem finSum_allowed_ne_zero_iff (allowed : Fin n → Bool) (z : Fin n → R) :
    (finSum n fun i => if allowed i then exp (z i) else 0) ≠ 0 ↔ ∃ j, allowed j = true := by
  constructor
  · intro h
    refine Classical.byContradiction fun none => h ?_
    have e : (fun i => if allowed i then exp (z i) else 0) = fun _ => 0 := by
      funext i
      exact if_neg fun ok => none ⟨i, ok⟩
    rw [e, finSum_zero]
  · intro ⟨j, hj⟩
    refine pos_ne_zero (finSum_pos_of_exists _ (fun i => ?_) (k := j) ?_)
    · split
      · have := exp_pos (z i); grind
      · grind
    · rw [if_pos hj]
      exact exp_pos _

/-- Softmax over the allowed entries, with its formula.  It is smooth where each row allows an entry. -/
noncomputable def softmaxOverLayer (allowed : s.Coord → Fin n → Bool) : Layer R [s ▹ n] (s ▹ n) where
  graph := softmaxOverGraph allowed
  formula ρ := fun c : Shape.Coord (s ▹ n) => Spec.softmaxOver (allowed c.1) ((ρ.get .here).row c.1) c.2
  Smooth _ := ∀ c, ∃ j, allowed c j = true
  eval_eq ρ := by
    funext c
    graph_simp [softmaxOverGraph, Spec.softmaxOver, Field.div_eq_mul_inv]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [softmaxOverGraph]
    exact forall_congr' fun c => finSum_allowed_ne_zero_iff (allowed c) fun j => ρ.get .here (c, j)

end

variable {s : Shape} {n : Nat}

layer_theorems softmaxOver (allowed : s.Coord → Fin n → Bool) ρ where
  is "softmax over the allowed entries"
  smooth "each row allows an entry"
  layer softmaxOverLayer allowed
  graph softmaxOverGraph allowed
  formula fun c : Shape.Coord (s ▹ n) => Spec.softmaxOver (allowed c.1) ((ρ.get .here).row c.1) c.2
  inputs [s ▹ n]
  condition hKeyAllowed "each row allows an entry" : ∀ c, ∃ j, allowed c j = true
  proof hKeyAllowed

end PostNorm
