"""Runs graphs: values, JVP and VJP, dual numbers, derivatives without rules, and enclosures."""
