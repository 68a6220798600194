"""Runs checks: the registry that pairs them with obligations, the work, workers and results."""

from __future__ import annotations

from bridge.checking.check_run import CheckRun
from bridge.checking.margins import Margins
from bridge.checking.registry import (
    Check,
    GraphRequest,
    NamedCheck,
    RegistrationError,
    check,
    graph_requests,
    named_checks,
    registered,
)
from bridge.checking.result import (
    Certificate,
    CheckResult,
    Counterexample,
    FamilyCount,
    Need,
    Witness,
    Worst,
)
from bridge.checking.runner import (
    CheckInterrupted,
    Replay,
    instances,
    measured,
    replay,
    run_check,
)
from bridge.checking.units import Chunk, Found, Here, Probe, Spread, Unit

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
    "NamedCheck",
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
    "measured",
    "named_checks",
    "registered",
    "replay",
    "run_check",
]
