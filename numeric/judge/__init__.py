"""Comparisons and when they agree: identities, fidelity, tolerances, and the measurement."""
