"""Statements as propositions: what Lean exports as terms, parsed, and how each is judged."""
