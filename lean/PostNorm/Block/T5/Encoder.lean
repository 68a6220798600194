import PostNorm.Block.T5.Graph

/-! # The theorems of T5's encoder blocks

## Main statements

* `t5EncoderBlock_…`, `t5GatedEncoderBlock_…`: `_eval`, `_hasFDerivAt`, `_backprop_eq_adjoint_fderiv`; `_of_pos`
  from `0 < ε₁` and `0 < ε₂`, where a key is allowed in each row and, with ReLU, no input of ReLU is zero; `_real`.
  -/

namespace PostNorm
universe u
variable {seqLen dModel numHeads headDim buckets dFF : Nat}

layer_theorems t5EncoderBlock (allowed : Mask seqLen seqLen)
    (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ : R) ρ where
  is "the first T5's encoder block, with ReLU"
  smooth "every row that an RMSNorm normalizes has `mean square + ε` positive, a key is allowed in each row and no \
    number that ReLU gets is zero"
  layer t5EncoderLayer (Φ := (ΓBareFfn seqLen dModel dFF).tail) (bareFfnLayer .relu) allowed bucket ε₁ ε₂
  graph t5EncoderBlockGraph allowed bucket ε₁ ε₂
  formula Spec.t5Encoder (Φ := (ΓBareFfn seqLen dModel dFF).tail)
    (fun σ : Env R (ΓBareFfn seqLen dModel dFF) => Tensor.ofMat
      (Spec.bareFfn (fun x => max x 0) (σ.get ΓBareFfn.W1).mat (σ.get ΓBareFfn.W2).mat (σ.get ΓBareFfn.x).mat))
    allowed bucket ε₁ ε₂ ρ
  inputs ΓT5Encoder seqLen dModel numHeads headDim buckets (ΓBareFfn seqLen dModel dFF).tail
  condition hNorm1MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare (ρ.head.mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.meanSquare_add_pos hEps1Pos _
  condition hKeyAllowed "a key is allowed in each row" : ∀ i, ∃ j, allowed i j = true
  condition hNorm2MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((t5EncoderRows2 allowed bucket ε₁ ρ).head.mat i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.meanSquare_add_pos hEps2Pos _
  condition hPreActivationNe0 "no number that ReLU gets is zero" :
      ∀ i j, bareFfnHidden ((RowScaling.rms ε₂).branchInput (t5EncoderRows2 allowed bucket ε₁ ρ)) i j ≠ 0
  proof ⟨⟨hNorm1MeanSquareEpsPos, fun _ => hKeyAllowed⟩, hNorm2MeanSquareEpsPos, fun e => hPreActivationNe0 e.1.2 e.2⟩

layer_theorems t5GatedEncoderBlock (c : GeluConstants R) (allowed : Mask seqLen seqLen)
    (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ : R) ρ where
  is "T5 1.1's encoder block, with a gate by tanh-GELU"
  smooth "every row that an RMSNorm normalizes has `mean square + ε` positive and a key is allowed in each row"
  layer t5EncoderLayer (Φ := (ΓGated seqLen dModel dFF).tail) (gatedLayer (.geluTanh c)) allowed bucket ε₁ ε₂
  graph t5GatedEncoderBlockGraph c allowed bucket ε₁ ε₂
  formula Spec.t5Encoder (Φ := (ΓGated seqLen dModel dFF).tail)
    (fun σ : Env R (ΓGated seqLen dModel dFF) => Tensor.ofMat
      (Spec.gated (Spec.gelu c) (σ.get ΓGated.Wg).mat (σ.get ΓGated.Wu).mat (σ.get ΓGated.Wd).mat (σ.get ΓGated.x).mat))
    allowed bucket ε₁ ε₂ ρ
  inputs ΓT5Encoder seqLen dModel numHeads headDim buckets (ΓGated seqLen dModel dFF).tail
  condition hNorm1MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare (ρ.head.mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.meanSquare_add_pos hEps1Pos _
  condition hKeyAllowed "a key is allowed in each row" : ∀ i, ∃ j, allowed i j = true
  condition hNorm2MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((t5EncoderRows2 allowed bucket ε₁ ρ).head.mat i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.meanSquare_add_pos hEps2Pos _
  proof ⟨⟨hNorm1MeanSquareEpsPos, fun _ => hKeyAllowed⟩, hNorm2MeanSquareEpsPos, fun _ => trivial⟩

end PostNorm
