import PostNorm.Block.Encoder.Discharge
import PostNorm.Block.Encoder.Saved

/-! # The encoder block: graph, saved values, formula, derivative, and what discharges its side conditions -/
