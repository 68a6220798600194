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

/-- A coordinate of a bounded linear map is a linear form. -/
theorem BoundedLinearMap.isLinearForm (F : BoundedLinearMap R ι κ) (k : κ) : IsLinearForm fun v => F v k :=
  let ⟨C, h0, h1⟩ := F.bounded
  ⟨fun x y => F.map_add x y k, fun c x => F.map_smul c x k, C, h0, fun r h hr hb => h1 r h hr hb k⟩

/-- Each coordinate of a differentiable function is differentiable. -/
theorem HasFDerivAt.hasScalarFDerivAt {f : (ι → R) → κ → R} {L : BoundedLinearMap R ι κ} {x : ι → R}
    (h : HasFDerivAt f L x) (k : κ) : HasScalarFDerivAt (fun x => f x k) (fun v => L v k) x where
  linear := L.isLinearForm k
  small ε hε :=
    let ⟨δ, h1, h2⟩ := h ε hε
    ⟨δ, h1, fun r h0 hr h hb => h2 r h0 hr h hb k⟩

variable {f F : (ι → R) → R}

/-- A linear form as a linear map to one coordinate. -/
def IsLinearForm.toMap (h : IsLinearForm F) : BoundedLinearMap R ι Unit where
  toFun v _ := F v
  map_add x y _ := h.add x y
  map_smul c x _ := h.smul c x
  bounded :=
    let ⟨C, h0, h1⟩ := h.bounded
    ⟨C, h0, fun r v hr hb _ => h1 r v hr hb⟩

/-- A scalar-valued function as a function to one coordinate: so the rules for the latter imply those for the former. -/
theorem HasScalarFDerivAt.hasFDerivAt {x : ι → R} (h : HasScalarFDerivAt f F x) :
    HasFDerivAt (fun x (_ : Unit) => f x) h.linear.toMap x := fun ε hε =>
  let ⟨δ, h1, h2⟩ := h.small ε hε
  ⟨δ, h1, fun r h0 hr v hb _ => h2 r h0 hr v hb⟩

/-- Multiples of the one coordinate, as a linear map to one coordinate. -/
def BoundedLinearMap.mulLeft (d : R) : BoundedLinearMap R Unit PUnit.{v + 1} where
  toFun v _ := d * v ()
  map_add _ _ _ := by grind
  map_smul _ _ _ := by grind
  bounded := ⟨abs d, abs_nonneg d, fun _ _ _ hb _ => (Within.self_abs d).mul (hb ())⟩

/-- A function of one number as a function of one coordinate, to one coordinate. -/
theorem HasDerivAt.hasFDerivAt {φ : R → R} {d a : R} (h : HasDerivAt φ d a) :
    HasFDerivAt (fun x (_ : PUnit.{v + 1}) => φ (x ())) (BoundedLinearMap.mulLeft d) fun _ => a := fun ε hε =>
  let ⟨δ, h1, h2⟩ := h ε hε
  ⟨δ, h1, fun r h0 hr v hb _ => h2 r h0 hr (v ()) (hb ())⟩

end PostNorm
