"""Numeric checks, each paired with the obligations it is for.

To add one: write a function with `check` in the module of its layer; it is found by itself.
"""

from __future__ import annotations

from bridge.checks.registry import (
    Check,
    GraphRequest,
    RegistrationError,
    check,
    graph_requests,
    registered,
)
from bridge.checks.result import CheckResult, Counterexample, FamilyCount, Worst
from bridge.checks.runner import Replay, replay, run_check

__all__ = [
    "Check",
    "CheckResult",
    "Counterexample",
    "FamilyCount",
    "GraphRequest",
    "RegistrationError",
    "Replay",
    "Worst",
    "check",
    "graph_requests",
    "registered",
    "replay",
    "run_check",
]
