"""Propositions as data: what a theorem says, in a small typed language, evaluated with enclosures.

:mod:`numeric.propositions.terms` is the language.  Nothing here knows Lean; the bridge parses what
Lean exports into these values.
"""
