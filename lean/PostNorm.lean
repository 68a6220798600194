import PostNorm.Block.AtReal
import PostNorm.Block.Activated
import PostNorm.Block.BiasedEncoder
import PostNorm.Block.Decoder
import PostNorm.Block.GatedBlock
import PostNorm.Block.GatedModels
import PostNorm.Block.LanguageModel
import PostNorm.Block.MaskedPreNorm
import PostNorm.Block.Stack
import PostNorm.Block.T5
import PostNorm.Block.Tokens
import PostNorm.Block.UsualGelu
import PostNorm.Calculus
import PostNorm.Capture
import PostNorm.Export
import PostNorm.Export.ActivatedBlock
import PostNorm.Export.BiasedBlock
import PostNorm.Export.Decoder
import PostNorm.Export.Models
import PostNorm.Export.RmsNorm
import PostNorm.Export.Stack
import PostNorm.Export.T5
import PostNorm.Field
import PostNorm.Graph
import PostNorm.Layers.CrossEntropy
import PostNorm.Layers.LayerNorm
import PostNorm.Layers.LogProbabilities
import PostNorm.Real
import PostNorm.Run.Command

/-! # Post-norm Transformer layers as graphs: what they compute, their derivatives, backpropagation

Everything is proved over any `R` with `[RealField R]`, without Mathlib, and the block's theorems also at the
constructed real numbers.  See `lean/README.md` for an overview. -/
