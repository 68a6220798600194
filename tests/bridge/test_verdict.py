"""The exit code: 0 only when everything holds and something was audited."""

from __future__ import annotations

import pytest

from bridge.verdict import LeanStatus, Verdict, exit_code

HOLDS = (Verdict.HOLDS, LeanStatus.PROVED)


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([], 4),
        ([HOLDS], 0),
        ([HOLDS, (Verdict.CERTIFIED, LeanStatus.DISCHARGED)], 0),
        ([HOLDS, (Verdict.WAIVED, LeanStatus.ASSUMED)], 0),
        ([HOLDS, (Verdict.FAILS, LeanStatus.ASSUMED)], 1),
        ([HOLDS, (Verdict.HOLDS, LeanStatus.SORRY)], 1),
        ([HOLDS, (Verdict.HOLDS, LeanStatus.AXIOM)], 1),
        ([HOLDS, (Verdict.UNPAIRED, LeanStatus.ASSUMED)], 4),
        ([HOLDS, (Verdict.STALE, LeanStatus.ASSUMED)], 4),
        ([HOLDS, (Verdict.INCONCLUSIVE, LeanStatus.ASSUMED)], 4),
        ([HOLDS, (Verdict.ERROR, LeanStatus.ASSUMED)], 4),
        ([(Verdict.HOLDS, LeanStatus.UNCHECKED)], 4),
        ([(Verdict.UNPAIRED, LeanStatus.ASSUMED), (Verdict.FAILS, LeanStatus.ASSUMED)], 1),
    ],
)
def test_exit_code(pairs: list[tuple[Verdict, LeanStatus]], code: int) -> None:
    assert exit_code(pairs) == code
