"""The Markdown report, made for a GitHub step summary: what needs attention comes first.

All text from Lean is escaped: it appears verbatim and formats nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from bridge.report.escaping import fenced, html_line, markdown, markdown_code
from bridge.report.findings import RULES, Finding, findings
from bridge.report.layers_markdown import layers_markdown
from bridge.report.model import Entry, Report
from bridge.report.replay import replay_command
from bridge.report.table import first_sentence, lean_words
from bridge.report.wording import (
    headline,
    instances,
    joint_witness,
    kernel_words,
    proved_theorems,
    tightness,
)
from bridge.verdict import Verdict

__all__ = ["render_markdown"]

MOST_REPLAYS = 10
_SIGN = {
    Verdict.HOLDS: "✅",
    Verdict.CERTIFIED: "✅",
    Verdict.FAILS: "❌",
    Verdict.ERROR: "💥",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.UNPAIRED: "⬜",
    Verdict.STALE: "♻️",
    Verdict.WAIVED: "➖",
}


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{'|'.join(' --- ' for _ in heads)}|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def _verdict(entry: Entry) -> str:
    return f"{_SIGN[entry.verdict]} {entry.verdict.value}"


def _place(entry: Entry) -> str:
    o = entry.obligation
    return f"{entry.file}:{o.line}" if entry.file else o.module or "exported graph"


def _attention(found: Sequence[Finding]) -> list[str]:
    if not found:
        return []
    rows = [
        (
            f.rule.id,
            markdown_code(f.subject),
            markdown(_place(f.entry)),
            markdown(f.said),
        )
        for f in found
    ]
    lines = ["## Needs attention", "", *_table(("finding", "obligation", "source", "why"), rows)]
    failing = [f for f in found if replay_command(f.entry)]
    for finding in failing[:MOST_REPLAYS]:
        lines += [fenced(replay_command(finding.entry), "sh"), ""]
    if len(failing) > MOST_REPLAYS:
        lines += [
            f"{len(failing) - MOST_REPLAYS} more counterexamples are in the other reports.",
            "",
        ]
    seen = {f.rule.id for f in found}
    lines += [f"- {r.id}: {r.summary} {' '.join(r.remedy.split())}" for r in RULES if r.id in seen]
    return [*lines, ""]


def _theorem(entries: Sequence[Entry]) -> list[str]:
    first = entries[0]
    rows = [
        (
            _verdict(e),
            markdown_code(e.obligation.binder),
            markdown_code(e.obligation.statement),
            markdown(lean_words(e.obligation)),
            markdown(instances(e)),
            markdown(tightness(e)),
        )
        for e in entries
    ]
    quiet = all(e.verdict in (Verdict.HOLDS, Verdict.CERTIFIED) for e in entries)
    mark = "✅" if quiet else "⚠️"
    name, place = html_line(first.obligation.declaration), html_line(_place(first))
    return [
        "<details>",
        f"<summary>{mark} <code>{name}</code> {place}</summary>",
        "",
        markdown(first_sentence(first.obligation.doc)),
        "",
        *_table(("verdict", "name", "statement", "Lean", "instances", "tightest instance"), rows),
        *(line for e in entries for line in _hypotheses(e, entries)),
        "</details>",
        "",
    ]


def _hypotheses(entry: Entry, theorem: Sequence[Entry]) -> list[str]:
    """An instance on which all hypotheses hold, and how the conclusion fares without each."""
    said, command = joint_witness(entry, theorem) or ("", "")
    lines = [f"{said[:1].upper()}{said[1:]}{':' if command else '.'}", ""]
    lines += [fenced(command, "sh"), ""] if command else []
    needs = () if entry.result is None else entry.result.needs
    without = [f"- without {markdown_code(n.hypothesis)}: {markdown(n.words)}" for n in needs]
    return [*(lines if said else []), *without, *([""] if without else [])]


def render_markdown(report: Report) -> str:
    """The report as Markdown, ending with a newline."""
    proved, theorems = proved_theorems(report)
    verdicts = ", ".join(f"{n} {v}" for v, n in report.summary.items()) or "none"
    lines = [
        f"# {markdown(report.project)}: {markdown(headline(report))}",
        "",
        *_table(
            ("Lean", "obligations", "engine", "backend", "seed", "exit code"),
            [
                (
                    f"{proved} of {theorems} theorems proved",
                    verdicts,
                    markdown(report.engine.description),
                    markdown(report.backend),
                    str(report.seed),
                    str(report.exit_code),
                )
            ],
        ),
        "Numbers are evidence on the instances drawn, not proofs.",
        "",
        *(line for said in kernel_words(report.trust) for line in (markdown(said), "")),
        *(f"- **{markdown(what)}**" for what in (*report.refusals, *report.shortfalls)),
        *([""] if report.refusals or report.shortfalls else []),
        *_attention(findings(report)),
    ]
    if report.model is not None:
        lines += layers_markdown(report.model)
    if report.entries:
        lines += ["## All obligations", ""]
    for _, group in groupby(report.entries, key=lambda e: e.obligation.declaration):
        lines += _theorem(list(group))
    return "\n".join(lines).rstrip("\n") + "\n"
