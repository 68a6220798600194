"""Kernels other than the engine's own, and theorems that one of them refuses."""
