"""The terminal report: one block for each theorem, one line for each obligation.

Words carry the meaning; colour only repeats it.  Text from Lean is printed as text, never as markup
or control sequences.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.obligation import Obligation
from bridge.report.escaping import one_line
from bridge.report.findings import Level, findings
from bridge.report.layers_table import layers_renderable
from bridge.report.model import Entry, Report
from bridge.report.replay import folded, replay_command
from bridge.report.words import is_exact, needs_of, unit
from bridge.verdict import LeanStatus, Role, Verdict

__all__ = ["first_sentence", "lean_words", "render_table", "table_renderable"]

_STYLE = {
    Verdict.HOLDS: "green",
    Verdict.CERTIFIED: "bold green",
    Verdict.FAILS: "bold red",
    Verdict.ERROR: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.UNPAIRED: "yellow",
    Verdict.STALE: "yellow",
    Verdict.WAIVED: "cyan",
}


def first_sentence(doc: str) -> str:
    """The first sentence of a docstring, on one line, without Markdown emphasis."""
    text = one_line(doc.replace("**", "").replace("`", ""))
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]


def lean_words(obligation: Obligation) -> str:
    """What Lean says of an obligation, in a few words."""
    facts = obligation.lean
    if facts.status is LeanStatus.DISCHARGED and facts.discharge is not None:
        given = " and ".join(one_line(c) for c in facts.discharge.conditions)
        return f"discharged if {given}" if given else "discharged"
    if facts.status is LeanStatus.AXIOM:
        return "axiom " + ", ".join(one_line(a) for a in facts.foreign_axioms or ("itself",))
    return facts.status.value


def _numbers(entry: Entry, need: str) -> Text:
    """The verdict, and on how many instances or why not; of a hypothesis whether it is needed."""
    verdict = (entry.verdict.value, _STYLE[entry.verdict])
    r = entry.result
    if r is None or entry.verdict not in (Verdict.HOLDS, Verdict.CERTIFIED):
        said = one_line(entry.reason)
        if said.startswith(entry.verdict.value):
            return Text.assemble(verdict, said.removeprefix(entry.verdict.value))
        return Text.assemble(verdict, f": {said}" if said else "")
    few = r.accepted < r.instances
    of = f"{r.accepted:,} of {r.instances:,}" if few else f"{r.instances:,}"
    further = (one_line(entry.reason) if _tells_more(entry) else "", need)
    more = "".join(f"; {said}" for said in further if said)
    return Text.assemble(verdict, f" on {of} {unit(entry)}{more}")


def _tells_more(entry: Entry) -> bool:
    """Whether the reason of what holds says who took part, or how far the verdict reaches."""
    fidelity = entry.obligation.role is Role.FIDELITY
    return bool(entry.reason) and (fidelity or entry.verdict is Verdict.CERTIFIED)


def _tightest(entry: Entry) -> str:
    r = entry.result
    if r is None or r.worst is None:
        return ""
    if r.worst.tolerance > 0:  # of any unit, so that only the share says something
        if r.worst.residual < 0:  # a condition with room: a share of the tolerance says nothing
            return f"{r.worst.margin:.1e}"
        return f"{r.worst.residual / r.worst.tolerance:.2g} tol"
    return "exact" if is_exact(entry) else f"{r.worst.margin:.1e}"


def _rows(entries: Sequence[Entry], *, head: bool) -> Table:
    table = Table(
        box=None,
        expand=True,
        show_header=head,
        padding=(0, 2, 0, 0),
        header_style="dim",
        pad_edge=False,
    )
    table.add_column("obligation", no_wrap=True, ratio=4)
    table.add_column("Lean", ratio=4)
    table.add_column("numbers", ratio=7)
    table.add_column("tightest", justify="right", no_wrap=True, min_width=8)
    needs = needs_of(entries)
    for e in entries:
        table.add_row(
            Text(one_line(e.obligation.binder)),
            Text(lean_words(e.obligation).replace("discharged if ", "discharged\n  if ")),
            _numbers(e, needs.get(e.obligation.binder, "")),
            Text(_tightest(e)),
        )
    return table


def _theorem(entries: list[Entry], *, head: bool) -> RenderableType:
    first = entries[0]
    module = first.obligation.module or "exported graph"
    place = f"{first.file}:{first.obligation.line}" if first.file else module
    parts: list[RenderableType] = [
        Text.assemble(
            (one_line(first.obligation.declaration), "bold"), "  ", (one_line(place), "dim")
        )
    ]
    sentence = first_sentence(first.obligation.doc)
    if sentence:
        parts.append(Padding(Text(sentence, style="italic"), (0, 0, 0, 2)))
    parts.append(Padding(_rows(entries, head=head), (0, 0, 0, 2)))
    for e in entries:
        command = replay_command(e)
        if command and e.result is not None and e.result.counterexample is not None:
            what = one_line(e.result.counterexample.description)
            parts.append(
                Padding(
                    Text(f"counterexample to {one_line(e.obligation.binder)}: {what}"), (0, 0, 0, 4)
                )
            )
            # Without expand: a blank behind the backslash would break the command when copied.
            parts += [
                Padding(Text(line, style="bold"), (0, 0, 0, 4), expand=False)
                for line in folded(one_line(command))
            ]
    return Group(*parts, "")


def _trust(report: Report) -> list[str]:
    """What is behind the statements, in a few lines."""
    trust = report.trust
    if trust is None:
        return ["The kernel was not asked again."]
    lines = [f"The kernel accepted all {trust.constants:,} constants of the project once more."]
    if trust.checker:
        lines.append(f"{one_line(trust.checker)} accepted the compiled files too.")
    for o in trust.outside:
        lines.append(f"Outside the kernel: {one_line(o.name)} ({one_line(o.how)}).")
    if trust.untagged:
        lines.append(
            f"{len(trust.untagged)} more theorems have hypotheses and are not tagged "
            "(`obligations list --untagged`)."
        )
    return lines


def _next_steps(report: Report) -> list[str]:
    """What to do about each kind of finding, worst first."""
    if not report.entries:
        return [] if report.filtered else ["→ tag a theorem with @[obligation]"]
    rules = dict.fromkeys(f.rule for f in findings(report) if f.rule.level is not Level.NOTE)
    return [f"→ {rule.id.partition('-')[2]}: {rule.remedy}" for rule in rules]


def _summary(report: Report) -> Text:
    proved = sum(
        e.obligation.lean.status is LeanStatus.PROVED
        for e in report.entries
        if e.obligation.role is Role.CONCLUSION
    )
    theorems = sum(e.obligation.role is Role.CONCLUSION for e in report.entries)
    verdicts = ", ".join(f"{n} {v}" for v, n in report.summary.items()) or report.nothing
    lines = [f"Lean: {proved} of {theorems} theorems proved.  Numbers: {verdicts}."]
    lines += [one_line(f"{what[0].upper()}{what[1:]}.") for what in report.shortfalls]
    lines += _trust(report)
    lines.append("Numbers are evidence on the instances drawn, not proofs.")
    lines += _next_steps(report)
    lines.append(f"exit code {report.exit_code}")
    return Text("\n".join(lines))


def table_renderable(report: Report) -> RenderableType:
    """The report as something rich can print."""
    instead = f"   graph {one_line(report.graph)}" if report.graph else ""
    about = f"{one_line(report.engine.description)}   seed {report.seed}{instead}\n"
    head = Text(about, style="dim")
    blocks: list[RenderableType] = [head]
    for number, (_, group) in enumerate(
        groupby(report.entries, key=lambda e: e.obligation.declaration)
    ):
        blocks.append(_theorem(list(group), head=number == 0))
    if report.model is not None:
        blocks.append(layers_renderable(report.model))
    blocks.append(_summary(report))
    return Group(*blocks)


def render_table(report: Report, *, width: int = 80) -> str:
    """The report as plain text, for files."""
    buffer = io.StringIO()
    Console(file=buffer, width=width, color_system=None, force_terminal=False).print(
        table_renderable(report), soft_wrap=False
    )
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
