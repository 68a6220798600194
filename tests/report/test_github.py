"""GitHub annotations: worst first, at most ten, and every line a command of ours."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bridge.report.github import MOST_ANNOTATIONS, render_github
from bridge.verdict import Verdict
from tests.report.parts import entry, obligation
from tests.report.samples import REPORTS, all_holds, empty, hostile, interrupted, realistic

COMMAND = re.compile(r"^::(error|warning|notice) ([a-z]+=[^:,]*)(,[a-z]+=[^:,]*)*::.+$")


@pytest.mark.parametrize("name", REPORTS)
def test_every_line_is_a_command(name: str) -> None:
    for line in render_github(REPORTS[name]()).splitlines():
        assert COMMAND.match(line), line


def test_nothing_to_say() -> None:
    assert render_github(all_holds()) == ""


def test_the_worst_comes_first_with_its_source_line() -> None:
    first = render_github(realistic()).splitlines()[0]
    assert first.startswith(
        "::error file=lean/PostNorm/Layers/LayerNorm/Derivative.lean,line=46,title=layerNorm_"
    )
    assert "%0Areplay: obligations replay" in first


def test_at_most_ten_and_the_rest_is_counted() -> None:
    many = tuple(entry(obligation(f"t:h{i}"), Verdict.UNPAIRED) for i in range(25))
    failing = entry(obligation("t:conclusion"), Verdict.FAILS)
    lines = render_github(replace(all_holds(), entries=(*many, failing))).splitlines()
    assert len(lines) == MOST_ANNOTATIONS + 1
    assert lines[0].startswith("::error ")
    assert lines[-1] == "::notice title=lean-obligations::16 more findings: 16 obligation-unpaired"


@pytest.mark.parametrize("report", [empty, interrupted])
def test_an_incomplete_audit_is_an_error(report: object) -> None:
    assert callable(report)
    assert render_github(report()).startswith("::error title=lean-obligations::")


def test_hostile_text_adds_no_line_and_no_property() -> None:
    lines = render_github(hostile()).splitlines()
    assert len(lines) == 3
    for line in lines:
        properties = line.removeprefix("::").partition("::")[0]
        assert [p.partition("=")[0] for p in properties.partition(" ")[2].split(",")] == [
            "file",
            "line",
            "title",
        ]
