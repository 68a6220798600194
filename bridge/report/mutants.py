"""Reports of planted errors: which check finds which, as a table, as Markdown and as JSON."""

from __future__ import annotations

import json
import string
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.checking.mutation_report import CheckScore, MutantRow, MutationReport
from bridge.report.escaping import json_text, markdown, markdown_code, one_line

__all__ = ["exit_code_of", "mutants_json", "mutants_markdown", "mutants_renderable"]

LABELS = string.ascii_lowercase + string.ascii_uppercase + string.digits
INCOMPLETE = 4


def exit_code_of(report: MutationReport) -> int:
    """0 if every error is found, every check finds one and none raises, else 4."""
    return 0 if report.complete else INCOMPLETE


def mutants_json(report: MutationReport) -> str:
    """The report with every error, family and check."""
    data = {
        "schema": "obligations-mutation/1",
        "seed": report.seed,
        "instances": report.instances,
        "families": list(report.families),
        "planned": report.planned,
        "interrupted": report.interrupted,
        "exit_code": exit_code_of(report),
        "kinds": [
            {"kind": k.kind, "planted": k.planted, "found": k.found, "checks": k.checks}
            for k in report.kinds
        ],
        "checks": [
            {"graph": c.graph, "check": c.name, "keys": list(c.keys), "found": c.found}
            for c in report.checks
        ],
        "mutants": [
            {
                "graph": row.graph,
                "mutant": row.mutant,
                "kind": row.kind,
                "within": list(row.within),
                "families": {
                    c.family: {
                        "killed_by": list(c.killed_by),
                        "reason": c.reason,
                        "raised": [{"check": r.check, "error": r.error} for r in c.raised],
                    }
                    for c in row.cells
                },
            }
            for row in report.rows
        ],
    }
    return json_text(json.dumps(data, indent=1, ensure_ascii=False)) + "\n"


def mutants_markdown(report: MutationReport) -> str:
    """The scores by kind and by check, where errors hide, and which are not found."""
    lines = ["# Planted errors", "", *(f"{s}  " for s in _score(report)), ""]
    lines += _markdown_table(
        ("kind", "planted", "found", "by checks"),
        ((markdown(k.kind), f"{k.planted}", f"{k.found}", f"{k.checks}") for k in report.kinds),
    )
    lines += _markdown_table(
        ("graph", "check", "finds"),
        ((markdown_code(c.graph), markdown_code(c.name), f"{c.found}") for c in report.checks),
    )
    if hidden := _hidden(report.rows):
        lines += ["Where no check can find them:", ""]
        lines += [*(f"* {markdown(h)}" for h in hidden), ""]
    lines += [f"* **{markdown(line)}**" for line in _unfound(report)]
    return "\n".join(lines).rstrip() + "\n"


def mutants_renderable(report: MutationReport) -> RenderableType:
    """For a terminal: a block for each graph, the score by kind, and the sum."""
    parts: list[RenderableType] = []
    for graph in report.graphs:
        rows = [row for row in report.rows if row.graph == graph]
        checks = [c for c in report.checks if c.graph == graph]
        found = sum(bool(row.killed_by) for row in rows)
        parts += [
            Text(f"{one_line(graph)}: {found} of {len(rows)} planted errors are found", "bold"),
            Padding(_legend(checks, report.idle), (0, 0, 0, 2)),
            Padding(_errors(rows, checks), (0, 0, 0, 2)),
            *(Padding(Text(line, "dim"), (0, 0, 0, 2)) for line in _hidden(rows)),
            Text(),
        ]
    if report.rows:
        parts += [_kinds(report), Text()]
    parts += [Text(line, "bold") for line in _score(report)]
    parts += [Text(line, "bold red") for line in _unfound(report)]
    parts.append(Text(f"exit code {exit_code_of(report)}"))
    return Group(*parts)


def _legend(checks: Sequence[CheckScore], idle: Sequence[CheckScore]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for label, check in zip(_labels(len(checks)), checks, strict=True):
        style = "bold red" if check in idle else ""
        table.add_row(Text(label), Text(f"finds {check.found}", style), Text(one_line(check.name)))
    return table


def _errors(rows: Sequence[MutantRow], checks: Sequence[CheckScore]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("planted error", overflow="fold")
    table.add_column("found by", no_wrap=True)
    table.add_column("not at", overflow="fold")
    labels = _labels(len(checks))
    for row in rows:
        by = {*row.killed_by}
        marks = (k if c.name in by else "·" for k, c in zip(labels, checks, strict=True))
        found = Text("".join(marks)) if by else Text("NOTHING", "bold red")
        missed = ", ".join(one_line(c.family) for c in row.cells if not c.killed_by)
        table.add_row(
            Text(one_line(row.label)), found, Text(missed, "bold red" if row.unexplained else "")
        )
    return table


def _labels(count: int) -> Sequence[str]:
    """One character for each check of a graph."""
    return [LABELS[i % len(LABELS)] for i in range(count)]


def _kinds(report: MutationReport) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("kind of error", overflow="fold")
    for head in ("planted", "found", "by checks"):
        table.add_column(head, justify="right", no_wrap=True)
    for k in report.kinds:
        style = "" if k.found == k.planted else "bold red"
        numbers = (Text(f"{n}", style) for n in (k.planted, k.found, k.checks))
        table.add_row(Text(one_line(k.kind)), *numbers)
    return table


def _hidden(rows: Iterable[MutantRow]) -> list[str]:
    """How many errors change nothing in a family, by family and reason."""
    counts = Counter((c.family, c.reason) for r in rows for c in r.cells if c.reason)
    return [
        f"not at {one_line(family)}, {count} error{'s' if count > 1 else ''}: {one_line(reason)}"
        for (family, reason), count in counts.items()
    ]


def _score(report: MutationReport) -> list[str]:
    found = f"{report.killed} of {len(report.rows)} planted errors are found"
    if report.interrupted:
        return [f"interrupted after {len(report.rows)} of {report.planned}: {found}"]
    busy = len(report.checks) - len(report.idle)
    return [found, f"{busy} of {len(report.checks)} checks find one"]


def _unfound(report: MutationReport) -> list[str]:
    """What makes the table incomplete."""
    lines = [f"survives: {one_line(r.graph)}: {one_line(r.label)}" for r in report.survivors]
    lines += [
        f"survives at {', '.join(map(one_line, r.unexplained))} for no known reason: "
        f"{one_line(r.graph)}: {one_line(r.label)}"
        for r in report.unexplained
        if r.killed_by
    ]
    lines += [f"finds nothing: {one_line(c.name)} on {one_line(c.graph)}" for c in report.idle]
    return lines + [
        f"raises on {count} error{'s' if count > 1 else ''}: {one_line(raised.check)} on "
        f"{one_line(graph)}: {one_line(raised.error)}"
        for (graph, raised), count in report.raised.items()
    ]


def _markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{'|'.join(' --- ' for _ in heads)}|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]
