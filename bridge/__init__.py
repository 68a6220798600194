"""Proof obligations of Lean theorems, each paired with a numeric check."""

__version__ = "0.1.0"
