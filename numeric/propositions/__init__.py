"""Propositions as data: statements in a small typed language, evaluated with enclosures.

:mod:`numeric.propositions.terms` is the language.  Nothing here depends on Lean; the bridge parses
Lean's exports into these values.
"""
