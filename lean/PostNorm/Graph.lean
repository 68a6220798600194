import PostNorm.Graph.Compile
import PostNorm.Graph.Compose
import PostNorm.Graph.Notation

/-! # Graphs: what they are, their values, their derivatives, their compiled form -/
