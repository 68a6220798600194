import PostNorm.Block.GatedModels
import PostNorm.Export.Decoder

/-! # The graphs of language models up to their loss, for export

Token `i` is `i` modulo the size of the vocabulary, and its target is the next token.

## Main definitions

* `gpt2ModelGraphFamily`, `llamaModelGraphFamily`, `gemmaModelGraphFamily`. -/

namespace PostNorm
open Obligations (GraphFamily)

/-- A language model: its sizes without `vocab` and `depth`, the names of its inputs outside its blocks and of a
block's. -/
private def modelFamily (graph : Lean.Name) (sizes : List (String × Nat)) (outside block : List String)
    (g : (sizes : List Nat) → (vocab : Nat) → 0 < vocab → (depth : Nat) →
      Option (Sigma fun Γ => Graph NamedConstant Γ ⟦⟧)) : GraphFamily where
  graph
  sizes := sizes ++ [("vocab", 4), ("depth", 2)]
  constants := [eps1Constant, eps2Constant, eps3Constant].filterMap fun c => c.symbol.map fun s => (s, c.value)
  toJson values :=
    let names := sizes.map (·.1) ++ ["vocab", "depth"]
    let (own, others) := values.splitAt sizes.length
    match others with
    | [vocab, depth] =>
      if hv : 0 < vocab then
        match g own vocab hv depth with
        | some ⟨_, g⟩ => g.toJson graph (names.zip values) (outside ++ (List.range depth).flatMap fun k =>
            (block.drop 1).map fun i => s!"layer{k}.{i}")
        | none => throw s!"{graph} has the sizes {names}"
      else throw s!"{graph} has tokens: its vocab is positive"
    | _ => throw s!"{graph} has the sizes {names}"

/-- The target of a token: the next one. -/
private def next (n vocab : Nat) (hv : 0 < vocab) : Fin n → Fin vocab := fun i => cyclic (n + 1) vocab hv i.succ

/-- GPT-2 up to its loss. -/
@[graph_family] def gpt2ModelGraphFamily : GraphFamily :=
  modelFamily ``gpt2ModelGraph [("seqLen", 3), ("dModel", 8), ("numHeads", 2), ("headDim", 4), ("dFF", 5)]
    ["table", "positions", "gamma", "beta"] gpt2BlockInputs fun
    | [n, m, h, d, f] => fun v hv depth => some ⟨ΓGpt2Model n m h d f v depth,
        gpt2ModelGraph geluNamedConstants (scaleConstant d) eps1Constant eps2Constant eps3Constant (cyclic n v hv)
          (next n v hv) depth⟩
    | _ => fun _ _ _ => none

/-- LLaMA up to its loss. -/
@[graph_family] def llamaModelGraphFamily : GraphFamily :=
  modelFamily ``llamaModelGraph (groupedSizes ++ [("dFF", 5)]) ["table", "gamma", "head"] gatedBlockInputs fun
    | [n, m, k, r, d, f] => fun v hv depth => some ⟨ΓLlamaModel n m k r d f v depth,
        llamaModelGraph (scaleConstant d) eps1Constant eps2Constant eps3Constant (cyclic n v hv) (next n v hv) depth⟩
    | _ => fun _ _ _ => none

/-- Gemma up to its loss. -/
@[graph_family] def gemmaModelGraphFamily : GraphFamily :=
  modelFamily ``gemmaModelGraph (groupedSizes ++ [("dFF", 5)]) ["table", "gamma"] gatedBlockInputs fun
    | [n, m, k, r, d, f] => fun v hv depth => some ⟨ΓGemmaModel n m k r d f v depth,
        gemmaModelGraph geluNamedConstants oneConstant { value := m.toFloat.sqrt } (scaleConstant d) eps1Constant
          eps2Constant eps3Constant (cyclic n v hv) (next n v hv) depth⟩
    | _ => fun _ _ _ => none

end PostNorm
