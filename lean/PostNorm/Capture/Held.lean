import PostNorm.Capture.Same
import PostNorm.Layers.MaskedSoftmax

/-! # Theorems about a graph in some of its inputs, with the others held fixed

A captured graph has its mask among its inputs, and a block of the library contains it.  They compute the same only
where that input is the mask; so the theorems about the graph are stated for the block's formula with that input
held fixed: in the directions that do not change it.

## Main definitions

* `Mask.entries`: a mask as numbers, one where a key is allowed and zero where not.
* `Context.slot`, `Context.among`: which input a coordinate belongs to; whether it is one of the given ones.
* `Env.leaving`: a tangent, or cotangent, without its part in some inputs.
* `Graph.DifferentiatesHolding`: forward mode and backprop, in the inputs that are not held.

## Main statements

* `Graph.Differentiated.holding`: theorems about a graph hold for the formula that it computes at held inputs. -/

namespace PostNorm
universe u
open Lean.Grind

/-- A mask as numbers: one where a key is allowed, zero where not. -/
def Mask.entries {R : Type u} [RealField R] {n m : Nat} (allowed : Mask n m) : Tensor R ⟦n, m⟧ := fun c =>
  if allowed c.1.2 c.2 then 1 else 0

/-- The number of the input that a coordinate belongs to. -/
def Context.slot : {Γ : Context} → Γ.Coord → Nat
  | _ :: _, .inl _ => 0
  | _ :: Γ, .inr c => Context.slot (Γ := Γ) c + 1

/-- Whether a coordinate belongs to one of the given inputs. -/
def Context.among {Γ : Context} (held : List Nat) (c : Γ.Coord) : Bool := held.contains (Context.slot c)

section
variable {R : Type u} [RealField R] {Γ : Context} {s : Shape}

/-- The inputs `ρ`, with the held ones taken from `fixed`. -/
def Env.holding (held : List Nat) (fixed ρ : Env R Γ) : Env R Γ := fun c =>
  bif Context.among held c then fixed c else ρ c

/-- A tangent without its part in some inputs. -/
def Env.without (h : Γ.Coord → Bool) (v : Env R Γ) : Env R Γ := fun c => bif h c then 0 else v c

theorem Env.without_linear (h : Γ.Coord → Bool) (c : Γ.Coord) : IsLinearForm fun v : Env R Γ => v.without h c := by
  unfold Env.without
  cases h c
  · exact IsLinearForm.proj c
  · exact IsLinearForm.zero

/-- A tangent without its part in some inputs, as a linear map. -/
noncomputable def Env.leaving (held : List Nat) : BoundedLinearMap R Γ.Coord Γ.Coord :=
  BoundedLinearMap.pi (fun v => Env.without (Context.among held) v) (Env.without_linear _)

/-- Leaving inputs out is its own adjoint. -/
theorem Env.dot_without : {Γ : Context} → (h : Γ.Coord → Bool) → (v d : Env R Γ) →
    (v.without h).dot d = v.dot (d.without h)
  | [], _, _, _ => rfl
  | s :: Γ, h, v, d => by
    have here : Tensor.dot (v.without h).head d.head = Tensor.dot v.head (d.without h).head := by
      show coordSum s _ = coordSum s _
      congr 1; funext c
      show (bif h (.inl c) then 0 else v (.inl c)) * d (.inl c) = v (.inl c) * bif h (.inl c) then 0 else d (.inl c)
      cases h (.inl c)
      · rfl
      · show 0 * d (.inl c) = v (.inl c) * 0
        grind
    have there := Env.dot_without (fun c => h (.inr c)) v.tail d.tail
    show Tensor.dot (v.without h).head d.head + (v.tail.without fun c => h (.inr c)).dot d.tail =
      Tensor.dot v.head (d.without h).head + v.tail.dot (d.tail.without fun c => h (.inr c))
    rw [here, there]

/-- Holding inputs fixed is differentiable: the derivative leaves them out. -/
theorem Env.hasFDerivAt_holding (held : List Nat) (fixed ρ : Env R Γ) :
    HasFDerivAt (fun ρ : Γ.Coord → R => Env.holding held fixed ρ) (Env.leaving held) ρ :=
  HasFDerivAt.pi fun c => by
    show HasScalarFDerivAt (fun ρ : Env R Γ => bif Context.among held c then fixed c else ρ c)
      (fun v => bif Context.among held c then 0 else v c) ρ
    cases Context.among held c
    · exact HasScalarFDerivAt.proj c
    · exact HasScalarFDerivAt.const (fixed c)

omit [RealField R] in
theorem Env.holding_self (held : List Nat) (ρ : Env R Γ) : ρ.holding held ρ = ρ := by
  funext c
  unfold Env.holding
  cases Context.among held c <;> rfl

/-- The theorems about a graph at a point, for the formula that it computes wherever some inputs are as at this point.
With these inputs held fixed, forward mode is the formula's Fréchet derivative, backprop is the adjoint of that, and
there is no other adjoint of any derivative of it. -/
structure Graph.DifferentiatesHolding (held : List Nat) (g : Graph R Γ s) (formula : Env R Γ → Tensor R s)
    (ρ : Env R Γ) : Prop where
  /-- The graph computes the formula, at every input where the held ones are as at `ρ`. -/
  eval_eq : ∀ σ, g.eval (ρ.holding held σ) = formula σ
  /-- In the directions that do not change the held inputs, forward mode is the formula's Fréchet derivative. -/
  hasFDerivAt : HasFDerivAt (fun ρ : Γ.Coord → R => formula ρ) ((g.deriv ρ).comp (Env.leaving held)) ρ
  /-- Backprop, except for the held inputs, is the adjoint of the formula's Fréchet derivative. -/
  backprop_eq_adjoint_fderiv : ∀ δ,
    (g.backprop ρ δ).without (Context.among held) = (fderiv (fun ρ : Env R Γ => formula ρ) ρ).adjoint δ
  /-- It is the only adjoint of the only derivative. -/
  backprop_unique : ∀ {L : BoundedLinearMap R Γ.Coord s.Coord},
    HasFDerivAt (fun ρ : Γ.Coord → R => formula ρ) L ρ → ∀ {A : Tensor R s → Env R Γ},
    (∀ v δ, Tensor.dot (L v) δ = Env.dot v (A δ)) → ∀ δ, A δ = (g.backprop ρ δ).without (Context.among held)

/-- Theorems about a graph hold, in the inputs that are not held, for the formula that it computes where the others
are as at `ρ`. -/
theorem Graph.Differentiated.holding {g : Graph R Γ s} {formula : Env R Γ → Tensor R s} {ρ : Env R Γ}
    (d : g.Differentiated ρ) (held : List Nat) (h : ∀ σ, g.eval (ρ.holding held σ) = formula σ) :
    g.DifferentiatesHolding held formula ρ := by
  have hasFDerivAt : HasFDerivAt (fun ρ : Γ.Coord → R => formula ρ) ((g.deriv ρ).comp (Env.leaving held)) ρ := by
    have e : (fun σ : Env R Γ => g.eval (ρ.holding held σ)) = formula := funext h
    rw [← e]
    refine HasFDerivAt.comp (Env.hasFDerivAt_holding held ρ ρ) ?_
    rw [Env.holding_self]
    exact d.hasFDerivAt
  have adjoint : ∀ v δ, Tensor.dot (((g.deriv ρ).comp (Env.leaving held)) v) δ =
      Env.dot v ((g.backprop ρ δ).without (Context.among held)) := fun v δ => by
    show Tensor.dot (g.deriv ρ (Env.without (Context.among held) v)) δ = _
    rw [(g.deriv ρ).dot_adjoint, ← g.backprop_eq_adjoint_deriv, Env.dot_without]
  refine ⟨h, hasFDerivAt, fun δ => ?_, fun {L} hL {A} hA δ => ?_⟩
  · rw [hasFDerivAt.fderiv]
    exact BoundedLinearMap.adjoint_unique _ adjoint δ
  · rw [L.adjoint_unique hA, ← hL.fderiv, hasFDerivAt.fderiv]
    exact (BoundedLinearMap.adjoint_unique _ adjoint δ).symm

end

namespace Capture
variable {R : Type u} [RealField R]

/-- Keeping some entries is multiplying by the mask as numbers. -/
theorem selected {s t : Shape} {allowed : s.Coord → Bool} {x y : Tensor R s} {mask : Tensor R t}
    (f : s.Coord → t.Coord) (hx : ∀ c, x c = (if allowed c then some c else none : Option s.Coord).elim 0 y)
    (hm : ∀ c, mask (f c) = if allowed c then 1 else 0) (c : s.Coord) : x c = times (y c) (mask (f c)) := by
  rw [hx, hm]
  show _ = y c * _
  cases allowed c
  · show (0 : R) = y c * 0
    grind
  · show y c = y c * 1
    grind

end Capture
end PostNorm
