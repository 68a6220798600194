"""The errors that the bridge raises.

A failed check is a verdict, never an exception; these errors are wrong usage, invalid input, or an
engine that broke.  Every error carries the command line's exit code and, if there is one, the next
step to take.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AnswerError",
    "EngineError",
    "HijackedError",
    "InvalidInputError",
    "LeanServerError",
    "LeanSourceError",
    "ObligationsError",
]


class ObligationsError(Exception):
    """Base class of everything the bridge raises on purpose.

    Args:
        message: what is wrong, with the offending value.
        remedy: what to do next; empty if there is no sensible advice.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class InvalidInputError(ObligationsError):
    """The user's input cannot be used: a malformed graph, an unknown key, no lakefile."""

    exit_code = 2


class HijackedError(ObligationsError):
    """The audited project overrides the audit's commands: none of its answers can be trusted."""

    exit_code = 1


class EngineError(ObligationsError):
    """There is no Lean engine, or it broke."""

    exit_code = 3


class LeanServerError(EngineError):
    """Lean's server, or the process that served the request, died.  Asking again may help."""


class LeanSourceError(EngineError):
    """Lean rejects a source of the project, so nothing can be said about its theorems."""


class AnswerError(EngineError):
    """Lean's answer is empty, partial, stale or malformed."""

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "run the command again; if it persists, try `obligations doctor`",
    ) -> None:
        super().__init__(message, remedy=remedy)
