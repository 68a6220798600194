import PostNorm.Graph.Compose
import PostNorm.Graph.Notation
import PostNorm.Graph.Op.Log
import PostNorm.Graph.Op.NormalCdf
import PostNorm.Graph.Op.Relu
import PostNorm.Graph.Op.Sigmoid
import PostNorm.Layers.Gelu

/-! # Activations: GELU by the exact distribution function, SiLU, ReLU; and log-softmax

## Main definitions

* `geluExactGraph`: `x * Φ x`; `siluGraph`: `x * sigmoid x`; `logSoftmaxGraph`: `x - log (Σ exp x)`.
* `Activation`: a function of every entry, with its graph and where it is differentiable; `Activation.geluTanh`,
  `Activation.geluExact`, `Activation.silu`, `Activation.relu`.

## Main statements

* `logSoftmax_backprop_eq_adjoint_fderiv`: no side condition.
* `relu_correct`: the only side condition of ReLU is that no entry is zero. -/

namespace PostNorm
universe u
open RealField

/-- GELU by the exact distribution function, entry by entry. -/
def geluExactGraph {K : Type u} {s : Shape} : Graph K [s] s := graph! x =>
  let cdf := .normalCdf x
  let y := .mul x cdf
  return y

/-- SiLU, entry by entry. -/
def siluGraph {K : Type u} {s : Shape} : Graph K [s] s := graph! x =>
  let sigmoid := .sigmoid x
  let y := .mul x sigmoid
  return y

/-- ReLU, entry by entry. -/
def reluGraph {K : Type u} {s : Shape} : Graph K [s] s := graph! x =>
  let y := .relu x
  return y

/-- The logarithm of softmax over the last axis. -/
def logSoftmaxGraph {K : Type u} {s : Shape} {n : Nat} : Graph K [s ▹ n] (s ▹ n) := graph! x =>
  let exp := .exp x
  let sum := .sum exp
  let log := .log sum
  let logBroadcast := .broadcastLast n log
  let y := .sub x logBroadcast
  return y

variable {R : Type u} [RealField R] {s : Shape} {n : Nat}

theorem geluExact_eval (ρ : Env R [s]) :
    geluExactGraph.eval ρ = fun e => ρ.get .here e * normalCdf (ρ.get .here e) := rfl

theorem silu_eval (ρ : Env R [s]) :
    siluGraph.eval ρ = fun e => ρ.get .here e * sigmoid (ρ.get .here e) := rfl

theorem relu_eval (ρ : Env R [s]) : reluGraph.eval ρ = fun e => max (ρ.get .here e) 0 := by
  graph_simp [reluGraph]

theorem relu_correct (ρ : Env R [s]) (hNonzero : ∀ e, ρ.get .here e ≠ 0) (δ : Tensor R s) :
    reluGraph.backprop ρ δ = (fderiv (fun ρ => reluGraph.eval ρ) ρ).adjoint δ :=
  reluGraph.backprop_eq_adjoint_fderiv ρ (Graph.SideConditions.correct (by
    graph_side_conditions [reluGraph]
    exact hNonzero)) δ

theorem logSoftmax_backprop_eq_adjoint_fderiv (ρ : Env R [s ▹ n]) (hLengthPos : 0 < n) (δ : Tensor R (s ▹ n)) :
    logSoftmaxGraph.backprop ρ δ = (fderiv (fun ρ => logSoftmaxGraph.eval ρ) ρ).adjoint δ :=
  logSoftmaxGraph.backprop_eq_adjoint_fderiv ρ (Graph.SideConditions.correct (by
    graph_side_conditions [logSoftmaxGraph]
    exact fun c => finSum_pos hLengthPos _ fun j => exp_pos _)) δ

/-- A function of one number, applied to every entry by a graph. -/
structure Activation (R : Type u) [RealField R] where
  /-- The graph that runs, for each shape. -/
  graph : {s : Shape} → Graph R [s] s
  /-- Its formula for one entry. -/
  formula : R → R
  /-- Where it is differentiable. -/
  Smooth : R → Prop
  /-- The graph computes the formula. -/
  eval_eq : ∀ {s : Shape} (ρ : Env R [s]), graph.eval ρ = fun e => formula (ρ.get .here e)
  /-- The graph's only side condition is differentiability at every entry. -/
  sideConditions_iff : ∀ {s : Shape} (ρ : Env R [s]), graph.SideConditions ρ ↔ ∀ e, Smooth (ρ.get .here e)

/-- GELU by its tanh approximation. -/
noncomputable def Activation.geluTanh (c : GeluConstants R) : Activation R where
  graph := geluGraph c
  formula := Spec.gelu c
  Smooth _ := True
  eval_eq := gelu_eval c
  sideConditions_iff ρ := ⟨fun _ _ => trivial, fun _ => geluGraph_sideConditions c ρ⟩

/-- GELU: `x * Φ x`. -/
noncomputable def Activation.geluExact : Activation R where
  graph := geluExactGraph
  formula x := x * normalCdf x
  Smooth _ := True
  eval_eq := geluExact_eval
  sideConditions_iff ρ := by graph_side_conditions [geluExactGraph]

/-- SiLU: `x * sigmoid x`. -/
noncomputable def Activation.silu : Activation R where
  graph := siluGraph
  formula x := x * sigmoid x
  Smooth _ := True
  eval_eq := silu_eval
  sideConditions_iff ρ := by graph_side_conditions [siluGraph]

/-- ReLU: `max x 0`, differentiable except at zero. -/
noncomputable def Activation.relu : Activation R where
  graph := reluGraph
  formula x := max x 0
  Smooth x := x ≠ 0
  eval_eq := relu_eval
  sideConditions_iff ρ := by graph_side_conditions [reluGraph]

end PostNorm
