import PostNorm.Calculus.Pi

/-! # The derivative is unique

## Main definitions

* `fderiv f x`: the derivative of `f` at `x`, and zero where there is none.

## Main statements

* `HasFDerivAt.unique`, `HasFDerivAt.fderiv`; `HasDerivAt.unique`: that of a function of one number. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R]

/-- Every vector with finitely many coordinates lies in some ball. -/
theorem Ball.exists {ι : Type v} [FiniteIndex ι] (v : ι → R) : ∃ C : R, 0 < C ∧ Ball C v := by
  obtain ⟨C, h0, h⟩ := FiniteIndex.common_bound (R := R) (P := fun i C => Within C (v i))
    (fun i C C' hC hP => hP.mono hC) fun i => ⟨abs (v i), abs_nonneg _, Within.self_abs _⟩
  exact ⟨C + 1, by clear h; grind, fun i => (h i).mono (by clear h; grind)⟩

/-- The Fréchet derivative is unique. -/
theorem HasFDerivAt.unique {ι : Type v} {κ : Type w} [FiniteIndex ι] {f : (ι → R) → κ → R}
    {L M : BoundedLinearMap R ι κ} {x : ι → R} (hL : HasFDerivAt f L x) (hM : HasFDerivAt f M x)
    (v : ι → R) (k : κ) : L v k = M v k := by
  obtain ⟨C, hC, hv⟩ := Ball.exists v
  have key : ∀ ε : R, 0 < ε → Within ε (L v k - M v k) := by
    intro ε hε
    have he : 0 < ε / (2 * C) := div_pos hε (by clear hv; grind)
    obtain ⟨d1, hd1, h1⟩ := hL _ he
    obtain ⟨d2, hd2, h2⟩ := hM _ he
    obtain ⟨d, hd, hdd1, hdd2⟩ := exists_pos_le_both hd1 hd2
    have ht : 0 < d / C := div_pos hd hC
    have hb : Ball d fun i => d / C * v i := fun i => by
      have := (show Within (d / C) (d / C) by clear h1 h2 hv; grind).mul (hv i)
      have e : d / C * C = d := by clear h1 h2 hv; grind
      rw [e] at this; exact this
    have e1 := h1 d (by clear h1 h2 hv; grind) hdd1 _ hb k
    have e2 := h2 d (by clear h1 h2 hv; grind) hdd2 _ hb k
    simp only [L.map_smul, M.map_smul] at e1 e2
    clear h1 h2 hv hL hM hb
    generalize hs : d / C = t at *
    have hdt : d = t * C := by grind
    have s := e1.sub e2
    have k1 : ε / (2 * C) * d + ε / (2 * C) * d = ε * t := by grind
    rw [k1] at s
    generalize hw : L v k - M v k = a
    have k2 : Within (ε * t) (-(t * a)) := by
      have e : -(t * a) = -(t * L v k) + t * M v k := by grind
      rw [e]; clear hw; grind
    -- divide by `t`
    have hi := inv_pos ht
    have k3 := k2.neg.mul (show Within t⁻¹ t⁻¹ by grind)
    have k4 : ε * t * t⁻¹ = ε := by grind
    have k5 : -(-(t * a)) * t⁻¹ = a := by grind
    rw [k4, k5] at k3; exact k3
  have := eq_zero_of_within key
  clear key; grind

/-- The derivative of a function of one number is unique. -/
theorem HasDerivAt.unique {f : R → R} {d e x : R} (hd : HasDerivAt f d x) (he : HasDerivAt f e x) : d = e := by
  have h : d * 1 = e * 1 := (HasDerivAt.hasFDerivAt.{u, 0} hd).unique he.hasFDerivAt (fun _ => 1) ()
  grind

open Classical in
/-- The Fréchet derivative of `f` at `x`; zero where `f` has none. -/
noncomputable def fderiv {ι : Type v} {κ : Type w} (f : (ι → R) → κ → R) (x : ι → R) :
    BoundedLinearMap R ι κ :=
  if h : ∃ L, HasFDerivAt f L x then h.choose else BoundedLinearMap.zero

/-- Whatever is a derivative is *the* derivative. -/
theorem HasFDerivAt.fderiv {ι : Type v} {κ : Type w} [FiniteIndex ι] {f : (ι → R) → κ → R}
    {L : BoundedLinearMap R ι κ} {x : ι → R} (h : HasFDerivAt f L x) : fderiv f x = L := by
  have hx : ∃ L, HasFDerivAt f L x := ⟨L, h⟩
  unfold PostNorm.fderiv
  rw [dif_pos hx]
  exact BoundedLinearMap.ext fun v k => hx.choose_spec.unique h v k

end PostNorm
