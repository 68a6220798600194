"""What is compared and when it agrees: identities, fidelity, tolerances, and the measurement."""
