import PostNorm.Block.T5.Decoder
import PostNorm.Block.T5.Encoder

/-! # T5's blocks

Self-attention with relative-position biases, RMSNorm before each sublayer, no biases. -/
