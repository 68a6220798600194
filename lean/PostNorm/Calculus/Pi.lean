import PostNorm.Calculus.Linear

/-! # Derivatives coordinate by coordinate

A function into finitely many coordinates is differentiable if each coordinate is.

## Main definitions

* `FiniteIndex ι`: the type `ι` has finitely many elements.
* `BoundedLinearMap.pi`: the linear map with given coordinates.

## Main statements

* `HasFDerivAt.pi`. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R]

/-- A type with finitely many elements. -/
class FiniteIndex (ι : Type v) : Prop where
  exists_list : ∃ l : List ι, ∀ i, i ∈ l

instance {n : Nat} : FiniteIndex (Fin n) := ⟨List.finRange n, List.mem_finRange⟩

instance : FiniteIndex Empty := ⟨[], fun i => nomatch i⟩

instance {α : Type v} {β : Type w} [ha : FiniteIndex α] [hb : FiniteIndex β] : FiniteIndex (α × β) := by
  obtain ⟨la, h⟩ := ha.exists_list
  obtain ⟨lb, h'⟩ := hb.exists_list
  exact ⟨la.flatMap fun a => lb.map fun b => (a, b), fun (a, b) => by
    simp [List.mem_flatMap, h, h']⟩

instance {α : Type v} {β : Type w} [ha : FiniteIndex α] [hb : FiniteIndex β] : FiniteIndex (α ⊕ β) := by
  obtain ⟨la, h⟩ := ha.exists_list
  obtain ⟨lb, h'⟩ := hb.exists_list
  exact ⟨la.map .inl ++ lb.map .inr, fun i => by cases i <;> simp [h, h']⟩

instance : FiniteIndex Unit := ⟨[()], fun _ => List.mem_singleton.2 rfl⟩

/-- A property that holds for all small enough radii, separately at each of finitely many
indices, holds for all of them at one common radius. -/
theorem FiniteIndex.common_radius {ι : Type v} [hι : FiniteIndex ι] {P : ι → R → Prop}
    (mono : ∀ i d d', 0 < d' → d' ≤ d → P i d → P i d') (h : ∀ i, ∃ d, 0 < d ∧ P i d) :
    ∃ d, 0 < d ∧ ∀ i, P i d := by
  obtain ⟨l, hl⟩ := hι.exists_list
  have key : ∀ l : List ι, ∃ d, 0 < d ∧ ∀ i ∈ l, P i d := by
    intro l
    induction l with
    | nil => exact ⟨1, by grind, by simp⟩
    | cons a l ih =>
      obtain ⟨d1, h1, h2⟩ := ih
      obtain ⟨d2, h3, h4⟩ := h a
      obtain ⟨d, hd, k1, k2⟩ := exists_pos_le_both h1 h3
      refine ⟨d, hd, fun i hi => ?_⟩
      rcases List.mem_cons.1 hi with rfl | hi
      · exact mono _ _ _ hd k2 h4
      · exact mono _ _ _ hd k1 (h2 i hi)
  obtain ⟨d, h1, h2⟩ := key l
  exact ⟨d, h1, fun i => h2 i (hl i)⟩

/-- Finitely many bounds have a common bound. -/
theorem FiniteIndex.common_bound {ι : Type v} [hι : FiniteIndex ι] {P : ι → R → Prop}
    (mono : ∀ i C C', C ≤ C' → P i C → P i C') (h : ∀ i, ∃ C, 0 ≤ C ∧ P i C) :
    ∃ C, 0 ≤ C ∧ ∀ i, P i C := by
  obtain ⟨l, hl⟩ := hι.exists_list
  have key : ∀ l : List ι, ∃ d, 0 ≤ d ∧ ∀ i ∈ l, P i d := by
    intro l
    induction l with
    | nil => exact ⟨0, by grind, by simp⟩
    | cons a l ih =>
      obtain ⟨d1, h1, h2⟩ := ih
      obtain ⟨d2, h3, h4⟩ := h a
      refine ⟨d1 + d2, by grind, fun i hi => ?_⟩
      rcases List.mem_cons.1 hi with rfl | hi
      · exact mono _ _ _ (by grind) h4
      · exact mono _ _ _ (by grind) (h2 i hi)
  obtain ⟨d, h1, h2⟩ := key l
  exact ⟨d, h1, fun i => h2 i (hl i)⟩

/-- The linear map with given coordinates. -/
def BoundedLinearMap.pi {ι : Type v} {κ : Type w} [FiniteIndex κ] (F : (ι → R) → κ → R)
    (h : ∀ k, IsLinearForm fun v => F v k) : BoundedLinearMap R ι κ where
  toFun := F
  map_add x y k := (h k).add x y
  map_smul c x k := (h k).smul c x
  bounded := by
    have := FiniteIndex.common_bound (R := R) (ι := κ)
      (P := fun k C => ∀ r v, 0 ≤ r → Ball r v → Within (C * r) (F v k))
      (fun k C C' hC hP r v h0 hb => (hP r v h0 hb).mono (by
        have := mul_nonneg h0 (show 0 ≤ C' - C by grind)
        grind)) (fun k => (h k).bounded)
    obtain ⟨C, h1, h2⟩ := this
    exact ⟨C, h1, fun r v h0 hb k => h2 k r v h0 hb⟩

/-- A function is differentiable if each of its finitely many coordinates is. -/
theorem HasFDerivAt.pi {ι : Type v} {κ : Type w} [FiniteIndex κ] {f : (ι → R) → κ → R}
    {L : BoundedLinearMap R ι κ} {x : ι → R}
    (h : ∀ k, HasScalarFDerivAt (fun x => f x k) (fun v => L v k) x) :
    HasFDerivAt f L x := by
  intro ε hε
  have := FiniteIndex.common_radius (R := R) (ι := κ) (P := fun k δ => ∀ r : R, 0 ≤ r → r ≤ δ → ∀ h : ι → R,
    Ball r h → Within (ε * r) (f (fun i => x i + h i) k - f x k - L h k))
    (fun k d d' _ hd hP r h0 hr => hP r h0 (by grind)) (fun k => (h k).small ε hε)
  obtain ⟨δ, h1, h2⟩ := this
  exact ⟨δ, h1, fun r h0 hr h hb k => h2 k r h0 hr h hb⟩

end PostNorm
