import PostNorm.Export.Block
import PostNorm.Export.LayerNorm

/-! # Graphs for the numeric side -/
