"""The terminal report, beyond what the commands' own tests cover."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from bridge.report.table import Detail, print_table, render_table
from bridge.verdict import LeanStatus, Verdict
from tests.report.samples import REPORTS, all_holds, realistic


def test_a_hypothesis_that_is_needed_says_so_in_its_row() -> None:
    lines = render_table(realistic(), width=120).splitlines()
    assert [line for line in lines if "hVarEpsPos" in line and "needed on 14 of 30" in line]
    assert "needed" not in " ".join(line for line in lines if line.lstrip().startswith("hStdNe0"))


@pytest.mark.parametrize("detail", Detail)
@pytest.mark.parametrize("name", REPORTS)
def test_lines_fit_a_terminal_and_end_without_blanks(name: str, detail: Detail) -> None:
    lines = render_table(REPORTS[name](), width=80, detail=detail).splitlines()
    assert lines
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)


def test_a_theorem_that_holds_is_one_line_under_its_file() -> None:
    report = all_holds()
    lines = render_table(report, detail=Detail.THEOREMS).splitlines()
    for name in {e.obligation.declaration for e in report.entries}:
        (line,) = [line for line in lines if name in line.split()]
        number, shown, lean, *numbers = line.split()
        of = [e for e in report.entries if e.obligation.declaration == name]
        assert (number, shown, lean) == (str(of[0].obligation.line), name, "proved")
        assert " ".join(numbers) == ("1 holds" if len(of) == 1 else f"{len(of)} hold")
    for file in {e.file for e in report.entries if e.file}:
        assert lines.count(file) == 1


def test_only_failures_are_printed_in_full() -> None:
    report = realistic()
    printed = render_table(report, width=120, detail=Detail.THEOREMS)
    lines = [line.strip() for line in printed.splitlines()]
    for e in report.entries:
        urgent = e.verdict not in (Verdict.HOLDS, Verdict.WAIVED, Verdict.CERTIFIED)
        rows = [row for row in lines if row.split()[:1] == [e.obligation.binder]]
        assert any(e.verdict.value in row for row in rows) or not urgent
    assert "counterexample to conclusion" in printed
    assert "obligations replay" in printed
    assert not [row for row in lines if row.startswith("hVarEpsPos")], "it holds"


@pytest.mark.parametrize("status", [LeanStatus.SORRY, LeanStatus.AXIOM])
def test_a_theorem_that_is_not_proved_is_never_a_quiet_line(status: LeanStatus) -> None:
    report = all_holds()
    *others, last = report.entries
    lean = dataclasses.replace(last.obligation.lean, status=status)
    last = dataclasses.replace(last, obligation=dataclasses.replace(last.obligation, lean=lean))
    report = dataclasses.replace(report, entries=(*others, last))
    rows = [
        line.split()
        for line in render_table(report, detail=Detail.THEOREMS).splitlines()
        if line.split()[:1] == [last.obligation.binder]
    ]
    assert [row[1] for row in rows] == [status.value]


@pytest.mark.parametrize("name", REPORTS)
def test_every_depth_ends_with_the_same_summary(name: str) -> None:
    report = REPORTS[name]()
    quiet, *more = (render_table(report, detail=detail) for detail in Detail)
    summary = quiet.split("\n\n", 1)[1]
    assert summary.endswith(f"exit code {report.exit_code}\n")
    assert all(printed.endswith(summary) for printed in more)


def test_a_terminal_gets_the_same_words_in_colour() -> None:
    shown = {}
    for terminal in (True, False):
        buffer = io.StringIO()
        console = Console(
            file=buffer, width=100, force_terminal=terminal, color_system="truecolor", record=True
        )
        print_table(realistic(), console, Detail.THEOREMS)
        shown[terminal] = buffer.getvalue(), console.export_text()
    assert "\x1b[" in shown[True][0]
    assert "\x1b[" not in shown[False][0]
    plain = [line.rstrip() for line in shown[True][1].splitlines()]
    assert plain == shown[False][0].splitlines()
