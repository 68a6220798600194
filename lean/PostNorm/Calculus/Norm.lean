import PostNorm.Calculus.Pi

/-! # The maximum norm, and the derivative by norms

The rest of this library uses balls.  This file defines the maximum norm, and shows that the two definitions of the
derivative agree.

## Main definitions

* `supNorm v`: the largest `abs (v i)`, and zero where there are no coordinates.

## Main statements

* `supNorm_le_iff`: `supNorm v ≤ r ↔ Ball r v` for `0 ≤ r`: balls are balls of this norm.
* `exists_supNorm_eq`: the largest value is attained.
* `supNorm_eq_zero_iff`, `supNorm_add_le`, `supNorm_smul`: it is a norm.
* `hasFDerivAt_iff_supNorm`: the derivative in its textbook form. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R] {ι : Type v} {κ : Type w}

/-- The largest of zero and the values of `f` on a list. -/
noncomputable def listMax (l : List ι) (f : ι → R) : R := l.foldr (fun i m => max (f i) m) 0

theorem listMax_nonneg (l : List ι) (f : ι → R) : 0 ≤ listMax l f := by
  induction l with
  | nil => show (0 : R) ≤ 0; grind
  | cons a l ih => exact Std.le_trans ih (le_max_right (f a) (listMax l f))

theorem le_listMax {l : List ι} {f : ι → R} {i : ι} (h : i ∈ l) : f i ≤ listMax l f := by
  induction l with
  | nil => exact absurd h List.not_mem_nil
  | cons a l ih =>
    rcases List.mem_cons.1 h with rfl | h
    · exact le_max_left (f i) (listMax l f)
    · exact Std.le_trans (ih h) (le_max_right (f a) (listMax l f))

theorem listMax_eq (l : List ι) (f : ι → R) : listMax l f = 0 ∨ ∃ i, listMax l f = f i := by
  induction l with
  | nil => exact .inl rfl
  | cons a l ih =>
    show max (f a) (listMax l f) = 0 ∨ ∃ i, max (f a) (listMax l f) = f i
    by_cases h : f a ≤ listMax l f
    · rw [max_eq_right h]; exact ih
    · exact .inr ⟨a, max_eq_left (by grind)⟩

variable [hι : FiniteIndex ι] [FiniteIndex κ]

/-- The maximum norm: the largest absolute value of a coordinate, and zero where there are no coordinates. -/
noncomputable def supNorm (v : ι → R) : R := listMax hι.exists_list.choose fun i => abs (v i)

theorem supNorm_nonneg (v : ι → R) : 0 ≤ supNorm v := listMax_nonneg _ _

/-- No coordinate is larger than the norm. -/
theorem abs_le_supNorm (v : ι → R) (i : ι) : abs (v i) ≤ supNorm v :=
  le_listMax (f := fun i => abs (v i)) (hι.exists_list.choose_spec i)

/-- The norm is the absolute value of a coordinate, if there is one. -/
theorem exists_supNorm_eq (v : ι → R) (i : ι) : ∃ j, supNorm v = abs (v j) := by
  rcases listMax_eq hι.exists_list.choose fun i => abs (v i) with h | h
  · have h1 := abs_le_supNorm v i
    have h2 := abs_nonneg (v i)
    exact ⟨i, by rw [show supNorm v = 0 from h] at h1 ⊢; grind⟩
  · exact h

/-- The balls of this library are the balls of the maximum norm. -/
theorem supNorm_le_iff {r : R} (hr : 0 ≤ r) (v : ι → R) : supNorm v ≤ r ↔ Ball r v := by
  constructor
  · exact fun h i => within_iff_abs_le.2 (Std.le_trans (abs_le_supNorm v i) h)
  · intro h
    rcases listMax_eq hι.exists_list.choose fun i => abs (v i) with e | ⟨i, e⟩
    · rw [show supNorm v = 0 from e]; exact hr
    · rw [show supNorm v = abs (v i) from e]; exact within_iff_abs_le.1 (h i)

theorem ball_supNorm (v : ι → R) : Ball (supNorm v) v :=
  (supNorm_le_iff (supNorm_nonneg v) v).1 (Std.le_refl _)

/-- Only zero has norm zero. -/
theorem supNorm_eq_zero_iff (v : ι → R) : supNorm v = 0 ↔ ∀ i, v i = 0 := by
  constructor
  · intro h i
    have := ball_supNorm v i
    rw [h] at this; grind
  · intro h
    have h1 := supNorm_nonneg v
    have h2 : supNorm v ≤ 0 := (supNorm_le_iff (Std.le_refl _) v).2 fun i => by
      rw [h i]; exact Within.zero (Std.le_refl _)
    clear h; grind

/-- The triangle inequality. -/
theorem supNorm_add_le (v w : ι → R) : supNorm (fun i => v i + w i) ≤ supNorm v + supNorm w := by
  have h1 := supNorm_nonneg v
  have h2 := supNorm_nonneg w
  exact (supNorm_le_iff (by grind) _).2 fun i => (ball_supNorm v i).add (ball_supNorm w i)

/-- The norm of a multiple. -/
theorem supNorm_smul (c : R) (v : ι → R) : supNorm (fun i => c * v i) = abs c * supNorm v := by
  have h0 := mul_nonneg (abs_nonneg c) (supNorm_nonneg v)
  have h1 : supNorm (fun i => c * v i) ≤ abs c * supNorm v :=
    (supNorm_le_iff h0 _).2 fun i => (Within.self_abs c).mul (ball_supNorm v i)
  have h2 : abs c * supNorm v ≤ supNorm fun i => c * v i := by
    rcases listMax_eq hι.exists_list.choose fun i => abs (v i) with e | ⟨i, e⟩
    · have := supNorm_nonneg fun i => c * v i
      rw [show supNorm v = 0 from e]; grind
    · rw [show supNorm v = abs (v i) from e, ← abs_mul]
      exact abs_le_supNorm (fun i => c * v i) i
  grind

/-- The derivative in its textbook form: the error of `f (x + h) ≈ f x + L h` is at most `ε ‖h‖` for small `h`. -/
theorem hasFDerivAt_iff_supNorm {f : (ι → R) → κ → R} {L : BoundedLinearMap R ι κ} {x : ι → R} :
    HasFDerivAt f L x ↔ ∀ ε : R, 0 < ε → ∃ δ : R, 0 < δ ∧ ∀ h : ι → R, supNorm h ≤ δ →
      supNorm (fun k => f (fun i => x i + h i) k - f x k - L h k) ≤ ε * supNorm h := by
  constructor
  · intro hf ε hε
    obtain ⟨δ, hδ, H⟩ := hf ε hε
    exact ⟨δ, hδ, fun h hh => (supNorm_le_iff (mul_nonneg (Std.le_of_lt hε) (supNorm_nonneg h)) _).2
      (H _ (supNorm_nonneg h) hh h (ball_supNorm h))⟩
  · intro hf ε hε
    obtain ⟨δ, hδ, H⟩ := hf ε hε
    refine ⟨δ, hδ, fun r h0 hr h hb => ?_⟩
    have h1 := (supNorm_le_iff h0 h).2 hb
    exact (supNorm_le_iff (mul_nonneg (Std.le_of_lt hε) h0) _).1
      (Std.le_trans (H h (Std.le_trans h1 hr)) (mul_le_mul_left (Std.le_of_lt hε) h1))

end PostNorm
