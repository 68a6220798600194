import PostNorm.Block.T5
import PostNorm.Export.Decoder

/-! # The graphs of T5's layers and blocks, for export

The exported graphs have T5's indices of near positions: the distance to a key that is not later, up to the last
index; in an encoder the first half of the indices is for these, and the second half for later keys.  The first
`visible` tokens are not padding, among the encoder's own and in the decoder's memory.

## Main definitions

* `nearBuckets`, `relativeMhaGraphFamily`; `t5EncoderBlockGraphFamily`, `t5GatedEncoderBlockGraphFamily`,
  `t5DecoderBlockGraphFamily`, `t5GatedDecoderBlockGraphFamily`. -/

namespace PostNorm
open Obligations (GraphFamily)

/-- The index for a query and a key: by their distance, and in an encoder by which comes first. -/
def nearBuckets (encoder : Bool) (n buckets : Nat) (hb : 0 < buckets) : Fin n → Fin n → Fin buckets := fun i j =>
  let half := if encoder then buckets / 2 else buckets
  let index := if j.val ≤ i.val then min (i.val - j.val) (half - 1)
    else if encoder then half + min (j.val - i.val) (half - 1) else 0
  ⟨index % buckets, Nat.mod_lt _ hb⟩

/-- The padding mask, where the first tokens are not padding. -/
def firstTokens (n m visible : Nat) : Mask n m := Mask.padding fun j => decide (j.val < visible)

/-- The names of the weights of attention without biases. -/
private def bareAttentionInputs : List String := ["Wq", "Wk", "Wv", "Wo"]

/-- Attention with relative-position biases. -/
@[graph_family] def relativeMhaGraphFamily : GraphFamily :=
  sizedFamily ``relativeMhaGraph
    [("seqLen", 3), ("dModel", 8), ("numHeads", 2), ("headDim", 4), ("buckets", 6), ("visible", 2)] []
    (["x"] ++ bareAttentionInputs ++ ["table"]) fun
    | [n, m, h, d, b, v] => if hb : 0 < b then
        some ⟨ΓRelativeMha n m h d b, _, relativeMhaGraph (firstTokens n n v) (nearBuckets true n b hb)⟩ else none
    | _ => none

/-- One of T5's encoder blocks. -/
private def t5EncoderFamily (graph : Lean.Name) (weights : List String) (Φ : Nat → Nat → Nat → Context)
    (g : (n m h d b f : Nat) → Mask n n → (Fin n → Fin n → Fin b) →
      Graph NamedConstant (ΓT5Encoder n m h d b (Φ n m f)) ⟦n, m⟧) : GraphFamily :=
  sizedFamily graph
    [("seqLen", 3), ("dModel", 8), ("numHeads", 2), ("headDim", 4), ("buckets", 6), ("dFF", 5), ("visible", 2)]
    [eps1Constant, eps2Constant]
    (["x", "gamma1"] ++ bareAttentionInputs ++ ["table", "gamma2"] ++ weights) fun
    | [n, m, h, d, b, f, v] => if hb : 0 < b then
        some ⟨ΓT5Encoder n m h d b (Φ n m f), _, g n m h d b f (firstTokens n n v) (nearBuckets true n b hb)⟩ else none
    | _ => none

/-- T5's encoder block. -/
@[graph_family] def t5EncoderBlockGraphFamily : GraphFamily :=
  t5EncoderFamily ``t5EncoderBlockGraph ["W1", "W2"] (fun n m f => (ΓBareFfn n m f).tail) fun _ _ _ _ _ _ own near =>
    t5EncoderBlockGraph own near eps1Constant eps2Constant

/-- T5 1.1's encoder block. -/
@[graph_family] def t5GatedEncoderBlockGraphFamily : GraphFamily :=
  t5EncoderFamily ``t5GatedEncoderBlockGraph ["Wg", "Wu", "Wd"] (fun n m f => (ΓGated n m f).tail)
    fun _ _ _ _ _ _ own near => t5GatedEncoderBlockGraph geluNamedConstants own near eps1Constant eps2Constant

/-- One of T5's decoder blocks. -/
private def t5DecoderFamily (graph : Lean.Name) (weights : List String) (Φ : Nat → Nat → Nat → Context)
    (g : (n k m h d b f : Nat) → Mask n k → (Fin n → Fin n → Fin b) →
      Graph NamedConstant (ΓT5Decoder n k m h d b (Φ n m f)) ⟦n, m⟧) : GraphFamily :=
  sizedFamily graph
    [("seqLen", 3), ("memoryLen", 4), ("dModel", 8), ("numHeads", 2), ("headDim", 4), ("buckets", 6), ("dFF", 5),
      ("visible", 2)]
    [eps1Constant, eps2Constant, eps3Constant]
    (["x", "gamma1"] ++ bareAttentionInputs ++ ["table", "gamma2", "memory"] ++
      bareAttentionInputs.map ("cross." ++ ·) ++ ["gamma3"] ++ weights) fun
    | [n, k, m, h, d, b, f, v] => if hb : 0 < b then
        some ⟨ΓT5Decoder n k m h d b (Φ n m f), _,
          g n k m h d b f (firstTokens n k v) (nearBuckets false n b hb)⟩ else none
    | _ => none

/-- T5's decoder block. -/
@[graph_family] def t5DecoderBlockGraphFamily : GraphFamily :=
  t5DecoderFamily ``t5DecoderBlockGraph ["W1", "W2"] (fun n m f => (ΓBareFfn n m f).tail)
    fun _ _ _ _ _ _ _ other near => t5DecoderBlockGraph other near eps1Constant eps2Constant eps3Constant

/-- T5 1.1's decoder block. -/
@[graph_family] def t5GatedDecoderBlockGraphFamily : GraphFamily :=
  t5DecoderFamily ``t5GatedDecoderBlockGraph ["Wg", "Wu", "Wd"] (fun n m f => (ΓGated n m f).tail)
    fun _ _ _ _ _ _ _ other near =>
      t5GatedDecoderBlockGraph geluNamedConstants other near eps1Constant eps2Constant eps3Constant

end PostNorm
