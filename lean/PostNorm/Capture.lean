import PostNorm.Capture.Command

/-! # Graphs captured from a running model: proved, and read back -/
