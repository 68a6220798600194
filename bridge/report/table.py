"""The terminal report, at three depths (`Detail`).

Words carry the meaning; colour only repeats it.  Text from Lean is printed as text, never as markup
or control sequences.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.lean.obligation import Obligation, readable_name
from bridge.report.escaping import one_line
from bridge.report.findings import Level, findings
from bridge.report.layers_table import layers_renderable
from bridge.report.model import Entry, Report
from bridge.report.replay import folded, replay_command
from bridge.report.wording import (
    counted,
    is_exact,
    joint_witness,
    kernel_words,
    needs_of,
    proved_theorems,
    unit,
    way_words,
)
from bridge.verdict import LeanStatus, Role, Verdict

__all__ = ["Detail", "first_sentence", "lean_words", "print_table", "render_table"]


class Detail(Enum):
    """How much of a report the terminal shows."""

    SUMMARY = "summary"
    """The counts, what is missing, and what to do next."""
    THEOREMS = "theorems"
    """One line for each theorem, by file; below it every obligation that needs attention."""
    OBLIGATIONS = "obligations"
    """One block for each theorem, with its sentence and a row for each obligation."""


_MOST_NAME = 46
_QUIET_VERDICTS = frozenset({Verdict.HOLDS, Verdict.CERTIFIED, Verdict.WAIVED})
# If Lean was not asked at all, the theorem's line says so.
_QUIET_LEAN = frozenset(
    {
        LeanStatus.PROVED,
        LeanStatus.ASSUMED,
        LeanStatus.DISCHARGED,
        LeanStatus.EXPORTED,
        LeanStatus.UNCHECKED,
    }
)

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
    """Lean's status of an obligation, in a few words."""
    facts = obligation.lean
    if facts.status is LeanStatus.DISCHARGED and facts.discharge is not None:
        given = " and ".join(one_line(c) for c in facts.discharge.conditions)
        return f"discharged if {given}" if given else "discharged"
    if facts.status is LeanStatus.AXIOM:
        return "axiom " + ", ".join(
            one_line(readable_name(a)) for a in facts.foreign_axioms or ("itself",)
        )
    said = [facts.status.value]
    if facts.says_nothing:
        said.append("and says nothing")
    if facts.doubt:
        said.append("by a kernel with known bugs")
    return ", ".join(said)


def _numbers(entry: Entry, need: str) -> Text:
    """The verdict, with the number of instances or the reason; for a hypothesis also its need."""
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
    """Whether the reason of a verdict that holds says what took part, or how far it reaches."""
    fidelity = entry.obligation.role is Role.FIDELITY
    by_statement = entry.way not in ("", "check")
    certified = entry.verdict is Verdict.CERTIFIED
    return bool(entry.reason) and (fidelity or by_statement or certified)


def _tightest(entry: Entry) -> str:
    r = entry.result
    if r is None or r.worst is None:
        return ""
    if r.worst.tolerance > 0:  # in any unit, so only the share is meaningful
        if r.worst.residual < 0:  # a condition with room: a share of the tolerance is meaningless
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
        parts += _counterexample(e, indent=4)
        if witness := joint_witness(e, entries):
            parts.append(Padding(Text(f"{witness[0]}{':' if witness[1] else ''}"), (0, 0, 0, 2)))
            parts += _command(witness[1], indent=4)
    return Group(*parts, "")


def _counterexample(entry: Entry, *, indent: int) -> Iterator[RenderableType]:
    """The counterexample to an obligation, and the command that measures it again."""
    command = replay_command(entry)
    if not command or entry.result is None or entry.result.counterexample is None:
        return
    what = one_line(entry.result.counterexample.description)
    said = f"counterexample to {one_line(entry.obligation.binder)}: {what}"
    yield Padding(Text(said), (0, 0, 0, indent))
    yield from _command(command, indent=indent)


def _command(command: str, *, indent: int) -> Iterator[RenderableType]:
    # Without expand: a blank after the backslash would break the command when copied.
    for line in folded(one_line(command)) if command else ():
        yield Padding(Text(line, style="bold"), (0, 0, 0, indent), expand=False)


def _needs_attention(entry: Entry) -> bool:
    return entry.verdict not in _QUIET_VERDICTS or entry.obligation.lean.status not in _QUIET_LEAN


def _file(entry: Entry) -> str:
    return entry.file or entry.obligation.module or "exported graphs"


def _lines(entries: Sequence[Entry]) -> Iterator[RenderableType]:
    """One line for each theorem, under its file; what needs attention in full below its line."""
    name_width = min(
        max((cell_len(one_line(e.obligation.declaration)) for e in entries), default=0), _MOST_NAME
    )
    number_width = max((len(str(e.obligation.line)) for e in entries if e.file), default=0)
    files: dict[str, dict[str, list[Entry]]] = {}
    for e in entries:
        files.setdefault(_file(e), {}).setdefault(e.obligation.declaration, []).append(e)
    for file, theorems in files.items():
        yield Text(one_line(file), style="bold")
        for theorem in sorted(theorems.values(), key=lambda t: t[0].obligation.line):
            yield _line(theorem, number_width, name_width)
            urgent = [e for e in theorem if _needs_attention(e)]
            if urgent:
                yield Padding(_rows(urgent, head=False), (0, 0, 0, 6))
            for e in urgent:
                yield from _counterexample(e, indent=6)
        yield ""


def _line(theorem: Sequence[Entry], number_width: int, name_width: int) -> RenderableType:
    first = theorem[0]
    verdicts = [e.verdict for e in theorem]
    numbers = Text(", ").join(
        Text(counted(verdicts.count(v), v), style=_STYLE[v]) for v in Verdict if v in verdicts
    )
    table = Table(box=None, expand=True, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    if number_width:
        table.add_column(justify="right", width=number_width, no_wrap=True)
    table.add_column(width=name_width, overflow="fold")
    table.add_column(ratio=2, min_width=12, overflow="fold")
    table.add_column(ratio=3, min_width=12, overflow="fold")
    cells = [Text(one_line(first.obligation.declaration)), Text(_lean_of(theorem)), numbers]
    number = [Text(str(first.obligation.line) if first.file else "", style="dim")]
    table.add_row(*(number if number_width else []), *cells)
    return Padding(table, (0, 0, 0, 2))


def _lean_of(theorem: Sequence[Entry]) -> str:
    """Lean's status of the theorem; if its conclusion is filtered out, of what is shown."""
    conclusions = [e for e in theorem if e.obligation.role is Role.CONCLUSION]
    said = [lean_words(e.obligation) for e in conclusions]
    said = said or [e.obligation.lean.status.value for e in theorem]
    return ", ".join(dict.fromkeys(said))


def _constants(count: int) -> str:
    return f"{count:,} constant{'' if count == 1 else 's'}"


def _trust(report: Report) -> list[str]:
    """What is behind the statements, in a few lines."""
    trust = report.trust
    if trust is None:
        return ["The kernel was not asked again."]
    if trust.refusals:
        lines = [f"The kernel refuses {_constants(len(trust.refusals))} of the project:"]
        for name, why in trust.refusals.items():
            above = [
                one_line(readable_name(t))
                for t, constant in trust.refused.items()
                if constant == name
            ]
            rest = f"; {', '.join(above)} rests on it" if above else ""
            lines.append(f"  {one_line(readable_name(name))}: {one_line(why)}{rest}")
    else:
        lines = [f"The kernel accepted all {trust.constants:,} constants of the project once more."]
    if trust.not_checked:
        lines.append(f"No kernel checks unsafe or partial code: {_constants(trust.not_checked)}.")
    if trust.checker:
        lines.append(f"{one_line(trust.checker)} accepted the compiled files too.")
    lines += [one_line(words) for words in kernel_words(trust)]
    for o in trust.outside:
        what = "Runs at import" if o in trust.at_import else "Outside the kernel"
        lines.append(f"{what}: {one_line(o.words)}.")
    if trust.untagged:
        lines.append(
            f"{len(trust.untagged)} more theorems have hypotheses and are not tagged "
            "(`obligations list --untagged`)."
        )
    return lines


def _next_steps(report: Report) -> list[str]:
    """What to do about each kind of finding, worst first."""
    if not report.entries:
        return (
            []
            if report.filtered or report.model is not None
            else ["→ tag a theorem with @[obligation]"]
        )
    rules = dict.fromkeys(f.rule for f in findings(report) if f.rule.level is not Level.NOTE)
    return [f"→ {rule.id.partition('-')[2]}: {rule.remedy}" for rule in rules]


def _summary(report: Report) -> Text:
    proved, theorems = proved_theorems(report)
    verdicts = ", ".join(f"{n} {v}" for v, n in report.summary.items()) or report.nothing
    if report.model is not None and report.model.forms and not report.entries:
        theorems = len(report.model.forms)
        proved = sum(f.proof.proved for f in report.model.forms)
        lines = [f"Lean: {proved} of {theorems} captured graphs proved.  Numbers: {verdicts}."]
    else:
        lines = [f"Lean: {proved} of {theorems} theorems proved.  Numbers: {verdicts}."]
    lines += [words] if (words := way_words(report)) else []
    lines += [one_line(f"{what[0].upper()}{what[1:]}.") for what in report.shortfalls]
    lines += _trust(report)
    lines.append("Numbers are evidence on the instances drawn, not proofs.")
    lines += _next_steps(report)
    lines.append(f"exit code {report.exit_code}")
    return Text("\n".join(lines))


def _renderable(report: Report, detail: Detail) -> RenderableType:
    """The report as something rich can print."""
    instead = f"   graph {one_line(report.graph)}" if report.graph else ""
    ran = "" if report.backend == "numpy" else f"   {one_line(report.backend)}"
    about = f"{one_line(report.engine.description)}   seed {report.seed}{ran}{instead}\n"
    blocks: list[RenderableType] = [Text(about, style="dim")]
    if detail is Detail.THEOREMS:
        blocks += _lines(report.entries)
    elif detail is Detail.OBLIGATIONS:
        theorems = groupby(report.entries, key=lambda e: e.obligation.declaration)
        blocks += [_theorem(list(g), head=n == 0) for n, (_, g) in enumerate(theorems)]
    if report.model is not None and detail is not Detail.SUMMARY:
        blocks.append(layers_renderable(report.model))
    blocks.append(_summary(report))
    return Group(*blocks)


def render_table(report: Report, *, width: int = 80, detail: Detail = Detail.OBLIGATIONS) -> str:
    """The report as plain text, for files and pipes: no line ends in blanks."""
    buffer = io.StringIO()
    Console(file=buffer, width=width, color_system=None, force_terminal=False).print(
        _renderable(report, detail), soft_wrap=False
    )
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def print_table(report: Report, console: Console, detail: Detail) -> None:
    """Print the report in the width of ``console``, with colours if it is a terminal."""
    if console.is_terminal:
        console.print(_renderable(report, detail))
    else:
        console.file.write(render_table(report, width=console.width, detail=detail))
