import PostNorm.Block.Activated.PostNorm
import PostNorm.Block.Activated.PreNorm

/-! # Encoder blocks with biases and mask, over any activation, post-norm and pre-norm -/
