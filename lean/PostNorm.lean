import PostNorm.Export
import PostNorm.Field
import PostNorm.Calculus
import PostNorm.Graph
import PostNorm.Layers.LayerNorm

/-! # Post-norm Transformer layers as graphs: what they compute, their derivatives, backpropagation

Everything is proved over any `R` with `[RealField R]`, without Mathlib.  `lean/README.md` says where to begin. -/
