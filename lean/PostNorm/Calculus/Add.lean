import PostNorm.Calculus.Linear

/-! # Derivatives of sums

## Main statements

* `HasFDerivAt.add`, `HasScalarFDerivAt.add`. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R]

variable {ι : Type v} {κ : Type w}

/-- The sum of two bounded linear maps. -/
def BoundedLinearMap.add (F G : BoundedLinearMap R ι κ) : BoundedLinearMap R ι κ where
  toFun h k := F h k + G h k
  map_add x y k := by rw [F.map_add, G.map_add]; grind
  map_smul c x k := by rw [F.map_smul, G.map_smul]; grind
  bounded := by
    obtain ⟨CF, hF0, hF⟩ := F.bounded
    obtain ⟨CG, hG0, hG⟩ := G.bounded
    refine ⟨CF + CG, by grind, fun r h h0 hb k => ?_⟩
    have := (hF _ _ h0 hb k).add (hG _ _ h0 hb k)
    rw [Lean.Grind.Semiring.right_distrib]; exact this

/-- The derivative of a sum is the sum of the derivatives. -/
theorem HasFDerivAt.add {f g : (ι → R) → κ → R} {F G : BoundedLinearMap R ι κ} {x : ι → R}
    (hf : HasFDerivAt f F x) (hg : HasFDerivAt g G x) :
    HasFDerivAt (fun x k => f x k + g x k) (F.add G) x := by
  intro ε hε
  obtain ⟨d1, hd1, h1⟩ := hf (ε/2) (by grind)
  obtain ⟨d2, hd2, h2⟩ := hg (ε/2) (by grind)
  obtain ⟨d, hd, hdd1, hdd2⟩ := exists_pos_le_both hd1 hd2
  refine ⟨d, hd, fun r h0 hr h hb k => ?_⟩
  have e1 := h1 r h0 (by grind) h hb k
  have e2 := h2 r h0 (by grind) h hb k
  show Within _ (f _ k + g _ k - (f x k + g x k) - (F h k + G h k))
  grind

variable {f g F G : (ι → R) → R} {x : ι → R}

theorem HasScalarFDerivAt.add (hf : HasScalarFDerivAt f F x) (hg : HasScalarFDerivAt g G x) :
    HasScalarFDerivAt (fun x => f x + g x) (fun h => F h + G h) x :=
  (hf.hasFDerivAt.add hg.hasFDerivAt).hasScalarFDerivAt ()

end PostNorm
