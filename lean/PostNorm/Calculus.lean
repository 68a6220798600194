import PostNorm.Calculus.Div
import PostNorm.Calculus.Norm
import PostNorm.Calculus.Sqrt
import PostNorm.Calculus.Sum
import PostNorm.Calculus.Tanh
import PostNorm.Calculus.Unique

/-! # Differential calculus on coordinate spaces, one file per operation -/
