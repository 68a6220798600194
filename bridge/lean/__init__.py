"""From a Lean project to its obligations: ask, verify the answers, take the statements apart."""
