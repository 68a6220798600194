"""Kernels other than the engine's own, and what becomes of a theorem that one of them refuses."""
