import PostNorm.Capture.Placing
import PostNorm.Graph.Compose
import PostNorm.Graph.Op.Along
import PostNorm.Graph.Op.Log
import PostNorm.Graph.Op.NormalCdf
import PostNorm.Graph.Op.Relu
import PostNorm.Graph.Op.Sigmoid
import PostNorm.Graph.Operations

/-! # Side conditions by signs

The sign of every value in scope may be known: unknown, not negative, positive.  This discharges the side conditions
of square roots, inverses and logarithms in a flat graph, without lemmas about layers.  Conditions that signs do not
decide remain: a list of demands on values of the graph.

## Main definitions

* `Graph.Smooth g`: no side condition is left at any input.
* `Sign`, `Signs Γ`: what is known about one value; about all values in scope.
* `Remaining R Γ`: a demand on a value that signs do not decide.
* `Graph.Sound S g σ qs`: under the signs `S` and the demands `qs`, all side conditions of `g` hold, and its value
  has the sign `σ`.
* `Graph.Differentiated g ρ`: the theorems about a graph at a point.

## Main statements

* `Graph.Sound.letIn`, `Graph.Sound.letInAsks`: the rules of composition; those of operations are in `Capture/Rules`.
* `Graph.Sound.differentiated`, `Graph.Sound.smooth`. -/

namespace PostNorm
universe u
open RealField Lean.Grind

variable {R : Type u} [RealField R]

/-- The graph has no side conditions: they hold at every input. -/
def Graph.Smooth {Γ : Context} {s : Shape} (g : Graph R Γ s) : Prop := ∀ ρ, g.SideConditions ρ

/-- What is known about the sign of every entry of a value. -/
inductive Sign where
  /-- Unknown. -/
  | any
  /-- No entry is negative. -/
  | nonneg
  /-- Every entry is positive. -/
  | pos
  deriving Inhabited

/-- A number has the sign. -/
def Sign.Holds : Sign → R → Prop
  | .any, _ => True
  | .nonneg, x => 0 ≤ x
  | .pos, x => 0 < x

/-- Whether the first sign implies the second. -/
def Sign.atLeast : Sign → Sign → Bool
  | _, .any | .nonneg, .nonneg | .pos, .nonneg | .pos, .pos => true
  | _, _ => false

theorem Sign.Holds.weaken {σ τ : Sign} {x : R} (h : σ.atLeast τ = true) (hx : σ.Holds x) : τ.Holds x := by
  cases σ <;> cases τ <;> first | exact trivial | exact hx | exact Std.le_of_lt hx | exact absurd h (by decide)

/-- What is known about the signs of all values in scope. -/
inductive Signs : Context → Type where
  /-- No value is in scope. -/
  | nil : Signs []
  /-- One more value, in front. -/
  | cons {s : Shape} {Γ : Context} (σ : Sign) (S : Signs Γ) : Signs (s :: Γ)

/-- Nothing is known. -/
def Signs.any : (Γ : Context) → Signs Γ
  | [] => .nil
  | _ :: Γ => .cons .any (Signs.any Γ)

/-- What is known about one value. -/
def Signs.get : {Γ : Context} → {s : Shape} → Signs Γ → Idx Γ s → Sign
  | _, _, .cons σ _, .here => σ
  | _, _, .cons _ S, .there i => S.get i

/-- All values have their signs. -/
def Signs.Hold {Γ : Context} (S : Signs Γ) (ρ : Env R Γ) : Prop :=
  ∀ {s : Shape} (i : Idx Γ s) (c : s.Coord), (S.get i).Holds (ρ.get i c)

theorem Signs.any_hold {Γ : Context} (ρ : Env R Γ) : (Signs.any Γ).Hold ρ := by
  intro s i c
  have h : (Signs.any Γ).get i = .any := by
    induction i with
    | here => rfl
    | there i ih => exact ih (fun c => ρ (.inr c)) c
  rw [h]
  trivial

theorem Signs.Hold.cons {Γ : Context} {s : Shape} {S : Signs Γ} {ρ : Env R Γ} {σ : Sign} {t : Tensor R s}
    (h : S.Hold ρ) (ht : ∀ c, σ.Holds (t c)) : (Signs.cons σ S).Hold (Env.cons t ρ) := by
  intro s' i c
  cases i with
  | here => exact ht c
  | there i => exact h i c

/-! ## Conditions that signs do not decide -/

/-- A condition that an operation may have on every entry of its argument. -/
inductive Demand where
  /-- It is not zero. -/
  | nonzero
  /-- It is positive. -/
  | positive
  deriving Inhabited

/-- A number meets the demand. -/
def Demand.Holds : Demand → R → Prop
  | .nonzero, x => x ≠ 0
  | .positive, x => 0 < x

/-- A demand on every entry of a value, given as a graph of the values in scope. -/
structure Remaining (R : Type u) (Γ : Context) : Type (u + 1) where
  /-- The shape of the value. -/
  {shape : Shape}
  /-- The condition. -/
  demand : Demand
  /-- The value. -/
  value : Graph.{u, u} R Γ shape

namespace Remaining
variable {Γ : Context} {s : Shape}

/-- Every entry of the value meets the demand. -/
def Holds (q : Remaining R Γ) (ρ : Env R Γ) : Prop := ∀ c, q.demand.Holds (q.value.eval ρ c)

/-- The demand before a value was saved. -/
def letIn (name : String) (a : Graph R Γ s) (q : Remaining R (s :: Γ)) : Remaining R Γ :=
  ⟨q.demand, .letIn name a q.value⟩

/-- All demands are met. -/
def All : List (Remaining R Γ) → Env R Γ → Prop
  | [], _ => True
  | q :: qs, ρ => q.Holds ρ ∧ All qs ρ

theorem All.nil {ρ : Env R Γ} : All ([] : List (Remaining R Γ)) ρ := trivial

theorem All.cons {ρ : Env R Γ} {q : Remaining R Γ} {qs : List (Remaining R Γ)} (hq : q.Holds ρ) (h : All qs ρ) :
    All (q :: qs) ρ := ⟨hq, h⟩

theorem All.of_map {name : String} {a : Graph R Γ s} {ρ : Env R Γ} :
    {qs : List (Remaining R (s :: Γ))} → All (qs.map (letIn name a)) ρ → All qs (Env.cons (a.eval ρ) ρ)
  | [], _ => trivial
  | _ :: _, h => ⟨h.1, All.of_map h.2⟩

end Remaining

/-- Under the signs `S` and the demands `qs`, all side conditions of `g` hold, and its value has the sign `σ`. -/
def Graph.Sound {Γ : Context} {s : Shape} (S : Signs Γ) (g : Graph R Γ s) (σ : Sign) (qs : List (Remaining R Γ)) :
    Prop := ∀ ρ : Env R Γ, S.Hold ρ → Remaining.All qs ρ → g.SideConditions ρ ∧ ∀ c, σ.Holds (g.eval ρ c)

/-- The theorems about a graph at a point: forward mode is the Fréchet derivative of evaluation, backprop is its
adjoint, and there is no other adjoint of any derivative. -/
structure Graph.Differentiated {Γ : Context} {s : Shape} (g : Graph R Γ s) (ρ : Env R Γ) : Prop where
  /-- Forward mode is the Fréchet derivative of evaluation. -/
  hasFDerivAt : HasFDerivAt (fun ρ : Γ.Coord → R => g.eval ρ) (g.deriv ρ) ρ
  /-- Backprop is the adjoint of the Fréchet derivative. -/
  backprop_eq_adjoint_fderiv : ∀ δ, g.backprop ρ δ = (fderiv (fun ρ : Env R Γ => g.eval ρ) ρ).adjoint δ
  /-- It is the only adjoint of the only derivative. -/
  backprop_unique : ∀ {L : BoundedLinearMap R Γ.Coord s.Coord},
    HasFDerivAt (fun ρ : Γ.Coord → R => g.eval ρ) L ρ → ∀ {A : Tensor R s → Env R Γ},
    (∀ v δ, Tensor.dot (L v) δ = Env.dot v (A δ)) → ∀ δ, A δ = g.backprop ρ δ

/-- Where all side conditions hold, all three hold. -/
theorem Graph.SideConditions.differentiated {Γ : Context} {s : Shape} {g : Graph R Γ s} {ρ : Env R Γ}
    (h : g.SideConditions ρ) : g.Differentiated ρ where
  hasFDerivAt := g.hasFDerivAt ρ h
  backprop_eq_adjoint_fderiv := g.backprop_eq_adjoint_fderiv ρ h.correct
  backprop_unique hL _ hA := g.backprop_unique ρ h.correct hL hA

namespace Graph.Sound
variable {Γ : Context} {S : Signs Γ} {s t : Shape}

/-- A graph without demands under no signs has no side conditions. -/
theorem smooth {g : Graph R Γ s} {σ : Sign} (h : g.Sound (Signs.any Γ) σ []) : g.Smooth := fun ρ =>
  (h ρ (Signs.any_hold ρ) trivial).1

/-- Where the remaining demands are met, the graph is differentiated. -/
theorem differentiated {g : Graph R Γ s} {σ : Sign} {qs : List (Remaining R Γ)} (h : g.Sound (Signs.any Γ) σ qs)
    {ρ : Env R Γ} (hq : Remaining.All qs ρ) : g.Differentiated ρ :=
  (h ρ (Signs.any_hold ρ) hq).1.differentiated

/-- A value in scope has no demands. -/
theorem var {i : Idx Γ s} : (Graph.var i : Graph R Γ s).Sound S .any [] := fun _ _ _ => ⟨trivial, fun _ => trivial⟩

/-- A named value without a demand. -/
theorem letIn {name : String} {a : Graph R Γ t} {b : Graph R (t :: Γ) s} {σ τ : Sign}
    {qs : List (Remaining R (t :: Γ))} (ha : a.Sound S τ []) (hb : b.Sound (.cons τ S) σ qs) :
    (Graph.letIn name a b).Sound S σ (qs.map (Remaining.letIn name a)) := fun ρ h hq =>
  have ⟨h1, h2⟩ := ha ρ h trivial
  have ⟨h3, h4⟩ := hb _ (h.cons h2) (Remaining.All.of_map hq)
  ⟨⟨h1, h3⟩, h4⟩

/-- A named value with a demand. -/
theorem letInAsks {name : String} {a : Graph R Γ t} {b : Graph R (t :: Γ) s} {σ τ : Sign} {q : Remaining R Γ}
    {qs : List (Remaining R (t :: Γ))} (ha : a.Sound S τ [q]) (hb : b.Sound (.cons τ S) σ qs) :
    (Graph.letIn name a b).Sound S σ (q :: qs.map (Remaining.letIn name a)) := fun ρ h hq =>
  have ⟨h1, h2⟩ := ha ρ h ⟨hq.1, trivial⟩
  have ⟨h3, h4⟩ := hb _ (h.cons h2) (Remaining.All.of_map hq.2)
  ⟨⟨h1, h3⟩, h4⟩

end Graph.Sound
end PostNorm
