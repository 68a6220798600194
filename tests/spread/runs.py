"""Runs that are distributed, and their results in this process."""

from __future__ import annotations

from pathlib import Path

from bridge.checking import CheckResult, CheckRun, Spread, run_check
from bridge.checking.workers import Place
from tests.checks.graphs import graphs_for, hypotheses_of
from tests.checks.pairs import pairs

ROOT = Path(__file__).parent.parent.parent
PLACE = Place(ROOT)
CONCLUSION = "layerNorm_backpropVec_eq_adjoint_fderiv_at:conclusion"
HYPOTHESIS = "layerNorm_hasFDerivAt:hVarEpsPos"


def result(key: str, spread: Spread | None, instances: int = 3000) -> CheckResult:
    return run_check(run_of(key), instances=instances, spread=spread)


def run_of(key: str) -> CheckRun:
    checks = dict(pairs())
    hypotheses = hypotheses_of(key, checks)
    return CheckRun(checks[key], hypotheses, graphs_for([checks[key], *hypotheses]), key, 0)
