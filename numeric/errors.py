"""Errors that the numeric side raises; every message gives the value and what was expected."""

from __future__ import annotations

__all__ = ["BackendError", "EvaluationError", "GraphError", "NumericError"]


class NumericError(Exception):
    """Base class of the errors that `numeric` raises: unusable input."""


class GraphError(NumericError):
    """An exported graph is malformed, or lacks something that was requested.

    Args:
        where: the node, input or field at fault, such as ``node 'varEps'``.
        problem: what was expected and what was found.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


class EvaluationError(NumericError):
    """Arrays passed to the interpreter do not fit the graph."""


class BackendError(NumericError):
    """A backend cannot be used.

    Args:
        problem: what was requested, and what is wrong with it.
        remedy: what to do next; empty if the problem says so.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.remedy = remedy
