import PostNorm.Block.BiasedEncoder.Derivative

/-! # The encoder block with biases and mask: graph, formula, derivative, and what discharges its side conditions
-/
