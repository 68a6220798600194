"""The table of planted errors as a person and as a program read it."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from bridge.checking.mutation_report import Cell, CheckScore, MutantRow, MutationReport, Raised
from bridge.report.mutants import (
    exit_code_of,
    mutants_json,
    mutants_markdown,
    mutants_renderable,
)

LONG = "vjp of layer1.mha.softmax.weights, argument 1: one in a million"
CHECKS = (
    CheckScore("blockGraph", "block_backprop_is_the_adjoint", ("a:conclusion",), 2),
    CheckScore("blockGraph", "eps_is_positive", ("a:hEpsPos",), 1),
)


def row(name: str, kind: str, *cells: Cell) -> MutantRow:
    return MutantRow("blockGraph", name, kind, cells)


BROKE = Raised("eps_is_positive", "ValueError: no [b]such[/b] shape")
FOUND = row(
    LONG,
    "derivative: a term is off by 1e-6",
    Cell("generic", ("block_backprop_is_the_adjoint",)),
    Cell("seq_len 1", (), "the softmax of one score is 1"),
)
ROWS = (
    FOUND,
    row("no [b]skip[/b]", "an edge is dropped", Cell("generic", ("eps_is_positive",))),
)


def report(
    *rows: MutantRow, checks: tuple[CheckScore, ...] = CHECKS, planned: int | None = None
) -> MutationReport:
    count = len(rows) if planned is None else planned
    return MutationReport(0, 4, ("generic", "seq_len 1"), checks, rows, count)


def printed(found: MutationReport, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(mutants_renderable(found))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_and_ends_with_the_score(width: int) -> None:
    text = printed(report(*ROWS), width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "blockGraph: 2 of 2 planted errors are found" in text
    assert "no [b]skip[/b]" in text
    assert "not at seq_len 1, 1 error: the softmax of one score is 1" in text
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[-3:] == [
        "2 of 2 planted errors are found",
        "2 of 2 checks find one",
        "exit code 0",
    ]


def test_each_check_has_a_letter_in_the_column_of_its_errors() -> None:
    lines = printed(report(*ROWS), 120).splitlines()
    assert any(line.split() == ["a", "finds", "2", CHECKS[0].name] for line in lines)
    assert next(line for line in lines if LONG in line).split()[-3:] == ["a·", "seq_len", "1"]
    assert next(line for line in lines if "no [b]skip[/b]" in line).rstrip().endswith("·b")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (report(row("lost", "k", Cell("generic", ()))), "survives: blockGraph: lost"),
        (
            report(row("half", "k", Cell("generic", ("eps_is_positive",)), Cell("tall", ()))),
            "survives at tall for no known reason: blockGraph: half",
        ),
        (
            report(*ROWS, checks=(*CHECKS, CheckScore("blockGraph", "idle", ("a:hIdle",), 0))),
            "finds nothing: idle on blockGraph",
        ),
        (
            report(*ROWS, row("odd", "k", Cell("generic", ("eps_is_positive",), raised=(BROKE,)))),
            "raises on 1 error: eps_is_positive on blockGraph: ValueError: no [b]such[/b] shape",
        ),
        (report(FOUND, planned=9), "interrupted after 1 of 9: 1 of 1 planted errors are found"),
    ],
)
def test_missing_entries_are_named_in_every_format(found: MutationReport, said: str) -> None:
    assert exit_code_of(found) == 4
    text = printed(found, 100)
    assert said in text
    assert text.rstrip().endswith("exit code 4")
    assert said in mutants_markdown(found).replace("\\", "")
    assert json.loads(mutants_json(found))["exit_code"] == 4


def test_an_error_for_some_families_alone_says_for_which() -> None:
    cell = Cell("constant rows", ("eps_is_positive",))
    found = report(MutantRow("blockGraph", "no root", "k", (cell,), ("constant rows", "d_model 1")))
    assert "no root, for constant rows" in printed(found, 80)
    assert json.loads(mutants_json(found))["mutants"][0]["within"] == ["constant rows", "d_model 1"]


def test_the_json_holds_everything() -> None:
    data = json.loads(mutants_json(report(*ROWS)))
    assert data["exit_code"] == 0
    assert data["interrupted"] is False
    assert data["mutants"][0]["families"]["seq_len 1"] == {
        "killed_by": [],
        "reason": "the softmax of one score is 1",
        "raised": [],
    }
    assert data["checks"][1] == {
        "graph": "blockGraph",
        "check": "eps_is_positive",
        "keys": ["a:hEpsPos"],
        "found": 1,
    }
    assert {k["kind"]: (k["planted"], k["found"]) for k in data["kinds"]} == {
        "derivative: a term is off by 1e-6": (1, 1),
        "an edge is dropped": (1, 1),
    }


def test_nothing_planted_is_not_a_success() -> None:
    assert exit_code_of(report()) == 4
