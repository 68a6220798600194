import PostNorm.Calculus.Linear

/-! # The chain rule

## Main definitions

* `BoundedLinearMap.comp`: composition.

## Main statements

* `HasFDerivAt.comp`: the chain rule.
* `HasScalarFDerivAt.comp`: the chain rule for a scalar function after a scalar-valued one. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R]

variable {ι : Type v} {κ : Type w} {μ : Type v}

/-- Composition of bounded linear maps. -/
def BoundedLinearMap.comp (G : BoundedLinearMap R κ μ) (F : BoundedLinearMap R ι κ) :
    BoundedLinearMap R ι μ where
  toFun h := G (F h)
  map_add x y k := by
    have : F (fun i => x i + y i) = fun k => F x k + F y k := funext fun k => F.map_add x y k
    rw [this, G.map_add]
  map_smul c x k := by
    have : F (fun i => c * x i) = fun k => c * F x k := funext fun k => F.map_smul c x k
    rw [this, G.map_smul]
  bounded := by
    obtain ⟨CF, hF0, hF⟩ := F.bounded
    obtain ⟨CG, hG0, hG⟩ := G.bounded
    refine ⟨CG * CF, mul_nonneg hG0 hF0, fun r h h0 hb => ?_⟩
    have := hG _ _ (mul_nonneg hF0 h0) (hF _ _ h0 hb)
    rw [Lean.Grind.Semiring.mul_assoc]; exact this

/-- **The chain rule.** -/
theorem HasFDerivAt.comp {f : (ι → R) → κ → R} {g : (κ → R) → μ → R} {F : BoundedLinearMap R ι κ}
    {G : BoundedLinearMap R κ μ} {x : ι → R} (hf : HasFDerivAt f F x) (hg : HasFDerivAt g G (f x)) :
    HasFDerivAt (fun x => g (f x)) (G.comp F) x := by
  intro ε hε
  obtain ⟨CF, hF0, hF⟩ := F.bounded
  obtain ⟨CG, hG0, hG⟩ := G.bounded
  -- error budgets
  have he1 : 0 < ε / (2 * (CG + 1)) := div_pos hε (by grind)
  obtain ⟨d1, hd1, h1⟩ := hf _ he1
  generalize hε1 : ε / (2 * (CG + 1)) = ε1 at he1 h1
  have hK : 0 < CF + ε1 := by grind
  have he2 : 0 < ε / (2 * (CF + ε1)) := div_pos hε (by grind)
  obtain ⟨d2, hd2, h2⟩ := hg _ he2
  generalize hε2 : ε / (2 * (CF + ε1)) = ε2 at he2 h2
  have hd2' : 0 < d2 / (CF + ε1) := div_pos hd2 hK
  obtain ⟨d, hd, hdd1, hdd2⟩ := exists_pos_le_both hd1 hd2'
  have k1 : ε1 * (2 * (CG + 1)) = ε := by grind
  have k2 : ε2 * (2 * (CF + ε1)) = ε := by grind
  refine ⟨d, hd, fun r h0 hr h hb k => ?_⟩
  have e1 := h1 r h0 (by grind) h hb
  -- the increment of `f`
  have eΔ : Ball ((CF + ε1) * r) (fun j => f (fun i => x i + h i) j - f x j) := by
    intro j
    have a1 := e1 j
    have a2 := hF r h h0 hb j
    have := a1.add a2
    grind
  have hΔ0 : 0 ≤ (CF + ε1) * r := mul_nonneg (by grind) h0
  have hΔd : (CF + ε1) * r ≤ d2 := by
    have := (le_div_iff hK).1 (show r ≤ d2 / (CF + ε1) by grind)
    grind
  have e2 := h2 _ hΔ0 hΔd _ eΔ k
  have hy : (fun j => f x j + (f (fun i => x i + h i) j - f x j)) = f (fun i => x i + h i) :=
    funext fun j => by grind
  have e3 := hG _ _ (mul_nonneg (by grind) h0) e1 k
  simp only [hy] at e2
  rw [G.map_sub (fun j => f (fun i => x i + h i) j - f x j) (F h) k] at e3
  show Within _ (g _ k - g (f x) k - G (F h) k)
  have s := e2.add e3
  have hr1 : ε2 * ((CF + ε1) * r) + CG * (ε1 * r) ≤ ε * r := by
    have t1 : ε2 * ((CF + ε1) * r) = ε / 2 * r := by grind
    have t2 : 0 ≤ ε1 * r := mul_nonneg (by grind) h0
    have t3 : CG * (ε1 * r) + ε1 * r = ε / 2 * r := by grind
    have t4 : ε / 2 * r + ε / 2 * r = ε * r := by grind
    grind
  have s' := s.mono hr1
  grind

variable {f F : (ι → R) → R} {x : ι → R}

/-- The chain rule for `φ ∘ f` with a scalar function `φ`. -/
theorem HasScalarFDerivAt.comp {φ : R → R} {d : R} (hφ : HasDerivAt φ d (f x)) (hf : HasScalarFDerivAt f F x) :
    HasScalarFDerivAt (fun x => φ (f x)) (fun h => d * F h) x :=
  (hf.hasFDerivAt.comp hφ.hasFDerivAt).hasScalarFDerivAt PUnit.unit

/-- A function of one number is differentiable if it is as a function of one coordinate. -/
theorem HasScalarFDerivAt.hasDerivAt {φ : R → R} {d a : R}
    (h : HasScalarFDerivAt (fun x : Unit → R => φ (x ())) (fun v => d * v ()) fun _ => a) :
    HasDerivAt φ d a := fun ε hε =>
  let ⟨δ, h1, h2⟩ := h.small ε hε
  ⟨δ, h1, fun r h0 hr t ht => h2 r h0 hr (fun _ => t) fun _ => ht⟩

/-- A function of one number as a function of one coordinate. -/
theorem HasDerivAt.hasScalarFDerivAt {φ : R → R} {d a : R} (h : HasDerivAt φ d a) :
    HasScalarFDerivAt (fun x : Unit → R => φ (x ())) (fun v => d * v ()) fun _ => a :=
  (HasDerivAt.hasFDerivAt.{u, 0} h).hasScalarFDerivAt ()

end PostNorm
