import PostNorm.Block.Decoder
import PostNorm.Block.GatedBlock
import PostNorm.Block.MaskedPreNorm
import PostNorm.Export.Block
import PostNorm.Layers.LogProbabilities

/-! # The graphs of gated, masked and grouped layers and of the blocks made of them, for export

A mask is part of the graph.  The exported graphs have a causal mask; for softmax alone row `i` sees its first `i + 1`
entries, in cross attention and in the original decoder the first `visible` tokens of the memory are not padding, in
Mistral's block a token sees the two before it.  The target of row `i` is `i` modulo the number of classes.

## Main definitions

* `swiGluGraphFamily`, `geGluGraphFamily`, `geGluTanhGraphFamily`, `rmsNormOffsetGraphFamily`,
  `softmaxOverGraphFamily`, `rotaryGraphFamily`, `crossMhaGraphFamily`, `groupedMhaGraphFamily`.
* `gpt2BlockGraphFamily`, `llamaBlockGraphFamily`, `mistralBlockGraphFamily`, `gemmaBlockGraphFamily`,
  `decoderBlockGraphFamily`, `crossEntropyGraphFamily`, `logSoftmaxGraphFamily`. -/

namespace PostNorm
open Obligations (GraphFamily)

/-- One graph for every choice of the sizes. -/
def sizedFamily (graph : Lean.Name) (sizes : List (String × Nat)) (constants : List NamedConstant)
    (inputs : List String) (g : List Nat → Option (Sigma fun Γ => Sigma fun s => Graph NamedConstant Γ s)) :
    GraphFamily where
  graph
  sizes
  constants := constants.filterMap fun c => c.symbol.map fun s => (s, c.value)
  toJson values := match g values with
    | some ⟨_, _, g⟩ => g.toJson graph ((sizes.map (·.1)).zip values) inputs
    | none => throw s!"{graph} has the sizes {", ".intercalate (sizes.map (·.1))}"

/-- A graph of a gated feed-forward layer. -/
private def gatedFamily (graph : Lean.Name)
    (g : (n m f : Nat) → Graph NamedConstant (ΓGated n m f) ⟦n, m⟧) : GraphFamily :=
  sizedFamily graph [("seqLen", 3), ("dModel", 4), ("dFF", 5)] [] ["x", "Wg", "Wu", "Wd"] fun
    | [n, m, f] => some ⟨_, _, g n m f⟩
    | _ => none

/-- The gated feed-forward layer with SiLU. -/
@[graph_family] def swiGluGraphFamily : GraphFamily := gatedFamily ``swiGluGraph fun _ _ _ => swiGluGraph

/-- The gated feed-forward layer with exact GELU. -/
@[graph_family] def geGluGraphFamily : GraphFamily := gatedFamily ``geGluGraph fun _ _ _ => geGluGraph

/-- The gated feed-forward layer with tanh-GELU. -/
@[graph_family] def geGluTanhGraphFamily : GraphFamily :=
  gatedFamily ``geGluTanhGraph fun _ _ _ => geGluTanhGraph geluNamedConstants

/-- The number that Gemma adds to its weights. -/
def oneConstant : NamedConstant := { value := 1 }

/-- RMSNorm with scale `1 + gamma`. -/
@[graph_family] def rmsNormOffsetGraphFamily : GraphFamily :=
  sizedFamily ``rmsNormOffsetGraph [("seqLen", 3), ("dModel", 4)] [epsConstant] ["x", "gamma"] fun
    | [n, d] => some ⟨_, ⟦n, d⟧, rmsNormOffsetGraph oneConstant epsConstant⟩
    | _ => none

/-- Softmax over the first entries of each row of a matrix. -/
@[graph_family] def softmaxOverGraphFamily : GraphFamily :=
  sizedFamily ``softmaxOverGraph [("seqLen", 3), ("dModel", 4)] [] ["x"] fun
    | [n, d] => some ⟨_, ⟦n, d⟧, softmaxOverGraph fun (c : Shape.Coord ⟦n⟧) j => decide (j.val ≤ c.2.val)⟩
    | _ => none

/-- Rotary positions. -/
@[graph_family] def rotaryGraphFamily : GraphFamily :=
  sizedFamily ``rotaryGraph [("numHeads", 2), ("seqLen", 3), ("headDim", 4)] [] ["x", "cos", "sin"] fun
    | [h, n, d] => some ⟨ΓRotary h n d, _, rotaryGraph⟩
    | _ => none

/-- Cross attention, where the first tokens of the memory are not padding. -/
@[graph_family] def crossMhaGraphFamily : GraphFamily :=
  sizedFamily ``crossMhaGraph [("seqLen", 3), ("memoryLen", 4), ("dModel", 8), ("dMemory", 6), ("numHeads", 2),
      ("headDim", 4), ("visible", 2)] []
    ["x", "memory", "Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo"] fun
    | [n, m, d, e, h, k, v] => some ⟨ΓCrossMha n m d e h k, _,
        crossMhaGraph (Mask.padding fun j => decide (j.val < v)) (scaleConstant k)⟩
    | _ => none

/-- The sizes of attention with grouped heads, and small values for them. -/
def groupedSizes : List (String × Nat) :=
  [("seqLen", 3), ("dModel", 8), ("numGroups", 2), ("perGroup", 2), ("headDim", 4)]

/-- The names of its inputs. -/
def groupedInputs : List String := ["x", "Wq", "Wk", "Wv", "Wo", "cos", "sin"]

/-- Attention with grouped heads, rotary positions and a causal mask. -/
@[graph_family] def groupedMhaGraphFamily : GraphFamily :=
  sizedFamily ``groupedMhaGraph groupedSizes [] groupedInputs fun
    | [n, m, g, r, d] => some ⟨ΓGroupedMha n m g r d, _, groupedMhaGraph Mask.causal (scaleConstant d)⟩
    | _ => none

/-- The names of the inputs of GPT-2's block. -/
def gpt2BlockInputs : List String :=
  ["x", "Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo", "gamma1", "beta1", "gamma2", "beta2", "W1", "b1", "W2", "b2"]

/-- GPT-2's block. -/
@[graph_family] def gpt2BlockGraphFamily : GraphFamily :=
  sizedFamily ``gpt2BlockGraph [("seqLen", 3), ("dModel", 8), ("numHeads", 2), ("headDim", 4), ("dFF", 5)]
    [eps1Constant, eps2Constant]
    gpt2BlockInputs fun
    | [n, m, h, d, f] => some ⟨ΓMaskedPreNorm n m h d f, _,
        gpt2BlockGraph geluNamedConstants (scaleConstant d) eps1Constant eps2Constant⟩
    | _ => none

/-- The names of the inputs of a block with a gated feed-forward layer. -/
def gatedBlockInputs : List String := groupedInputs ++ ["gamma1", "gamma2", "Wg", "Wu", "Wd"]

/-- A block with a gated feed-forward layer. -/
private def gatedBlockFamily (graph : Lean.Name)
    (g : (n m g r d f : Nat) → Graph NamedConstant (ΓGatedBlock n m g r d f) ⟦n, m⟧) : GraphFamily :=
  sizedFamily graph (groupedSizes ++ [("dFF", 5)]) [eps1Constant, eps2Constant]
    gatedBlockInputs fun
    | [n, m, k, r, d, f] => some ⟨_, _, g n m k r d f⟩
    | _ => none

/-- LLaMA's block. -/
@[graph_family] def llamaBlockGraphFamily : GraphFamily :=
  gatedBlockFamily ``llamaBlockGraph fun _ _ _ _ d _ => llamaBlockGraph (scaleConstant d) eps1Constant eps2Constant

/-- Mistral's block, with a window of three tokens. -/
@[graph_family] def mistralBlockGraphFamily : GraphFamily :=
  gatedBlockFamily ``mistralBlockGraph fun _ _ _ _ d _ =>
    mistralBlockGraph 2 (scaleConstant d) eps1Constant eps2Constant

/-- Gemma's block. -/
@[graph_family] def gemmaBlockGraphFamily : GraphFamily :=
  gatedBlockFamily ``gemmaBlockGraph fun _ _ _ _ d _ =>
    gemmaBlockGraph geluNamedConstants oneConstant (scaleConstant d) eps1Constant eps2Constant

/-- The third LayerNorm's `ε`. -/
def eps3Constant : NamedConstant := { value := 1e-5, symbol := some "eps3" }

/-- The names of the weights and biases of attention. -/
private def attentionInputs : List String := ["Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo"]

/-- The original Transformer's decoder block, where the first tokens of the memory are not padding. -/
@[graph_family] def decoderBlockGraphFamily : GraphFamily :=
  sizedFamily ``decoderBlockGraph
    [("seqLen", 3), ("memoryLen", 4), ("dModel", 8), ("numHeads", 2), ("headDim", 4), ("dFF", 5), ("visible", 2)]
    [eps1Constant, eps2Constant, eps3Constant]
    (["x", "memory"] ++ attentionInputs ++ attentionInputs.map ("cross." ++ ·) ++
      ["gamma1", "beta1", "gamma2", "beta2", "gamma3", "beta3", "W1", "b1", "W2", "b2"]) fun
    | [n, m, d, h, k, f, v] => some ⟨ΓDecoderBlock n m d h k f, _,
        decoderBlockGraph (Mask.padding fun j => decide (j.val < v)) (scaleConstant k) eps1Constant eps2Constant
          eps3Constant⟩
    | _ => none

/-- The index `i` modulo a size, in place of given tokens and targets. -/
def cyclic (n v : Nat) (hv : 0 < v) : Fin n → Fin v := fun i => ⟨i.val % v, Nat.mod_lt _ hv⟩

/-- Cross-entropy. -/
@[graph_family] def crossEntropyGraphFamily : GraphFamily :=
  sizedFamily ``crossEntropyGraph [("seqLen", 3), ("classes", 4)] [] ["x"] fun
    | [n, v] => if hv : 0 < v then some ⟨_, _, crossEntropyGraph (cyclic n v hv)⟩ else none
    | _ => none

/-- Log-softmax of the rows of a matrix. -/
@[graph_family] def logSoftmaxGraphFamily : GraphFamily :=
  sizedFamily ``logSoftmaxGraph [("seqLen", 3), ("classes", 4)] [] ["x"] fun
    | [n, v] => some ⟨_, ⟦n, v⟧, logSoftmaxGraph⟩
    | _ => none

end PostNorm
