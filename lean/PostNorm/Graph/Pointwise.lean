import PostNorm.Graph.Op

/-! # Pointwise primitives: a function of one number, applied to every entry

## Main definitions

* `Primitive.pointwise`: the primitive of a function of one number and its derivative. -/

namespace PostNorm
universe u
open Lean.Grind

theorem HasDerivAt.congr {R : Type u} [RealField R] {f : R → R} {d e x : R} (h : HasDerivAt f d x) (hde : d = e) :
    HasDerivAt f e x := hde ▸ h

/-- Apply a function of one number to every entry.  `deriv k x h` is the derivative at `x`, applied to `h`. -/
def Primitive.pointwise {s : Shape} (constants : Nat) (name : String)
    (eval : {α : Type u} → [Scalar α] → (Fin constants → α) → (x : α) → α)
    (deriv : {α : Type u} → [Scalar α] → (Fin constants → α) → (x h : α) → α)
    (domain : {R : Type u} → [RealField R] → (Fin constants → R) → (x : R) → Prop := fun _ _ => True)
    (linear : ∀ {R : Type u} [RealField R] (k : Fin constants → R) (x h : R), deriv k x h = deriv k x 1 * h)
    (derivative : ∀ {R : Type u} [RealField R] (k : Fin constants → R) (x : R), domain k x →
      HasDerivAt (eval k) (deriv k x 1) x) :
    Primitive.{u} constants [s] s where
  name
  eval k a := fun c => eval k (a.get .here c)
  jvp k a da := fun c => deriv k (a.get .here c) (da.get .here c)
  vjp k a d := env![fun c => deriv k (a.get .here c) (d c)]
  domain k a := ∀ c, domain k (a.get .here c)
  adjoint k a da d := by
    rw [Env.dot_one]
    refine Tensor.dot_congr fun c => ?_
    have e1 := linear k (a.get .here c) (da.get .here c)
    have e2 := linear k (a.get .here c) (d c)
    show deriv k (a.get .here c) (da.get .here c) * d c = da.get .here c * deriv k (a.get .here c) (d c)
    rw [e1, e2]
    grind
  derivative k a ok c :=
    (HasScalarFDerivAt.comp (derivative k _ (ok c)) (HasScalarFDerivAt.proj (Idx.inj .here c))).congr fun da =>
      (linear k (a.get .here c) (da (Idx.inj .here c))).symm

end PostNorm
