"""Errors to plant: edits of a graph or its derivative, their kinds, and the table of all."""

from numeric.mutants.edits import DerivativeMutant, Edit, GraphMutant, Mutant

__all__ = ["DerivativeMutant", "Edit", "GraphMutant", "Mutant"]
