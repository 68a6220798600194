import PostNorm.Block.Activated.PostNormGelu
import PostNorm.Block.Activated.PostNormRelu
import PostNorm.Block.Activated.PreNormGelu
import PostNorm.Block.Activated.PreNormGeluTanh
import PostNorm.Block.Activated.PreNormQuickGelu
import PostNorm.Block.Activated.PreNormRelu

/-! # Encoder blocks with biases and mask, over any activation, post-norm and pre-norm -/
