import PostNorm.Graph.Env

/-! # Operations: what each one computes, forward and backward

An operation is pure data, with its constants inside; it takes the type `K` of constants as a parameter.
Over numbers it can be evaluated, over named constants it can be printed.  A new operation is a new
constructor here, with its value, tangent and cotangents beside it, and one case in each of `Op.adjoint`
(`Graph.Adjoint`) and `Op.hasScalarFDerivAt` (`Graph.Derivative`).

## Main definitions

* `Unary`: pointwise functions of one argument; `Op`: operations on the values of a context.
* `Op.eval`, `Op.jvp`, `Op.vjp`: value; tangent of the result; cotangents of the inputs.
* `Op.exp`, `Op.sqrt`, `Op.transpose`, `Op.broadcastLast`, …: the names that graphs are written with. -/

namespace PostNorm
universe u v

/-- Pointwise functions of one argument. -/
inductive Unary (K : Type u) where
  /-- The exponential function. -/
  | exp
  /-- The square root of the positive part. -/
  | sqrt
  /-- The inverse. -/
  | inv
  /-- The hyperbolic tangent. -/
  | tanh
  /-- Multiplication by a constant. -/
  | scale (k : K)
  /-- Addition of a constant. -/
  | addConst (k : K)

/-- Operations on the values of a context. -/
inductive Op (K : Type u) : Context → Shape → Type u where
  /-- Apply a scalar function to every entry. -/
  | map {Γ : Context} {s : Shape} (f : Unary K) (i : Idx Γ s) : Op K Γ s
  /-- Entry by entry sum. -/
  | add {Γ : Context} {s : Shape} (i j : Idx Γ s) : Op K Γ s
  /-- Entry by entry difference. -/
  | sub {Γ : Context} {s : Shape} (i j : Idx Γ s) : Op K Γ s
  /-- Entry by entry product. -/
  | mul {Γ : Context} {s : Shape} (i j : Idx Γ s) : Op K Γ s
  /-- Matrix product over the last two axes, for every coordinate of the leading axes `s`. -/
  | matmul {Γ : Context} {s : Shape} {m k n : Nat} (i : Idx Γ (s ▹ m ▹ k)) (j : Idx Γ (s ▹ k ▹ n)) :
      Op K Γ (s ▹ m ▹ n)
  /-- Transpose, reshape or broadcast. -/
  | view {Γ : Context} {s t : Shape} (v : View s t) (i : Idx Γ s) : Op K Γ t
  /-- Sum over the last axis. -/
  | sum {Γ : Context} {s : Shape} {n : Nat} (i : Idx Γ (s ▹ n)) : Op K Γ s
  /-- Mean over the last axis. -/
  | mean {Γ : Context} {s : Shape} {n : Nat} (i : Idx Γ (s ▹ n)) : Op K Γ s

namespace Op
variable {K : Type u} {Γ : Context} {s : Shape} {m n : Nat}

/-- The exponential of every entry. -/
abbrev exp (i : Idx Γ s) : Op K Γ s := .map .exp i

/-- The square root of the positive part of every entry. -/
abbrev sqrt (i : Idx Γ s) : Op K Γ s := .map .sqrt i

/-- The inverse of every entry. -/
abbrev inv (i : Idx Γ s) : Op K Γ s := .map .inv i

/-- The hyperbolic tangent of every entry. -/
abbrev tanh (i : Idx Γ s) : Op K Γ s := .map .tanh i

/-- Multiply every entry by a constant. -/
abbrev scale (k : K) (i : Idx Γ s) : Op K Γ s := .map (.scale k) i

/-- Add a constant to every entry. -/
abbrev addConst (k : K) (i : Idx Γ s) : Op K Γ s := .map (.addConst k) i

/-- Swap the last two axes. -/
abbrev transpose (i : Idx Γ (s ▹ m ▹ n)) : Op K Γ (s ▹ n ▹ m) := .view .swap i

/-- Repeat along a new last axis of length `n`. -/
abbrev broadcastLast (n : Nat) (i : Idx Γ s) : Op K Γ (s ▹ n) := .view (.spread n) i

/-- Repeat a vector as each of `m` rows. -/
abbrev broadcastRows (m : Nat) (i : Idx Γ ⟦n⟧) : Op K Γ ⟦m, n⟧ := .view (.under n (.spread m)) i

end Op

/-! ## Value and derivatives -/

section semantics
variable {α : Type u} [Scalar α]

/-- The value of a pointwise function. -/
def Unary.eval : Unary α → α → α
  | .exp, x => Scalar.exp x
  | .sqrt, x => Scalar.sqrtClamp x
  | .inv, x => x⁻¹
  | .tanh, x => Scalar.tanh x
  | .scale k, x => k * x
  | .addConst k, x => x + k

/-- The derivative of a pointwise function at `x`, applied to `h`. -/
def Unary.deriv : Unary α → (x h : α) → α
  | .exp, x, h => Scalar.exp x * h
  | .sqrt, x, h => (Scalar.sqrtClamp x + Scalar.sqrtClamp x)⁻¹ * h
  | .inv, x, h => -(x⁻¹ * x⁻¹) * h
  | .tanh, x, h => h - Scalar.tanh x * Scalar.tanh x * h
  | .scale k, _, h => k * h
  | .addConst _, _, h => h

/-- The value of an operation. -/
def Op.eval {Γ : Context} {s : Shape} (ρ : Env α Γ) : Op α Γ s → Tensor α s
  | .map f i => fun c => f.eval (ρ.get i c)
  | .add i j => fun c => ρ.get i c + ρ.get j c
  | .sub i j => fun c => ρ.get i c - ρ.get j c
  | .mul i j => fun c => ρ.get i c * ρ.get j c
  | .matmul (k := k) i j => fun ((c, a), b) =>
      finSum k fun l => ρ.get i ((c, a), l) * ρ.get j ((c, l), b)
  | .view v i => fun c => ρ.get i (v.map c)
  | .sum (n := n) i => fun c => finSum n fun b => ρ.get i (c, b)
  | .mean (n := n) i => fun c => (Scalar.ofNat n)⁻¹ * finSum n fun b => ρ.get i (c, b)

/-- Forward derivative: the tangent of the result, from the tangents `dρ` of the inputs. -/
def Op.jvp {Γ : Context} {s : Shape} (ρ dρ : Env α Γ) : Op α Γ s → Tensor α s
  | .map f i => fun c => f.deriv (ρ.get i c) (dρ.get i c)
  | .add i j => fun c => dρ.get i c + dρ.get j c
  | .sub i j => fun c => dρ.get i c - dρ.get j c
  | .mul i j => fun c => dρ.get i c * ρ.get j c + ρ.get i c * dρ.get j c
  | .matmul (k := k) i j => fun ((c, a), b) =>
      finSum k fun l => dρ.get i ((c, a), l) * ρ.get j ((c, l), b) +
        ρ.get i ((c, a), l) * dρ.get j ((c, l), b)
  | .view v i => fun c => dρ.get i (v.map c)
  | .sum (n := n) i => fun c => finSum n fun b => dρ.get i (c, b)
  | .mean (n := n) i => fun c => (Scalar.ofNat n)⁻¹ * finSum n fun b => dρ.get i (c, b)

/-- Reverse derivative: cotangents of the inputs, from the cotangent `d` of the result. -/
def Op.vjp {Γ : Context} {s : Shape} (ρ : Env α Γ) (d : Tensor α s) : Op α Γ s → Env α Γ
  | .map f i => Env.single i fun c => f.deriv (ρ.get i c) (d c)
  | .add i j => (Env.single i d).add (Env.single j d)
  | .sub i j => (Env.single i d).add (Env.single j fun c => -d c)
  | .mul i j => (Env.single i fun c => d c * ρ.get j c).add (Env.single j fun c => d c * ρ.get i c)
  | .matmul (m := m) (n := n) i j =>
      (Env.single i fun ((c, a), l) => finSum n fun b => d ((c, a), b) * ρ.get j ((c, l), b)).add
      (Env.single j fun ((c, l), b) => finSum m fun a => d ((c, a), b) * ρ.get i ((c, a), l))
  | .view v i => Env.single i (v.push d)
  | .sum i => Env.single i fun (c, _) => d c
  | .mean (n := n) i => Env.single i fun (c, _) => (Scalar.ofNat n)⁻¹ * d c

end semantics

/-! ## Changing the constants -/

/-- Replace the constant of a pointwise function. -/
def Unary.mapConst {K : Type u} {L : Type v} (φ : K → L) : Unary K → Unary L
  | .exp => .exp
  | .sqrt => .sqrt
  | .inv => .inv
  | .tanh => .tanh
  | .scale k => .scale (φ k)
  | .addConst k => .addConst (φ k)

/-- Replace every constant of an operation. -/
def Op.mapConst {K : Type u} {L : Type v} (φ : K → L) {Γ : Context} {s : Shape} : Op K Γ s → Op L Γ s
  | .map f i => .map (f.mapConst φ) i
  | .add i j => .add i j
  | .sub i j => .sub i j
  | .mul i j => .mul i j
  | .matmul i j => .matmul i j
  | .view v i => .view v i
  | .sum i => .sum i
  | .mean i => .mean i

/-! ## Changing the arguments -/

variable {K : Type u}

/-- Replace every reference by the argument it stands for. -/
def Op.subst {Γ Δ : Context} (as : Args Γ Δ) {s : Shape} : Op K Δ s → Op K Γ s
  | .map f i => .map f (as.get i)
  | .add i j => .add (as.get i) (as.get j)
  | .sub i j => .sub (as.get i) (as.get j)
  | .mul i j => .mul (as.get i) (as.get j)
  | .matmul i j => .matmul (as.get i) (as.get j)
  | .view v i => .view v (as.get i)
  | .sum i => .sum (as.get i)
  | .mean i => .mean (as.get i)

section
variable {α : Type u} [Scalar α] {Γ Δ : Context} {s : Shape}

theorem Op.eval_subst (as : Args Γ Δ) (o : Op α Δ s) (ρ : Env α Γ) :
    (o.subst as).eval ρ = o.eval (as.pull ρ) := by
  cases o <;> simp only [Op.subst, Op.eval, Args.get_pull]

theorem Op.jvp_subst (as : Args Γ Δ) (o : Op α Δ s) (ρ dρ : Env α Γ) :
    (o.subst as).jvp ρ dρ = o.jvp (as.pull ρ) (as.pull dρ) := by
  cases o <;> simp only [Op.subst, Op.jvp, Args.get_pull]

end
end PostNorm
