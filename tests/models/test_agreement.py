"""Two numbers agree, differ, or rounding hides which."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.models.agreement import scalar_agreement
from numeric.judge.measurement import Outcome


@pytest.mark.parametrize(
    ("right", "size", "noise", "outcome"),
    [
        (1.0, 1.0, 0.0, Outcome.HOLDS),
        (1.0 + 1e-11, 1.0, 0.0, Outcome.FAILS),
        (1.0 + 4e-13, 1.0, 0.0, Outcome.HOLDS),  # a constant of ten digits
        (1.0 + 4e-12, 1.0, 1e-12, Outcome.HOLDS),
        (1.0 + 1e-11, 1.0, 1e-12, Outcome.HOLDS),
        (1.0 + 1e-3, 1.0, 1e-4, Outcome.UNDECIDED),
        (2.0, np.inf, 0.0, Outcome.UNDECIDED),  # relative to infinity everything is small
        (2.0, np.nan, 0.0, Outcome.UNDECIDED),
        (np.nan, 1.0, 0.0, Outcome.UNDECIDED),
    ],
)
def test_the_two_rules(right: float, size: float, noise: float, outcome: Outcome) -> None:
    assert scalar_agreement("a", "b", 1.0, right, size, lambda: noise).outcome is outcome
