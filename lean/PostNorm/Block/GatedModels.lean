import PostNorm.Block.GatedBlock
import PostNorm.Block.LanguageModel

/-! # LLaMA and Gemma up to their loss

Both end in an RMSNorm.  LLaMA's head has its own weights, Gemma's uses the table; Gemma multiplies the tokens' rows
by a number, usually `√dModel`, and its norms have scales `1 + weight`.  Each block has its own tables of rotary
positions; to share one table, pass the same table to each.

## Main definitions

* `ΓLlama`, `llamaFirstLayer`, `llamaLastLayer`; `ΓLlamaModel`, `llamaModelGraph`; the same for `Gemma`.

## Main statements

* `llamaModel_eval`, `llamaModel_hasFDerivAt_of_pos`, `llamaModel_backprop_eq_adjoint_fderiv_of_pos`,
  `llamaModel_gradient_of_pos`, `…_real`: from `0 < ε₁`, `0 < ε₂` and `0 < ε₃`, at any depth; the same for `gemmaModel`.

## Sources

* Touvron et al., *LLaMA*, arXiv:2302.13971; Gemma Team, *Gemma*, arXiv:2403.08295; their published code. -/

namespace PostNorm
universe u

/-- LLaMA's parameters outside its blocks. -/
declare_inputs ΓLlama (dModel vocab : Nat) where
  /-- The table of tokens. -/
  table : ⟦vocab, dModel⟧
  /-- The final RMSNorm's scale. -/
  gamma : ⟦dModel⟧
  /-- The head's weights. -/
  head : ⟦vocab, dModel⟧

/-- Gemma's parameters outside its blocks. -/
declare_inputs ΓGemma (dModel vocab : Nat) where
  /-- The table of tokens, which is also the head's weights. -/
  table : ⟦vocab, dModel⟧
  /-- The final RMSNorm's scale, minus one. -/
  gamma : ⟦dModel⟧

/-- The inputs of LLaMA: the parameters outside its blocks, and each block's parameters. -/
abbrev ΓLlamaModel (seqLen dModel numGroups perGroup headDim dFF vocab depth : Nat) : Context :=
  ΓLlama dModel vocab ++ Context.copies (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF).tail depth

/-- The inputs of Gemma: the parameters outside its blocks, and each block's parameters. -/
abbrev ΓGemmaModel (seqLen dModel numGroups perGroup headDim dFF vocab depth : Nat) : Context :=
  ΓGemma dModel vocab ++ Context.copies (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF).tail depth

section graphs
variable {K : Type u} {seqLen dModel numGroups perGroup headDim dFF vocab : Nat}

/-- LLaMA's embedding: the tokens' rows. -/
def llamaFirstGraph (tokens : Fin seqLen → Fin vocab) : Graph K (ΓLlama dModel vocab) ⟦seqLen, dModel⟧ :=
  graph! table gamma head =>
  let rows : ⟦seqLen, dModel⟧ := .gather (rowsOf tokens) table
  return rows

/-- LLaMA's final RMSNorm, its head and the loss. -/
def llamaLastGraph (ε : K) (target : Fin seqLen → Fin vocab) :
    Graph K (⟦seqLen, dModel⟧ :: ΓLlama dModel vocab) ⟦⟧ :=
  graph! x table gamma head =>
  let norm := rmsNormGraph ε ⟪x, gamma⟫
  return headGraph target ⟪norm, head⟫

/-- Gemma's embedding: the tokens' rows, times a number. -/
def gemmaFirstGraph (factor : K) (tokens : Fin seqLen → Fin vocab) :
    Graph K (ΓGemma dModel vocab) ⟦seqLen, dModel⟧ :=
  graph! table gamma =>
  let rows : ⟦seqLen, dModel⟧ := .gather (rowsOf tokens) table
  let y := .scale factor rows
  return y

/-- Gemma's final RMSNorm, its head with the table as weights, and the loss. -/
def gemmaLastGraph (one ε : K) (target : Fin seqLen → Fin vocab) :
    Graph K (⟦seqLen, dModel⟧ :: ΓGemma dModel vocab) ⟦⟧ :=
  graph! x table gamma =>
  let norm := rmsNormOffsetGraph one ε ⟪x, gamma⟫
  return headGraph target ⟪norm, table⟫

/-- LLaMA up to its loss: no token attends to a later one. -/
def llamaModelGraph (scale ε₁ ε₂ ε₃ : K) (tokens target : Fin seqLen → Fin vocab) (depth : Nat) :
    Graph K (ΓLlamaModel seqLen dModel numGroups perGroup headDim dFF vocab depth) ⟦⟧ :=
  (llamaFirstGraph tokens).between (Γ := (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF).tail)
    (llamaBlockGraph scale ε₁ ε₂) (llamaLastGraph ε₃ target) depth

/-- Gemma up to its loss: no token attends to a later one. -/
def gemmaModelGraph (c : GeluConstants K) (one factor scale ε₁ ε₂ ε₃ : K) (tokens target : Fin seqLen → Fin vocab)
    (depth : Nat) : Graph K (ΓGemmaModel seqLen dModel numGroups perGroup headDim dFF vocab depth) ⟦⟧ :=
  (gemmaFirstGraph factor tokens).between (Γ := (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF).tail)
    (gemmaBlockGraph c one scale ε₁ ε₂) (gemmaLastGraph one ε₃ target) depth

end graphs

section
variable {R : Type u} [RealField R] {seqLen dModel numGroups perGroup headDim dFF vocab : Nat}

/-- LLaMA's embedding: the tokens' rows of the table. -/
def Spec.llamaFirst (tokens : Fin seqLen → Fin vocab) (σ : Env R (ΓLlama dModel vocab)) : Tensor R ⟦seqLen, dModel⟧ :=
  Tensor.ofMat fun i j => (σ.get ΓLlama.table).mat (tokens i) j

/-- LLaMA's loss, from the output of its last block. -/
noncomputable def Spec.llamaLast (ε : R) (target : Fin seqLen → Fin vocab)
    (σ : Env R (⟦seqLen, dModel⟧ :: ΓLlama dModel vocab)) : Tensor R ⟦⟧ := fun _ =>
  Spec.headLoss target (σ.get (.there ΓLlama.head)).mat
    (Spec.rmsNorm ε (σ.get (.there ΓLlama.gamma)).vec (σ.get .here).mat)

/-- Gemma's embedding: the tokens' rows of the table, times a number. -/
def Spec.gemmaFirst (factor : R) (tokens : Fin seqLen → Fin vocab) (σ : Env R (ΓGemma dModel vocab)) :
    Tensor R ⟦seqLen, dModel⟧ := Tensor.ofMat fun i j => factor * (σ.get ΓGemma.table).mat (tokens i) j

/-- Gemma's loss, from the output of its last block. -/
noncomputable def Spec.gemmaLast (ε : R) (target : Fin seqLen → Fin vocab)
    (σ : Env R (⟦seqLen, dModel⟧ :: ΓGemma dModel vocab)) : Tensor R ⟦⟧ := fun _ =>
  Spec.headLoss target (σ.get (.there ΓGemma.table)).mat
    (Spec.rmsNorm ε (fun j => (σ.get (.there ΓGemma.gamma)).vec j + 1) (σ.get .here).mat)

/-- LLaMA's embedding, smooth everywhere. -/
def llamaFirstLayer (tokens : Fin seqLen → Fin vocab) : Layer R (ΓLlama dModel vocab) ⟦seqLen, dModel⟧ where
  graph := llamaFirstGraph tokens
  formula := Spec.llamaFirst tokens
  Smooth _ := True
  eval_eq _ := rfl
  sideConditions_iff ρ := by graph_side_conditions [llamaFirstGraph]

/-- LLaMA's final RMSNorm, head and loss, smooth where the RMSNorm is. -/
noncomputable def llamaLastLayer (ε : R) (target : Fin seqLen → Fin vocab) :
    Layer R (⟦seqLen, dModel⟧ :: ΓLlama dModel vocab) ⟦⟧ where
  graph := llamaLastGraph ε target
  formula := Spec.llamaLast ε target
  Smooth σ := ∀ i, 0 < Spec.meanSquare ((σ.get .here).mat i) + ε
  eval_eq ρ := by
    graph_simp [llamaLastGraph, rmsNorm_eval, head_eval]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [llamaLastGraph, headGraph_sideConditions]
    exact (rmsNormLayer ε).sideConditions_iff _

/-- Gemma's embedding, smooth everywhere. -/
def gemmaFirstLayer (factor : R) (tokens : Fin seqLen → Fin vocab) :
    Layer R (ΓGemma dModel vocab) ⟦seqLen, dModel⟧ where
  graph := gemmaFirstGraph factor tokens
  formula := Spec.gemmaFirst factor tokens
  Smooth _ := True
  eval_eq _ := rfl
  sideConditions_iff ρ := by graph_side_conditions [gemmaFirstGraph]

/-- Gemma's final RMSNorm, head and loss, smooth where the RMSNorm is. -/
noncomputable def gemmaLastLayer (ε : R) (target : Fin seqLen → Fin vocab) :
    Layer R (⟦seqLen, dModel⟧ :: ΓGemma dModel vocab) ⟦⟧ where
  graph := gemmaLastGraph 1 ε target
  formula := Spec.gemmaLast ε target
  Smooth σ := ∀ i, 0 < Spec.meanSquare ((σ.get .here).mat i) + ε
  eval_eq ρ := by
    graph_simp [gemmaLastGraph, rmsNormOffset_eval, head_eval]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [gemmaLastGraph, headGraph_sideConditions]
    exact (rmsNormOffsetLayer ε).sideConditions_iff _

/-- A block with a gated feed-forward layer, as a layer whose first input is the tokens: no token attends to a later
one. -/
noncomputable def causalGatedLayer (N : R → RowScaling R) (a : Activation R) (scale ε₁ ε₂ : R) :
    Layer R (⟦seqLen, dModel⟧ :: (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF).tail) ⟦seqLen, dModel⟧ :=
  gatedBlockLayer (N ε₁) (N ε₂) a Mask.causal scale

end

variable {seqLen dModel numGroups perGroup headDim dFF vocab : Nat}

model_theorems llamaModel (scale ε₁ ε₂ ε₃ : R) (tokens target : Fin seqLen → Fin vocab) (depth : Nat) ρ where
  is "LLaMA's loss"
  layer (llamaFirstLayer tokens).between (causalGatedLayer .rms .silu scale ε₁ ε₂) (llamaLastLayer ε₃ target) depth
  graph llamaModelGraph scale ε₁ ε₂ ε₃ tokens target depth
  formula Spec.between (Γ := (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF).tail) (Spec.llamaFirst tokens)
    (fun σ => Tensor.ofMat
      (Spec.gatedBlock (.rms ε₁) (.rms ε₂) (fun x => x * sigmoid x) Mask.causal scale σ))
    (Spec.llamaLast ε₃ target) depth ρ
  inputs ΓLlamaModel seqLen dModel numGroups perGroup headDim dFF vocab depth
  positive hEps1Pos : 0 < ε₁
  positive hEps2Pos : 0 < ε₂
  positive hEps3Pos : 0 < ε₃
  smooth ⟨trivial, Layer.smooth_stack (l := causalGatedLayer .rms .silu scale ε₁ ε₂) (fun _ =>
      ⟨fun _ => Spec.meanSquare_add_pos hEps1Pos _, fun _ => Mask.causal_allows,
        fun _ => Spec.meanSquare_add_pos hEps2Pos _, fun _ => trivial⟩) depth 0 _,
    fun _ => Spec.meanSquare_add_pos hEps3Pos _⟩

model_theorems gemmaModel (c : GeluConstants R) (factor scale ε₁ ε₂ ε₃ : R) (tokens target : Fin seqLen → Fin vocab)
    (depth : Nat) ρ where
  is "Gemma's loss"
  layer (gemmaFirstLayer factor tokens).between (causalGatedLayer .rmsOffset (.geluTanh c) scale ε₁ ε₂)
    (gemmaLastLayer ε₃ target) depth
  graph gemmaModelGraph c 1 factor scale ε₁ ε₂ ε₃ tokens target depth
  formula Spec.between (Γ := (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF).tail)
    (Spec.gemmaFirst factor tokens)
    (fun σ => Tensor.ofMat (Spec.gatedBlock (.rmsOffset ε₁) (.rmsOffset ε₂) (Spec.gelu c) Mask.causal scale σ))
    (Spec.gemmaLast ε₃ target) depth ρ
  inputs ΓGemmaModel seqLen dModel numGroups perGroup headDim dFF vocab depth
  positive hEps1Pos : 0 < ε₁
  positive hEps2Pos : 0 < ε₂
  positive hEps3Pos : 0 < ε₃
  smooth ⟨trivial, Layer.smooth_stack (l := causalGatedLayer .rmsOffset (.geluTanh c) scale ε₁ ε₂) (fun _ =>
      ⟨fun _ => Spec.meanSquare_add_pos hEps1Pos _, fun _ => Mask.causal_allows,
        fun _ => Spec.meanSquare_add_pos hEps2Pos _, fun _ => trivial⟩) depth 0 _,
    fun _ => Spec.meanSquare_add_pos hEps3Pos _⟩

end PostNorm
