import PostNorm.Block.MaskedPreNorm
import PostNorm.Graph.ModelTheorems
import PostNorm.Layers.CrossEntropy

/-! # A language model up to its loss; GPT-2

Given tokens are looked up in a table; then come any number of blocks, a final norm, a head, and cross-entropy with
given targets.  The layers before and after the blocks share their parameters, so that a head may use the table as its
weights (tied weights): the table's gradient is then the sum of both uses.

## Main definitions

* `rowsOf tokens`: reads the tokens' rows of a table; `headGraph target`, `Spec.headLoss target`: logits and loss.
* `ΓGpt2`, `gpt2FirstLayer`, `gpt2LastLayer`: GPT-2's embedding with positions, its final LayerNorm and its tied head;
  `ΓGpt2Model`, `gpt2ModelGraph`: with its blocks between.  `Block/GatedModels.lean` has LLaMA and Gemma.

## Main statements

* `gpt2Model_eval`, `gpt2Model_hasFDerivAt_of_pos`, `gpt2Model_backprop_eq_adjoint_fderiv_of_pos`,
  `gpt2Model_gradient_of_pos`, `…_real`: from `0 < ε₁`, `0 < ε₂` and `0 < ε₃`, at any depth.

## Sources

* Radford et al., *Language models are unsupervised multitask learners* (GPT-2), and its published code; Press, Wolf,
  *Using the output embedding to improve language models*, arXiv:1608.05859. -/

namespace PostNorm
universe u

/-- GPT-2's parameters outside its blocks. -/
declare_inputs ΓGpt2 (seqLen dModel vocab : Nat) where
  /-- The table of tokens, which is also the head's weights. -/
  table : ⟦vocab, dModel⟧
  /-- The positions. -/
  positions : ⟦seqLen, dModel⟧
  /-- The final LayerNorm's scale and shift. -/
  gamma beta : ⟦dModel⟧

/-- The inputs of GPT-2: the parameters outside its blocks, and each block's parameters. -/
abbrev ΓGpt2Model (seqLen dModel numHeads headDim dFF vocab depth : Nat) : Context :=
  ΓGpt2 seqLen dModel vocab ++ Context.copies (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth

section graphs
variable {K : Type u} {seqLen dModel numHeads headDim dFF vocab : Nat}

/-- The tokens' rows of a table. -/
def rowsOf (tokens : Fin seqLen → Fin vocab) : Reading ⟦vocab, dModel⟧ ⟦seqLen, dModel⟧ :=
  fun c => some (((), tokens c.1.2), c.2)

/-- The head and the loss: the logits are the products of each row with each row of the table. -/
def headGraph (target : Fin seqLen → Fin vocab) : Graph K [⟦seqLen, dModel⟧, ⟦vocab, dModel⟧] ⟦⟧ := graph! x table =>
  let tableT := .transpose table
  let logits := .matmul x tableT
  let crossEntropy := crossEntropyGraph target ⟪logits⟫
  return crossEntropy

/-- GPT-2's embedding: the tokens' rows, with their positions. -/
def gpt2FirstGraph (tokens : Fin seqLen → Fin vocab) : Graph K (ΓGpt2 seqLen dModel vocab) ⟦seqLen, dModel⟧ :=
  graph! table positions gamma beta =>
  let rows : ⟦seqLen, dModel⟧ := .gather (rowsOf tokens) table
  let y := .add rows positions
  return y

/-- GPT-2's final LayerNorm, its head with the table as weights, and the loss. -/
def gpt2LastGraph (ε : K) (target : Fin seqLen → Fin vocab) :
    Graph K (⟦seqLen, dModel⟧ :: ΓGpt2 seqLen dModel vocab) ⟦⟧ :=
  graph! x table positions gamma beta =>
  let norm := layerNormGraph ε ⟪x, gamma, beta⟫
  return headGraph target ⟪norm, table⟫

/-- GPT-2 up to its loss: no token attends to a later one. -/
def gpt2ModelGraph (c : GeluConstants K) (scale ε₁ ε₂ ε₃ : K) (tokens target : Fin seqLen → Fin vocab) (depth : Nat) :
    Graph K (ΓGpt2Model seqLen dModel numHeads headDim dFF vocab depth) ⟦⟧ :=
  (gpt2FirstGraph tokens).between (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail)
    (gpt2BlockGraph c scale ε₁ ε₂) (gpt2LastGraph ε₃ target) depth

end graphs

section
variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF vocab : Nat}

/-- The loss of rows `x` with the head's weights: the logits are the products of each row with each weight row. -/
noncomputable def Spec.headLoss {n d v : Nat} (target : Fin n → Fin v) (W : Fin v → Fin d → R)
    (x : Fin n → Fin d → R) : R := Spec.crossEntropy target (Spec.matmul x fun j i => W i j)

/-- GPT-2's embedding: the tokens' rows of the table, with their positions. -/
def Spec.gpt2First (tokens : Fin seqLen → Fin vocab) (σ : Env R (ΓGpt2 seqLen dModel vocab)) :
    Tensor R ⟦seqLen, dModel⟧ := Tensor.ofMat fun i j =>
  (σ.get ΓGpt2.table).mat (tokens i) j + (σ.get ΓGpt2.positions).mat i j

/-- GPT-2's loss, from the output of its last block. -/
noncomputable def Spec.gpt2Last (ε : R) (target : Fin seqLen → Fin vocab)
    (σ : Env R (⟦seqLen, dModel⟧ :: ΓGpt2 seqLen dModel vocab)) : Tensor R ⟦⟧ := fun _ =>
  Spec.headLoss target (σ.get (.there ΓGpt2.table)).mat
    (Spec.layerNorm ε (σ.get (.there ΓGpt2.gamma)).vec (σ.get (.there ΓGpt2.beta)).vec (σ.get .here).mat)

theorem head_eval (target : Fin seqLen → Fin vocab) (ρ : Env R [⟦seqLen, dModel⟧, ⟦vocab, dModel⟧]) :
    (headGraph target).eval ρ = fun _ => Spec.headLoss target (ρ.get (.there .here)).mat (ρ.get .here).mat := by
  graph_simp [headGraph, crossEntropy_eval]
  rfl

/-- The head and the loss have no side condition. -/
theorem headGraph_sideConditions (target : Fin seqLen → Fin vocab) (ρ : Env R [⟦seqLen, dModel⟧, ⟦vocab, dModel⟧]) :
    (headGraph target).SideConditions ρ := by
  graph_side_conditions [headGraph]
  exact ((crossEntropyLayer target).sideConditions_iff _).2 trivial

/-- GPT-2's embedding, smooth everywhere. -/
def gpt2FirstLayer (tokens : Fin seqLen → Fin vocab) : Layer R (ΓGpt2 seqLen dModel vocab) ⟦seqLen, dModel⟧ where
  graph := gpt2FirstGraph tokens
  formula := Spec.gpt2First tokens
  Smooth _ := True
  eval_eq _ := rfl
  sideConditions_iff ρ := by graph_side_conditions [gpt2FirstGraph]

/-- GPT-2's final LayerNorm, head and loss, smooth where the LayerNorm is. -/
noncomputable def gpt2LastLayer (ε : R) (target : Fin seqLen → Fin vocab) :
    Layer R (⟦seqLen, dModel⟧ :: ΓGpt2 seqLen dModel vocab) ⟦⟧ where
  graph := gpt2LastGraph ε target
  formula := Spec.gpt2Last ε target
  Smooth σ := ∀ i, 0 < Spec.variance ((σ.get .here).mat i) + ε
  eval_eq ρ := by
    graph_simp [gpt2LastGraph, layerNorm_eval, head_eval]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [gpt2LastGraph, layerNormGraph_sideConditions_iff_variance, headGraph_sideConditions]

/-- GPT-2's block as a layer whose first input is the tokens. -/
noncomputable def gpt2BlockLayer (c : GeluConstants R) (scale ε₁ ε₂ : R) :
    Layer R (⟦seqLen, dModel⟧ :: (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail) ⟦seqLen, dModel⟧ :=
  maskedPreNormLayer (.geluTanh c) Mask.causal scale ε₁ ε₂

end

variable {seqLen dModel numHeads headDim dFF vocab : Nat}

model_theorems gpt2Model (c : GeluConstants R) (scale ε₁ ε₂ ε₃ : R) (tokens target : Fin seqLen → Fin vocab)
    (depth : Nat) ρ where
  is "GPT-2's loss"
  layer (gpt2FirstLayer tokens).between (gpt2BlockLayer c scale ε₁ ε₂) (gpt2LastLayer ε₃ target) depth
  graph gpt2ModelGraph c scale ε₁ ε₂ ε₃ tokens target depth
  formula Spec.between (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail) (Spec.gpt2First tokens)
    (fun σ => Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu c) Mask.causal scale ε₁ ε₂ σ))
    (Spec.gpt2Last ε₃ target) depth ρ
  inputs ΓGpt2Model seqLen dModel numHeads headDim dFF vocab depth
  positive hEps1Pos : 0 < ε₁
  positive hEps2Pos : 0 < ε₂
  positive hEps3Pos : 0 < ε₃
  smooth ⟨trivial, Layer.smooth_stack (l := gpt2BlockLayer c scale ε₁ ε₂) (fun _ =>
      ⟨fun _ => Spec.variance_add_pos hEps1Pos _, fun _ => Mask.causal_allows,
        fun _ => Spec.variance_add_pos hEps2Pos _, fun _ => trivial⟩) depth 0 _,
    fun _ => Spec.variance_add_pos hEps3Pos _⟩

end PostNorm
