import PostNorm.Calculus.Defs

/-! # Derivatives of constants, coordinates and linear maps

## Main definitions

* `BoundedLinearMap.zero`, `BoundedLinearMap.reindex`: the zero map; reading off coordinates.

## Main statements

* `HasFDerivAt.const`, `HasFDerivAt.linear`, `HasScalarFDerivAt.const`, `HasScalarFDerivAt.proj`. -/

namespace PostNorm
universe u v w
open Lean.Grind (Semiring)

variable {R : Type u} [RealField R]

variable {ι : Type v} {κ : Type w}

/-- The zero map. -/
def BoundedLinearMap.zero : BoundedLinearMap R ι κ where
  toFun _ _ := 0
  map_add := by grind
  map_smul := by grind
  bounded := ⟨0, by grind, fun r h _ hb k => by
    have := Lean.Grind.Semiring.zero_mul r; grind⟩

/-- Reading off coordinates: `reindex σ h k = h (σ k)`. -/
def BoundedLinearMap.reindex (σ : κ → ι) : BoundedLinearMap R ι κ where
  toFun h k := h (σ k)
  map_add _ _ _ := rfl
  map_smul _ _ _ := rfl
  bounded := ⟨1, by grind, fun r h _ hb k => by
    rw [Lean.Grind.Semiring.one_mul]; exact hb (σ k)⟩

/-- A constant function has derivative zero. -/
theorem HasFDerivAt.const (c : κ → R) (x : ι → R) : HasFDerivAt (fun _ => c) BoundedLinearMap.zero x := by
  intro ε hε
  refine ⟨1, by grind, fun r h0 _ h _ k => ?_⟩
  have h1 := mul_nonneg (show 0 ≤ ε by grind) h0
  show Within _ (c k - c k - 0)
  grind

/-- A bounded linear map is its own derivative. -/
theorem HasFDerivAt.linear (L : BoundedLinearMap R ι κ) (x : ι → R) : HasFDerivAt L.toFun L x := by
  intro ε hε
  refine ⟨1, by grind, fun r h0 _ h _ k => ?_⟩
  have h1 := mul_nonneg (show 0 ≤ ε by grind) h0
  have h2 := L.map_add x h k
  show Within _ (L (fun i => x i + h i) k - L x k - L h k)
  grind

variable {x : ι → R}

theorem HasScalarFDerivAt.const (c : R) : HasScalarFDerivAt (fun _ => c) (fun _ : ι → R => 0) x :=
  (HasFDerivAt.const (fun _ => c) x).hasScalarFDerivAt ()

theorem HasScalarFDerivAt.proj (i : ι) : HasScalarFDerivAt (fun x => x i) (fun h => h i) x :=
  (HasFDerivAt.linear (BoundedLinearMap.reindex fun _ => i) x).hasScalarFDerivAt ()

theorem IsLinearForm.zero : IsLinearForm (fun _ : ι → R => (0:R)) :=
  (HasScalarFDerivAt.const (x := fun _ => 0) 0).linear

theorem IsLinearForm.proj (i : ι) : IsLinearForm (fun v : ι → R => v i) :=
  (HasScalarFDerivAt.proj (x := fun _ => 0) i).linear

/-- A linear form is its own derivative. -/
theorem IsLinearForm.hasScalarFDerivAt {L : (ι → R) → R} (h : IsLinearForm L) (x : ι → R) :
    HasScalarFDerivAt L L x := (HasFDerivAt.linear h.toMap x).hasScalarFDerivAt ()

/-- A linear form after a linear map. -/
theorem IsLinearForm.comp {L : (ι → R) → R} (h : IsLinearForm L) (F : BoundedLinearMap R κ ι) :
    IsLinearForm fun v => L (F v) where
  add x y := (congrArg L (funext (F.map_add x y))).trans (h.add _ _)
  smul c x := (congrArg L (funext (F.map_smul c x))).trans (h.smul _ _)
  bounded := by
    obtain ⟨C, h0, h1⟩ := h.bounded
    obtain ⟨D, h0', h2⟩ := F.bounded
    refine ⟨C * D, mul_nonneg h0 h0', fun r v hr hb => ?_⟩
    rw [Semiring.mul_assoc]
    exact h1 _ _ (mul_nonneg h0' hr) (h2 r v hr hb)

end PostNorm
