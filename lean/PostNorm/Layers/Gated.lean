import PostNorm.Graph.Inputs
import PostNorm.Graph.LayerTheorems
import PostNorm.Layers.Activation
import PostNorm.Layers.Attention

/-! # The gated feed-forward layer

`(act (x Wg) * (x Wu)) Wd`, row by row, without biases: SwiGLU with SiLU, GeGLU with GELU.

## Main definitions

* `ΓGated`: the inputs `x`, `Wg`, `Wu`, `Wd`; `gatedGraph act`; `Spec.gated`.
* `gatedLayer a`: the same as a `Layer`, for an `Activation`; `swiGluGraph`, `geGluGraph`, `geGluTanhGraph`.
* `quickGeluGraph`, `Activation.quickGelu`: `x * sigmoid (c * x)`, usually with `c = 1.702`.

## Main statements

* `swiGlu_eval`, `swiGlu_hasFDerivAt`, `swiGlu_backprop_eq_adjoint_fderiv`, and the same for `geGlu` and `geGluTanh`:
  no side condition.

## Sources

* Shazeer, *GLU variants improve Transformer*, arXiv:2002.05202; LLaMA's and Gemma's feed-forward layers.
* Hendrycks, Gimpel, *Gaussian error linear units*, arXiv:1606.08415, for `x * sigmoid (1.702 * x)`. -/

namespace PostNorm
universe u

/-- The inputs of the gated feed-forward layer. -/
declare_inputs ΓGated (seqLen dModel dFF : Nat) where
  /-- The rows. -/
  x : ⟦seqLen, dModel⟧
  /-- The weights of the gate, and of the gated value. -/
  Wg Wu : ⟦dModel, dFF⟧
  /-- The weights back. -/
  Wd : ⟦dFF, dModel⟧

section graphs
variable {K : Type u} {seqLen dModel dFF : Nat}

/-- The gated feed-forward layer with the activation `act`. -/
def gatedGraph (act : {s : Shape} → Graph K [s] s) : Graph K (ΓGated seqLen dModel dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wg Wu Wd =>
  let gatePre := .matmul x Wg
  let gate := act ⟪gatePre⟫
  let up := .matmul x Wu
  let hidden := .mul gate up
  let projected := .matmul hidden Wd
  return projected

/-- The gated feed-forward layer with SiLU. -/
def swiGluGraph : Graph K (ΓGated seqLen dModel dFF) ⟦seqLen, dModel⟧ := gatedGraph siluGraph

/-- The gated feed-forward layer with exact GELU. -/
def geGluGraph : Graph K (ΓGated seqLen dModel dFF) ⟦seqLen, dModel⟧ := gatedGraph geluExactGraph

/-- The gated feed-forward layer with GELU by its tanh approximation. -/
def geGluTanhGraph (c : GeluConstants K) : Graph K (ΓGated seqLen dModel dFF) ⟦seqLen, dModel⟧ :=
  gatedGraph (geluGraph c)

/-- Quick-GELU, entry by entry: `x * sigmoid (c * x)`. -/
def quickGeluGraph {s : Shape} (c : K) : Graph K [s] s := graph! x =>
  let steep := .scale c x
  let sigmoid := .sigmoid steep
  let y := .mul x sigmoid
  return y

end graphs

section
variable {R : Type u} [RealField R] {seqLen dModel dFF : Nat}

/-- The gated feed-forward layer: `(act (x Wg) * (x Wu)) Wd`. -/
noncomputable def Spec.gated {n d f : Nat} (act : R → R) (Wg Wu : Fin d → Fin f → R) (Wd : Fin f → Fin d → R)
    (x : Fin n → Fin d → R) : Fin n → Fin d → R :=
  Spec.matmul (fun i j => act (Spec.matmul x Wg i j) * Spec.matmul x Wu i j) Wd

/-- The gated feed-forward layer with its formula.  It is smooth where its activation is. -/
noncomputable def gatedLayer (a : Activation R) : Layer R (ΓGated seqLen dModel dFF) ⟦seqLen, dModel⟧ where
  graph := gatedGraph a.graph
  formula ρ := Tensor.ofMat (Spec.gated a.formula (ρ.get ΓGated.Wg).mat (ρ.get ΓGated.Wu).mat (ρ.get ΓGated.Wd).mat
    (ρ.get ΓGated.x).mat)
  Smooth ρ := ∀ e, a.Smooth (Tensor.ofMat (Spec.matmul (ρ.get ΓGated.x).mat (ρ.get ΓGated.Wg).mat) e)
  eval_eq ρ := by
    graph_simp [gatedGraph, a.eval_eq]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [gatedGraph, a.eval_eq, a.sideConditions_iff]
    exact Iff.rfl

theorem gated_eval (a : Activation R) (ρ : Env R (ΓGated seqLen dModel dFF)) : (gatedGraph a.graph).eval ρ =
    Tensor.ofMat (Spec.gated a.formula (ρ.get ΓGated.Wg).mat (ρ.get ΓGated.Wu).mat (ρ.get ΓGated.Wd).mat
      (ρ.get ΓGated.x).mat) :=
  (gatedLayer a).eval_eq ρ

/-- The gated feed-forward layer's side conditions are those of its activation. -/
theorem gatedGraph_sideConditions_iff (a : Activation R) (ρ : Env R (ΓGated seqLen dModel dFF)) :
    (gatedGraph a.graph).SideConditions ρ ↔
      ∀ e, a.Smooth (Tensor.ofMat (Spec.matmul (ρ.get ΓGated.x).mat (ρ.get ΓGated.Wg).mat) e) :=
  (gatedLayer a).sideConditions_iff ρ

/-- Quick-GELU: `x * sigmoid (c * x)`. -/
noncomputable def Activation.quickGelu (c : R) : Activation R where
  graph := quickGeluGraph c
  formula x := x * sigmoid (c * x)
  Smooth _ := True
  eval_eq _ := rfl
  sideConditions_iff ρ := by graph_side_conditions [quickGeluGraph]

end

variable {seqLen dModel dFF : Nat}

layer_theorems swiGlu ρ where
  is "the gated feed-forward layer with SiLU"
  layer gatedLayer .silu
  graph swiGluGraph
  formula Tensor.ofMat (Spec.gated (fun x => x * sigmoid x) (ρ.get ΓGated.Wg).mat (ρ.get ΓGated.Wu).mat
    (ρ.get ΓGated.Wd).mat (ρ.get ΓGated.x).mat)
  inputs ΓGated seqLen dModel dFF
  proof fun _ => trivial

layer_theorems geGlu ρ where
  is "the gated feed-forward layer with exact GELU"
  layer gatedLayer .geluExact
  graph geGluGraph
  formula Tensor.ofMat (Spec.gated (fun x => x * normalCdf x) (ρ.get ΓGated.Wg).mat (ρ.get ΓGated.Wu).mat
    (ρ.get ΓGated.Wd).mat (ρ.get ΓGated.x).mat)
  inputs ΓGated seqLen dModel dFF
  proof fun _ => trivial

layer_theorems geGluTanh (c : GeluConstants R) ρ where
  is "the gated feed-forward layer with tanh-GELU"
  layer gatedLayer (.geluTanh c)
  graph geGluTanhGraph c
  formula Tensor.ofMat (Spec.gated (Spec.gelu c) (ρ.get ΓGated.Wg).mat (ρ.get ΓGated.Wu).mat
    (ρ.get ΓGated.Wd).mat (ρ.get ΓGated.x).mat)
  inputs ΓGated seqLen dModel dFF
  proof fun _ => trivial

end PostNorm
