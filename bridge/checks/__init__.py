"""Numeric checks, each paired with the obligations it is for.

To add one: write a function with `check` in the module of its layer; it is found by itself.
"""

from __future__ import annotations

from bridge.checks.check_run import CheckRun
from bridge.checks.margins import Margins
from bridge.checks.registry import (
    Check,
    GraphRequest,
    RegistrationError,
    check,
    graph_requests,
    registered,
)
from bridge.checks.result import (
    Certificate,
    CheckResult,
    Counterexample,
    FamilyCount,
    Need,
    Witness,
    Worst,
)
from bridge.checks.runner import (
    CheckInterrupted,
    Replay,
    instances,
    replay,
    run_check,
)
from bridge.checks.units import Chunk, Found, Here, Probe, Spread, Unit

__all__ = [
    "Certificate",
    "Check",
    "CheckInterrupted",
    "CheckResult",
    "CheckRun",
    "Chunk",
    "Counterexample",
    "FamilyCount",
    "Found",
    "GraphRequest",
    "Here",
    "Margins",
    "Need",
    "Probe",
    "RegistrationError",
    "Replay",
    "Spread",
    "Unit",
    "Witness",
    "Worst",
    "check",
    "graph_requests",
    "instances",
    "registered",
    "replay",
    "run_check",
]
