import PostNorm.Layers.LayerNorm.Degenerate

/-! # LayerNorm: graph, formula, derivative, what discharges its side conditions, and its degenerate rows -/
