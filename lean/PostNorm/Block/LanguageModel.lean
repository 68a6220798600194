import PostNorm.Block.MaskedPreNorm
import PostNorm.Layers.CrossEntropy

/-! # A language model to its loss

Given tokens are looked up in a table and get their positions; blocks follow, any number of them; then a final
LayerNorm, a head whose weights are the table (tied weights), and cross-entropy with given targets.  The table is an
input that is used twice: its gradient is the sum of both uses.

## Main definitions

* `ΓLanguageModel Γ`: the table, the positions, the final LayerNorm's scale and shift, and the parameters `Γ` of each
  block; `languageModelGraph block`; `Spec.languageModel`.
* `languageModelLayer block`: for any `Layer` that is a block; `gpt2ModelGraph`: with GPT-2's blocks.

## Main statements

* `languageModel_gradient`: of any block, where the model is smooth, backprop from `1` returns the loss's gradient.
* `gpt2Model_eval`, `gpt2Model_hasFDerivAt_of_pos`, `gpt2Model_backprop_eq_adjoint_fderiv_of_pos`, `…_real`: from
  `0 < ε₁`, `0 < ε₂` and `0 < ε₃`, at any depth; `gpt2Model_gradient_of_pos`, `gpt2Model_gradient_real`.

## Sources

* Radford et al., *Language models are unsupervised multitask learners* (GPT-2), and its published code; Press, Wolf,
  *Using the output embedding to improve language models*, arXiv:1608.05859. -/

namespace PostNorm
universe u

section graphs
variable {K : Type u} {seqLen dModel vocab : Nat} {Γ : Context}

/-- The inputs: the table, the positions, the final LayerNorm's scale and shift, and each block's parameters `Γ`. -/
abbrev ΓLanguageModel (seqLen dModel vocab : Nat) (Γ : Context) (depth : Nat) : Context :=
  ⟦vocab, dModel⟧ :: ⟦seqLen, dModel⟧ :: ⟦dModel⟧ :: ⟦dModel⟧ :: Context.copies Γ depth

/-- The rows of a table at given indices, with what is added to each. -/
def embedGraph (tokens : Fin seqLen → Fin vocab) : Graph K [⟦vocab, dModel⟧, ⟦seqLen, dModel⟧] ⟦seqLen, dModel⟧ :=
  graph! table positions =>
  let rows := .gather (fun c : Shape.Coord ⟦seqLen, dModel⟧ => some (((), tokens c.1.2), c.2)) table
  let y := .add rows positions
  return y

/-- The final LayerNorm, the head with the table as its weights, and the loss. -/
def headGraph (ε : K) (target : Fin seqLen → Fin vocab) :
    Graph K [⟦seqLen, dModel⟧, ⟦dModel⟧, ⟦dModel⟧, ⟦vocab, dModel⟧] ⟦⟧ :=
  graph! x gamma beta table =>
  let norm := layerNormGraph ε ⟪x, gamma, beta⟫
  let tableT := .transpose table
  let logits := .matmul norm tableT
  let crossEntropy := crossEntropyGraph target ⟪logits⟫
  return crossEntropy

/-- A language model to its loss. -/
def languageModelGraph (block : Graph K (⟦seqLen, dModel⟧ :: Γ) ⟦seqLen, dModel⟧) (ε : K)
    (tokens target : Fin seqLen → Fin vocab) (depth : Nat) :
    Graph K (ΓLanguageModel seqLen dModel vocab Γ depth) ⟦⟧ :=
  .letIn "embedded" (.call "embed" (embedGraph tokens) (.cons .here (.cons (.there .here) .nil))) <|
  .letIn "blocks" (.call "blocks" (block.stack depth) (.cons .here
    ((Args.id (Context.copies Γ depth)).map fun i => .there (.there (.there (.there (.there i))))))) <|
  .call "head" (headGraph ε target) (.cons .here (.cons (.there (.there (.there (.there .here))))
    (.cons (.there (.there (.there (.there (.there .here))))) (.cons (.there (.there .here)) .nil))))

/-- GPT-2 to its loss: no token looks at a later one. -/
def gpt2ModelGraph {numHeads headDim dFF : Nat} (c : GeluConstants K) (scale ε₁ ε₂ ε₃ : K)
    (tokens target : Fin seqLen → Fin vocab) (depth : Nat) :
    Graph K (ΓLanguageModel seqLen dModel vocab (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth) ⟦⟧ :=
  languageModelGraph (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail) (gpt2BlockGraph c scale ε₁ ε₂)
    ε₃ tokens target depth

end graphs
section
variable {R : Type u} [RealField R] {seqLen dModel vocab : Nat} {Γ : Context}

section spec
variable (block : Env R (⟦seqLen, dModel⟧ :: Γ) → Tensor R ⟦seqLen, dModel⟧) (ε : R)
  (tokens target : Fin seqLen → Fin vocab) {depth : Nat} (ρ : Env R (ΓLanguageModel seqLen dModel vocab Γ depth))

/-- The tokens' rows of the table, with their positions. -/
noncomputable def modelEmbedded : Fin seqLen → Fin dModel → R := fun i j =>
  (ρ.get .here).mat (tokens i) j + (ρ.get (.there .here)).mat i j

/-- What the first block gets: the embedded tokens, and the parameters of all blocks. -/
noncomputable def modelBlocksInput : Env R (⟦seqLen, dModel⟧ :: Context.copies Γ depth) :=
  Env.cons (Tensor.ofMat (modelEmbedded tokens ρ)) ρ.tail.tail.tail.tail

/-- What the last block returns. -/
noncomputable def modelBlocks : Fin seqLen → Fin dModel → R :=
  Tensor.mat (Layer.stackFormula block depth (modelBlocksInput tokens ρ))

/-- The logits: the product of each normalized row with each row of the table. -/
noncomputable def modelLogits : Fin seqLen → Fin vocab → R :=
  Spec.matmul (Spec.layerNorm ε (ρ.get (.there (.there .here))).vec (ρ.get (.there (.there (.there .here)))).vec
    (modelBlocks block tokens ρ)) fun j i => (ρ.get .here).mat i j

/-- The loss of a language model: cross-entropy of `LN (blocks (table tokens + positions)) tableᵀ` with the targets. -/
noncomputable def Spec.languageModel : R := Spec.crossEntropy target (modelLogits block ε tokens ρ)

end spec

theorem embed_eval (tokens : Fin seqLen → Fin vocab) (ρ : Env R [⟦vocab, dModel⟧, ⟦seqLen, dModel⟧]) :
    (embedGraph tokens).eval ρ = Tensor.ofMat fun i j =>
      (ρ.get .here).mat (tokens i) j + (ρ.get (.there .here)).mat i j := by
  graph_simp [embedGraph]
  rfl

theorem embedGraph_sideConditions (tokens : Fin seqLen → Fin vocab)
    (ρ : Env R [⟦vocab, dModel⟧, ⟦seqLen, dModel⟧]) : (embedGraph tokens).SideConditions ρ := by
  graph_side_conditions [embedGraph]

theorem head_eval (ε : R) (target : Fin seqLen → Fin vocab)
    (ρ : Env R [⟦seqLen, dModel⟧, ⟦dModel⟧, ⟦dModel⟧, ⟦vocab, dModel⟧]) :
    (headGraph ε target).eval ρ = fun _ => Spec.crossEntropy target
      (Spec.matmul (Spec.layerNorm ε (ρ.get (.there .here)).vec (ρ.get (.there (.there .here))).vec
        (ρ.get .here).mat) fun j i => (ρ.get (.there (.there (.there .here)))).mat i j) := by
  graph_simp [headGraph, layerNorm_eval, crossEntropy_eval]
  rfl

theorem headGraph_sideConditions_iff (ε : R) (target : Fin seqLen → Fin vocab)
    (ρ : Env R [⟦seqLen, dModel⟧, ⟦dModel⟧, ⟦dModel⟧, ⟦vocab, dModel⟧]) :
    (headGraph ε target).SideConditions ρ ↔ ∀ i, 0 < Spec.variance ((ρ.get .here).mat i) + ε := by
  graph_side_conditions [headGraph, layerNormGraph_sideConditions_iff_variance]
  exact and_iff_left (((crossEntropyLayer target).sideConditions_iff _).2 trivial)

omit [RealField R] in
private theorem pull_parameters {depth : Nat} (y : Tensor R ⟦seqLen, dModel⟧)
    (ρ : Env R (ΓLanguageModel seqLen dModel vocab Γ depth)) :
    (Args.cons .here ((Args.id (Context.copies Γ depth)).map
        fun i => .there (.there (.there (.there (.there i)))))).pull (Env.cons y ρ) =
      Env.cons y ρ.tail.tail.tail.tail := by
  rw [Args.pull_cons]
  refine congrArg (Env.cons y) ?_
  rw [Args.pull_map (fun i => .there (.there (.there (.there (.there i))))) _ ρ.tail.tail.tail.tail (Env.cons y ρ)
    fun i => rfl, Args.pull_id]

/-- A language model with its formula; it is smooth where the stack of its blocks and its final LayerNorm are. -/
noncomputable def languageModelLayer (block : Layer R (⟦seqLen, dModel⟧ :: Γ) ⟦seqLen, dModel⟧) (ε : R)
    (tokens target : Fin seqLen → Fin vocab) (depth : Nat) :
    Layer R (ΓLanguageModel seqLen dModel vocab Γ depth) ⟦⟧ where
  graph := languageModelGraph block.graph ε tokens target depth
  formula ρ := fun _ => Spec.languageModel block.formula ε tokens target ρ
  Smooth ρ := (block.stack depth).Smooth (modelBlocksInput tokens ρ) ∧
    ∀ i, 0 < Spec.variance (modelBlocks block.formula tokens ρ i) + ε
  eval_eq ρ := by
    show (headGraph ε target).eval (Args.pull _ (Env.cons ((block.graph.stack depth).eval
      ((Args.cons .here ((Args.id (Context.copies Γ depth)).map
        fun i => .there (.there (.there (.there (.there i)))))).pull
          (Env.cons ((embedGraph tokens).eval (Args.pull _ ρ)) ρ))) _)) = _
    rw [pull_parameters, embed_eval, head_eval]
    have e := fun σ => (block.stack depth).eval_eq σ
    simp only [Layer.stack] at e
    simp only [e, Args.pull_cons, Args.pull_nil, Env.get_here, Env.get_there]
    rfl
  sideConditions_iff ρ := by
    show (embedGraph tokens).SideConditions (Args.pull _ ρ) ∧ (block.graph.stack depth).SideConditions
      ((Args.cons .here ((Args.id (Context.copies Γ depth)).map
        fun i => .there (.there (.there (.there (.there i)))))).pull
          (Env.cons ((embedGraph tokens).eval (Args.pull _ ρ)) ρ)) ∧
      (headGraph ε target).SideConditions (Args.pull _ (Env.cons ((block.graph.stack depth).eval
        ((Args.cons .here ((Args.id (Context.copies Γ depth)).map
          fun i => .there (.there (.there (.there (.there i)))))).pull
            (Env.cons ((embedGraph tokens).eval (Args.pull _ ρ)) ρ))) _)) ↔ _
    rw [pull_parameters, embed_eval, headGraph_sideConditions_iff]
    have e := fun σ => (block.stack depth).eval_eq σ
    have k := fun σ => (block.stack depth).sideConditions_iff σ
    simp only [Layer.stack] at e k
    simp only [e, k, Args.pull_cons, Args.pull_nil, Env.get_here, Env.get_there, embedGraph_sideConditions, true_and]
    rfl

/-- **The gradient of a language model's loss** is what backprop returns from `1`, for blocks of any kind, wherever the
model is smooth. -/
theorem languageModel_gradient (block : Layer R (⟦seqLen, dModel⟧ :: Γ) ⟦seqLen, dModel⟧) (ε : R)
    (tokens target : Fin seqLen → Fin vocab) (depth : Nat)
    {ρ : Env R (ΓLanguageModel seqLen dModel vocab Γ depth)}
    (hSmooth : (languageModelLayer block ε tokens target depth).Smooth ρ)
    (v : Env R (ΓLanguageModel seqLen dModel vocab Γ depth)) :
    fderiv (fun ρ : Env R (ΓLanguageModel seqLen dModel vocab Γ depth) =>
        fun _ : Shape.Coord ⟦⟧ => Spec.languageModel block.formula ε tokens target ρ) ρ v () =
      Env.dot v ((languageModelGraph block.graph ε tokens target depth).backprop ρ fun _ => 1) := by
  have h := (languageModelLayer block ε tokens target depth).hasFDerivAt hSmooth
  have e := (languageModelLayer block ε tokens target depth).gradient hSmooth h v
  rw [← h.fderiv] at e
  exact e

end
section gpt2
variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF vocab : Nat}

/-- GPT-2's block as a layer whose first input is the tokens. -/
noncomputable def gpt2BlockLayer (c : GeluConstants R) (scale ε₁ ε₂ : R) :
    Layer R (⟦seqLen, dModel⟧ :: (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail) ⟦seqLen, dModel⟧ :=
  maskedPreNormLayer (.geluTanh c) Mask.causal scale ε₁ ε₂

/-- If every `ε` is positive, GPT-2 is smooth everywhere. -/
theorem gpt2Model_smooth (c : GeluConstants R) (scale : R) {ε₁ ε₂ ε₃ : R} (tokens target : Fin seqLen → Fin vocab)
    (depth : Nat) (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) (hEps3Pos : 0 < ε₃)
    (ρ : Env R (ΓLanguageModel seqLen dModel vocab (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth)) :
    (languageModelLayer (gpt2BlockLayer c scale ε₁ ε₂) ε₃ tokens target depth).Smooth ρ :=
  ⟨Layer.smooth_stack (l := gpt2BlockLayer c scale ε₁ ε₂) (fun _ => ⟨fun _ => Spec.variance_add_pos hEps1Pos _,
      fun _ => Mask.causal_allows, fun _ => Spec.variance_add_pos hEps2Pos _, fun _ => trivial⟩) depth 0 _,
    fun _ => Spec.variance_add_pos hEps3Pos _⟩

variable (c : GeluConstants R) (scale ε₁ ε₂ ε₃ : R) (tokens target : Fin seqLen → Fin vocab) (depth : Nat)
  (ρ : Env R (ΓLanguageModel seqLen dModel vocab (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth))

/-- The graph of GPT-2 computes the loss, at every input. -/
@[obligation]
theorem gpt2Model_eval : (gpt2ModelGraph c scale ε₁ ε₂ ε₃ tokens target depth).eval ρ = fun _ =>
    Spec.languageModel (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail)
      (fun ρ => Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu c) Mask.causal scale ε₁ ε₂ ρ)) ε₃ tokens target ρ :=
  (languageModelLayer (gpt2BlockLayer c scale ε₁ ε₂) ε₃ tokens target depth).eval_eq ρ

/-- If every `ε` is positive, then forward mode computes the Fréchet derivative of GPT-2's loss, in the table, the
positions and all weights together, at every input and any depth. -/
@[obligation]
theorem gpt2Model_hasFDerivAt_of_pos (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) (hEps3Pos : 0 < ε₃) :
    HasFDerivAt (fun ρ : Env R (ΓLanguageModel seqLen dModel vocab
        (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth) => fun _ : Shape.Coord ⟦⟧ =>
          Spec.languageModel (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail)
            (fun ρ => Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu c) Mask.causal scale ε₁ ε₂ ρ)) ε₃ tokens target ρ)
      ((gpt2ModelGraph c scale ε₁ ε₂ ε₃ tokens target depth).deriv ρ) ρ :=
  (languageModelLayer (gpt2BlockLayer c scale ε₁ ε₂) ε₃ tokens target depth).hasFDerivAt
    (gpt2Model_smooth c scale tokens target depth hEps1Pos hEps2Pos hEps3Pos ρ)

/-- If every `ε` is positive, then backpropagation through GPT-2 is the adjoint of the Fréchet derivative of its loss,
for every seed `δ`, at every input and any depth. -/
@[obligation]
theorem gpt2Model_backprop_eq_adjoint_fderiv_of_pos (δ : Tensor R ⟦⟧) (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂)
    (hEps3Pos : 0 < ε₃) :
    (gpt2ModelGraph c scale ε₁ ε₂ ε₃ tokens target depth).backprop ρ δ =
      (fderiv (fun ρ : Env R (ΓLanguageModel seqLen dModel vocab
        (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth) => fun _ : Shape.Coord ⟦⟧ =>
          Spec.languageModel (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail)
            (fun ρ => Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu c) Mask.causal scale ε₁ ε₂ ρ)) ε₃ tokens target ρ)
        ρ).adjoint δ :=
  (languageModelLayer (gpt2BlockLayer c scale ε₁ ε₂) ε₃ tokens target depth).backprop_eq_adjoint_fderiv
    (gpt2Model_smooth c scale tokens target depth hEps1Pos hEps2Pos hEps3Pos ρ) δ

/-- If every `ε` is positive, then the gradient of GPT-2's loss is what backpropagation returns from `1`: along any
`v`, the derivative of the loss is the inner product of `v` with it. -/
@[obligation]
theorem gpt2Model_gradient_of_pos
    (v : Env R (ΓLanguageModel seqLen dModel vocab (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth))
    (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) (hEps3Pos : 0 < ε₃) :
    fderiv (fun ρ : Env R (ΓLanguageModel seqLen dModel vocab
        (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth) => fun _ : Shape.Coord ⟦⟧ =>
          Spec.languageModel (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail)
            (fun ρ => Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu c) Mask.causal scale ε₁ ε₂ ρ)) ε₃ tokens target ρ)
        ρ v () =
      Env.dot v ((gpt2ModelGraph c scale ε₁ ε₂ ε₃ tokens target depth).backprop ρ fun _ => 1) :=
  languageModel_gradient (gpt2BlockLayer c scale ε₁ ε₂) ε₃ tokens target depth
    (gpt2Model_smooth c scale tokens target depth hEps1Pos hEps2Pos hEps3Pos ρ) v

end gpt2
section real
variable {seqLen dModel numHeads headDim dFF vocab : Nat} (c : GeluConstants Real) (scale ε₁ ε₂ ε₃ : Real)
  (tokens target : Fin seqLen → Fin vocab) (depth : Nat)
  (ρ : Env Real (ΓLanguageModel seqLen dModel vocab (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth))

/-- Over the real numbers, if every `ε` is positive, then forward mode computes the Fréchet derivative of GPT-2's loss,
in the table, the positions and all weights together, at every input and any depth. -/
@[obligation]
theorem gpt2Model_hasFDerivAt_real (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) (hEps3Pos : 0 < ε₃) :
    HasFDerivAt (fun ρ : Env Real (ΓLanguageModel seqLen dModel vocab
        (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth) => fun _ : Shape.Coord ⟦⟧ =>
          Spec.languageModel (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail)
            (fun ρ => Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu c) Mask.causal scale ε₁ ε₂ ρ)) ε₃ tokens target ρ)
      ((gpt2ModelGraph c scale ε₁ ε₂ ε₃ tokens target depth).deriv ρ) ρ :=
  gpt2Model_hasFDerivAt_of_pos c scale ε₁ ε₂ ε₃ tokens target depth ρ hEps1Pos hEps2Pos hEps3Pos

/-- Over the real numbers, if every `ε` is positive, then backpropagation through GPT-2 is the adjoint of the Fréchet
derivative of its loss, for every seed `δ`, at every input and any depth. -/
@[obligation]
theorem gpt2Model_backprop_eq_adjoint_fderiv_real (δ : Tensor Real ⟦⟧) (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂)
    (hEps3Pos : 0 < ε₃) :
    (gpt2ModelGraph c scale ε₁ ε₂ ε₃ tokens target depth).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓLanguageModel seqLen dModel vocab
        (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth) => fun _ : Shape.Coord ⟦⟧ =>
          Spec.languageModel (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail)
            (fun ρ => Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu c) Mask.causal scale ε₁ ε₂ ρ)) ε₃ tokens target ρ)
        ρ).adjoint δ :=
  gpt2Model_backprop_eq_adjoint_fderiv_of_pos c scale ε₁ ε₂ ε₃ tokens target depth ρ δ hEps1Pos hEps2Pos hEps3Pos

/-- Over the real numbers, if every `ε` is positive, then the gradient of GPT-2's loss is what backpropagation returns
from `1`: along any `v`, the derivative of the loss is the inner product of `v` with it. -/
@[obligation]
theorem gpt2Model_gradient_real
    (v : Env Real (ΓLanguageModel seqLen dModel vocab (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth))
    (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) (hEps3Pos : 0 < ε₃) :
    fderiv (fun ρ : Env Real (ΓLanguageModel seqLen dModel vocab
        (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail depth) => fun _ : Shape.Coord ⟦⟧ =>
          Spec.languageModel (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail)
            (fun ρ => Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu c) Mask.causal scale ε₁ ε₂ ρ)) ε₃ tokens target ρ)
        ρ v () =
      Env.dot v ((gpt2ModelGraph c scale ε₁ ε₂ ε₃ tokens target depth).backprop ρ fun _ => 1) :=
  gpt2Model_gradient_of_pos c scale ε₁ ε₂ ε₃ tokens target depth ρ v hEps1Pos hEps2Pos hEps3Pos
end real
end PostNorm
