import PostNorm.Field

/-! # The Fréchet derivative, by balls

Spaces are `ι → R` with the norm `max |x i|`; a ball of radius `r` is the set of `h` with `|h i| ≤ r` for all `i`.
Written with balls, nothing needs a norm to exist, and `ι` may be any type.

## Main definitions

* `Ball r h`: every coordinate of `h` is within `r`.
* `BoundedLinearMap R ι κ`: linear maps `(ι → R) → (κ → R)` that are bounded.
* `HasFDerivAt f L x`: the bounded linear map `L` is the Fréchet derivative of `f` at `x`.
* `HasScalarFDerivAt f L x`: the same for scalar-valued `f`, with `L` a linear form.
* `HasDerivAt φ d a`: the number `d` is the derivative of `φ : R → R` at `a`. -/

namespace PostNorm
universe u v w
open RealField
open Lean.Grind (Semiring Field CommSemiring)

variable {R : Type u} [RealField R]

/-- Every coordinate of `h` is at most `r` in absolute value. -/
def Ball {ι : Type v} (r : R) (h : ι → R) : Prop := ∀ i, Within r (h i)

/-- A linear map between coordinate spaces that is bounded for the maximum norm. -/
structure BoundedLinearMap (R : Type u) [RealField R] (ι : Type v) (κ : Type w) where
  /-- The map itself. -/
  toFun : (ι → R) → κ → R
  map_add : ∀ x y k, toFun (fun i => x i + y i) k = toFun x k + toFun y k
  map_smul : ∀ c x k, toFun (fun i => c * x i) k = c * toFun x k
  bounded : ∃ C : R, 0 ≤ C ∧ ∀ r h, 0 ≤ r → Ball r h → Ball (C * r) (toFun h)

instance {ι : Type v} {κ : Type w} : CoeFun (BoundedLinearMap R ι κ) (fun _ => (ι → R) → κ → R) :=
  ⟨BoundedLinearMap.toFun⟩

attribute [pp_nodot] BoundedLinearMap.toFun

/-- Print the application of a bounded linear map as that of a function. -/
@[app_unexpander BoundedLinearMap.toFun] def unexpandToFun : Lean.PrettyPrinter.Unexpander
  | `($_ $L $xs*) => `($L $xs*)
  | `($_ $L) => `($L)
  | _ => throw ()

/-- The bounded linear map `L` is the Fréchet derivative of `f` at `x`: the error of
`f (x + h) ≈ f x + L h` is at most `ε r` for all `h` in the ball of radius `r`, once `r` is small. -/
def HasFDerivAt {ι : Type v} {κ : Type w} (f : (ι → R) → κ → R) (L : BoundedLinearMap R ι κ)
    (x : ι → R) : Prop :=
  ∀ ε : R, 0 < ε → ∃ δ : R, 0 < δ ∧ ∀ r : R, 0 ≤ r → r ≤ δ → ∀ h : ι → R, Ball r h →
    Ball (ε * r) (fun k => f (fun i => x i + h i) k - f x k - L h k)

/-- The number `d` is the derivative of `φ` at `a`. -/
def HasDerivAt (φ : R → R) (d : R) (a : R) : Prop :=
  ∀ ε : R, 0 < ε → ∃ δ : R, 0 < δ ∧ ∀ r : R, 0 ≤ r → r ≤ δ → ∀ h : R, Within r h →
    Within (ε * r) (φ (a + h) - φ a - d * h)

/-- A linear form that is bounded for the maximum norm. -/
structure IsLinearForm {ι : Type v} (L : (ι → R) → R) : Prop where
  add : ∀ x y, L (fun i => x i + y i) = L x + L y
  smul : ∀ c x, L (fun i => c * x i) = c * L x
  bounded : ∃ C : R, 0 ≤ C ∧ ∀ r h, 0 ≤ r → Ball r h → Within (C * r) (L h)

/-- The linear form `L` is the Fréchet derivative at `x` of the scalar-valued `f`. -/
structure HasScalarFDerivAt {ι : Type v} (f : (ι → R) → R) (L : (ι → R) → R) (x : ι → R) : Prop where
  linear : IsLinearForm L
  small : ∀ ε : R, 0 < ε → ∃ δ : R, 0 < δ ∧ ∀ r : R, 0 ≤ r → r ≤ δ → ∀ h : ι → R, Ball r h →
    Within (ε * r) (f (fun i => x i + h i) - f x - L h)

section
variable {ι : Type v} {κ : Type w}

@[ext] theorem BoundedLinearMap.ext {L M : BoundedLinearMap R ι κ} (h : ∀ x k, L x k = M x k) : L = M := by
  cases L; cases M
  congr 1
  exact funext fun x => funext fun k => h x k

/-- Linear maps respect differences. -/
theorem BoundedLinearMap.map_sub (F : BoundedLinearMap R ι κ) (x y : ι → R) (k : κ) :
    F (fun i => x i - y i) k = F x k - F y k := by
  have h1 := F.map_add (fun i => x i - y i) y k
  have h2 : (fun i => (x i - y i) + y i) = x := funext fun i => by grind
  rw [h2] at h1; grind

theorem HasScalarFDerivAt.congr {f F F' : (ι → R) → R} {x : ι → R} (hf : HasScalarFDerivAt f F x)
    (h : ∀ v, F v = F' v) : HasScalarFDerivAt f F' x := by
  have : F = F' := funext h
  subst this; exact hf

/-- Each coordinate of a differentiable function is differentiable. -/
theorem HasFDerivAt.hasScalarFDerivAt {ι : Type v} {κ : Type w} {f : (ι → R) → κ → R}
    {L : BoundedLinearMap R ι κ} {x : ι → R} (h : HasFDerivAt f L x) (k : κ) :
    HasScalarFDerivAt (fun x => f x k) (fun v => L v k) x where
  linear := ⟨fun x y => L.map_add x y k, fun c x => L.map_smul c x k, by
    obtain ⟨C, h0, h1⟩ := L.bounded
    exact ⟨C, h0, fun r h hr hb => h1 r h hr hb k⟩⟩
  small ε hε := by
    obtain ⟨δ, h1, h2⟩ := h ε hε
    exact ⟨δ, h1, fun r h0 hr h hb => h2 r h0 hr h hb k⟩

end
end PostNorm
