"""A verdict is certified only if every box is enclosed; otherwise it stays and says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bridge.checking import Check, CheckResult, run_check
from bridge.checking.certify import certifiable, certify
from bridge.checking.check_run import CheckRun
from bridge.verdict import Role, Verdict
from numeric.instances.case import Case
from tests.checks.graphs import graphs_for
from tests.checks.pairs import pairs

KEY = "encoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm2StdNe0"
CHECKS = dict(pairs())


def certified(check: Check, key: str, radius: float = 1e-6, instances: int = 24) -> CheckResult:
    graphs = graphs_for([check])
    result = run_check(CheckRun(check, [], graphs, key, 0), instances=instances)
    run = CheckRun(check, (), graphs, key, 0)
    assert certifiable(run, result)
    return certify(run, result, instances=instances, radius=radius)


@pytest.mark.parametrize(
    "key", [k for k, c in CHECKS.items() if c.encloses is not None and "ncoderBlock" in k][:12]
)
def test_every_side_condition_of_the_block_is_certified(key: str) -> None:
    result = certified(CHECKS[key], key)
    assert result.verdict is Verdict.CERTIFIED
    assert "the whole box of radius 1e-06 around each" in result.reason
    made = result.certificate
    assert made is not None
    assert made.instances == made.enclosed == result.instances
    assert made.least > 0


def test_every_side_condition_can_be_certified() -> None:
    for key, check in CHECKS.items():
        # That a row is constant, or the only channel's, holds in no box around it.
        if check.role is Role.HYPOTHESIS and check.refuted_by and not check.within:
            assert check.encloses is not None, key


def test_the_instance_alone_is_a_box_too() -> None:
    assert "box of radius 0, itself" in certified(CHECKS[KEY], KEY, 0.0).reason


def test_an_undecided_box_is_reported_and_not_certified() -> None:
    def half(case: Case, *, radius: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        assert radius == 0.25
        return np.where(case.batch.indices % 2 == 1, 0.0, 1.0)

    result = certified(replace(CHECKS[KEY], encloses=half), KEY, 0.25)
    assert result.verdict is Verdict.HOLDS
    assert "leaves 12 of 24 instances open with the box of radius 0.25" in result.reason
    assert "first family 'generic', instance 1" in result.reason
    assert result.certificate is not None
    assert (result.certificate.enclosed, result.certificate.least) == (12, 0.0)


def test_what_fails_or_has_no_enclosure_is_not_certified() -> None:
    run = CheckRun(CHECKS[KEY], (), {}, KEY, 0)
    assert not certifiable(run, CheckResult(Verdict.FAILS, "", 1, 1))
    conclusion = CheckRun(CHECKS["layerNorm_eval:conclusion"], (), {}, "layerNorm_eval", 0)
    assert not certifiable(conclusion, CheckResult(Verdict.HOLDS, "", 1, 1))
