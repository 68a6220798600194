import PostNorm.Export.LayerNorm

/-! # Graphs for the numeric side -/
