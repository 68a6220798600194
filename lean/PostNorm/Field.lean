import PostNorm.Field.Exp
import PostNorm.Field.Sqrt
import PostNorm.Field.Sum
import PostNorm.Field.Tanh

/-! # Ordered fields with sqrt and exp: facts about one number, and finite sums -/
