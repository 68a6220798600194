import PostNorm.Block.T5.Graph

/-! # The theorems of T5's decoder blocks

## Main statements

* `t5DecoderBlock_…`, `t5GatedDecoderBlock_…`: `_eval`, `_hasFDerivAt`, `_backprop_eq_adjoint_fderiv`; `_of_pos`
  from `0 < ε₁`, `0 < ε₂` and `0 < ε₃`, where a token of the memory is allowed in each row and, with ReLU, no input of
  ReLU is zero; `_real`. -/

namespace PostNorm
universe u
variable {seqLen memoryLen dModel numHeads headDim buckets dFF : Nat}

layer_theorems t5DecoderBlock (other : Mask seqLen memoryLen)
    (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ ε₃ : R) ρ where
  is "the first T5's decoder block, with ReLU"
  smooth "every row that an RMSNorm normalizes has `mean square + ε` positive, a token of the memory is allowed in \
    each row and no number that ReLU gets is zero"
  layer t5DecoderLayer (Φ := (ΓBareFfn seqLen dModel dFF).tail) (bareFfnLayer .relu) other bucket ε₁ ε₂ ε₃
  graph t5DecoderBlockGraph other bucket ε₁ ε₂ ε₃
  formula Spec.t5Decoder (Φ := (ΓBareFfn seqLen dModel dFF).tail)
    (fun σ : Env R (ΓBareFfn seqLen dModel dFF) => Tensor.ofMat
      (Spec.bareFfn (fun x => max x 0) (σ.get ΓBareFfn.W1).mat (σ.get ΓBareFfn.W2).mat (σ.get ΓBareFfn.x).mat))
    other bucket ε₁ ε₂ ε₃ ρ
  inputs ΓT5Decoder seqLen memoryLen dModel numHeads headDim buckets (ΓBareFfn seqLen dModel dFF).tail
  condition hNorm1MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare (ρ.head.mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.meanSquare_add_pos hEps1Pos _
  condition hNorm2MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((t5DecoderRows2 bucket ε₁ ρ).head.mat i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.meanSquare_add_pos hEps2Pos _
  condition hKeyAllowed "a token of the memory is allowed in each row" : ∀ i, ∃ j, other i j = true
  condition hNorm3MeanSquareEpsPos :
      ∀ i, 0 < Spec.meanSquare ((t5DecoderRows3 other bucket ε₁ ε₂ ρ).head.mat i) + ε₃
    if hEps3Pos : 0 < ε₃ then fun _ => Spec.meanSquare_add_pos hEps3Pos _
  condition hPreActivationNe0 "no number that ReLU gets is zero" :
      ∀ i j, bareFfnHidden ((RowScaling.rms ε₃).branchInput (t5DecoderRows3 other bucket ε₁ ε₂ ρ)) i j ≠ 0
  proof ⟨⟨hNorm1MeanSquareEpsPos, fun _ => Mask.causal_allows⟩, ⟨hNorm2MeanSquareEpsPos, fun _ => hKeyAllowed⟩,
    hNorm3MeanSquareEpsPos, fun e => hPreActivationNe0 e.1.2 e.2⟩

layer_theorems t5GatedDecoderBlock (c : GeluConstants R) (other : Mask seqLen memoryLen)
    (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ ε₃ : R) ρ where
  is "T5 1.1's decoder block, with a gate by tanh-GELU"
  smooth "every row that an RMSNorm normalizes has `mean square + ε` positive and a token of the memory is allowed \
    in each row"
  layer t5DecoderLayer (Φ := (ΓGated seqLen dModel dFF).tail) (gatedLayer (.geluTanh c)) other bucket ε₁ ε₂ ε₃
  graph t5GatedDecoderBlockGraph c other bucket ε₁ ε₂ ε₃
  formula Spec.t5Decoder (Φ := (ΓGated seqLen dModel dFF).tail)
    (fun σ : Env R (ΓGated seqLen dModel dFF) => Tensor.ofMat
      (Spec.gated (Spec.gelu c) (σ.get ΓGated.Wg).mat (σ.get ΓGated.Wu).mat (σ.get ΓGated.Wd).mat (σ.get ΓGated.x).mat))
    other bucket ε₁ ε₂ ε₃ ρ
  inputs ΓT5Decoder seqLen memoryLen dModel numHeads headDim buckets (ΓGated seqLen dModel dFF).tail
  condition hNorm1MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare (ρ.head.mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.meanSquare_add_pos hEps1Pos _
  condition hNorm2MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((t5DecoderRows2 bucket ε₁ ρ).head.mat i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.meanSquare_add_pos hEps2Pos _
  condition hKeyAllowed "a token of the memory is allowed in each row" : ∀ i, ∃ j, other i j = true
  condition hNorm3MeanSquareEpsPos :
      ∀ i, 0 < Spec.meanSquare ((t5DecoderRows3 other bucket ε₁ ε₂ ρ).head.mat i) + ε₃
    if hEps3Pos : 0 < ε₃ then fun _ => Spec.meanSquare_add_pos hEps3Pos _
  proof ⟨⟨hNorm1MeanSquareEpsPos, fun _ => Mask.causal_allows⟩, ⟨hNorm2MeanSquareEpsPos, fun _ => hKeyAllowed⟩,
    hNorm3MeanSquareEpsPos, fun _ => trivial⟩

end PostNorm
