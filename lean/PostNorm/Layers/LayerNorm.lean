import PostNorm.Layers.LayerNorm.Discharge

/-! # LayerNorm: graph, formula, derivative, and what discharges its side conditions -/
