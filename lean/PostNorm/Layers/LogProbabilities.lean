import PostNorm.Layers.Activation
import PostNorm.Layers.CrossEntropy

/-! # Log-softmax as a layer: the logarithms of probabilities

`logSoftmax z = z − log Σ exp z` along the last axis: cross-entropy reads it at its targets
(`Spec.crossEntropy_eq_logSoftmax`).  The graph is `logSoftmaxGraph`.

## Main statements

* `logProbabilities_eval`, `logProbabilities_hasFDerivAt`, `logProbabilities_backprop_eq_adjoint_fderiv`, `…_real`: no
  side condition.  Over an empty axis there is no entry that could fail to be differentiable.

## Sources

* PyTorch's `log_softmax(dim=-1)`. -/

namespace PostNorm
universe u

section
variable {R : Type u} [RealField R] {s : Shape} {n : Nat}

/-- The log-softmax graph computes `z − log Σ exp z` along the last axis, at every input. -/
@[obligation]
theorem logProbabilities_eval (ρ : Env R [s ▹ n]) :
    logSoftmaxGraph.eval ρ = fun c => Spec.logSoftmax ((ρ.get .here).row c.1) c.2 := by
  funext c
  graph_simp [logSoftmaxGraph, Spec.logSoftmax]
  rfl

/-- Forward mode computes the Fréchet derivative of log-softmax, at every input. -/
@[obligation]
theorem logProbabilities_hasFDerivAt (ρ : Env R [s ▹ n]) :
    HasFDerivAt (fun ρ : Env R [s ▹ n] => fun c : Shape.Coord (s ▹ n) =>
      Spec.logSoftmax ((ρ.get .here).row c.1) c.2) (logSoftmaxGraph.deriv ρ) ρ := by
  cases n with
  | zero => exact fun ε _ => ⟨1, by grind, fun r _ _ h _ c => c.2.elim0⟩
  | succ n =>
    have h : HasFDerivAt (fun ρ => logSoftmaxGraph.eval ρ) (logSoftmaxGraph.deriv ρ) ρ :=
      (Graph.SideConditions.correct (by
        graph_side_conditions [logSoftmaxGraph]
        exact fun c => finSum_pos n.succ_pos _ fun j => exp_pos _)).hasFDerivAt
    rwa [funext fun ρ => logProbabilities_eval ρ] at h

/-- Backpropagation through log-softmax is the adjoint of its Fréchet derivative, for every seed `δ`, at every input. -/
@[obligation]
theorem logProbabilities_backprop_eq_adjoint_fderiv (ρ : Env R [s ▹ n]) (δ : Tensor R (s ▹ n)) :
    logSoftmaxGraph.backprop ρ δ = (fderiv (fun ρ : Env R [s ▹ n] => fun c : Shape.Coord (s ▹ n) =>
      Spec.logSoftmax ((ρ.get .here).row c.1) c.2) ρ).adjoint δ := by
  rw [(logProbabilities_hasFDerivAt ρ).fderiv, Graph.backprop_eq_adjoint_deriv]

end

variable {s : Shape} {n : Nat}

/-- Over the real numbers, forward mode computes the Fréchet derivative of log-softmax, at every input. -/
@[obligation]
theorem logProbabilities_hasFDerivAt_real (ρ : Env Real [s ▹ n]) :
    HasFDerivAt (fun ρ : Env Real [s ▹ n] => fun c : Shape.Coord (s ▹ n) =>
      Spec.logSoftmax ((ρ.get .here).row c.1) c.2) (logSoftmaxGraph.deriv ρ) ρ :=
  logProbabilities_hasFDerivAt ρ

/-- Over the real numbers, backpropagation through log-softmax is the adjoint of its Fréchet derivative, for every seed
`δ`, at every input. -/
@[obligation]
theorem logProbabilities_backprop_eq_adjoint_fderiv_real (ρ : Env Real [s ▹ n]) (δ : Tensor Real (s ▹ n)) :
    logSoftmaxGraph.backprop ρ δ = (fderiv (fun ρ : Env Real [s ▹ n] => fun c : Shape.Coord (s ▹ n) =>
      Spec.logSoftmax ((ρ.get .here).row c.1) c.2) ρ).adjoint δ :=
  logProbabilities_backprop_eq_adjoint_fderiv ρ δ

end PostNorm
