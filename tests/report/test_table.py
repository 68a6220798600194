"""The terminal report, beside what the commands' own tests see of it."""

from __future__ import annotations

import pytest

from bridge.report.table import render_table
from tests.report.samples import REPORTS, realistic


def test_whether_a_hypothesis_is_needed_stands_beside_it() -> None:
    lines = render_table(realistic(), width=120).splitlines()
    told = [line for line in lines if "hVarEpsPos" in line and "needed on 14 of 30" in line]
    assert told
    assert "needed" not in " ".join(line for line in lines if line.lstrip().startswith("hStdNe0"))


@pytest.mark.parametrize("name", REPORTS)
def test_no_line_is_wider_than_a_terminal(name: str) -> None:
    assert all(len(line) <= 80 for line in render_table(REPORTS[name](), width=80).splitlines())
