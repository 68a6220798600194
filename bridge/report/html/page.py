"""From a report to the values that the page's template shows.

The template escapes every value, and ``plain`` is applied to each before, so neither this module
nor the template has to do it explicitly.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from bridge.checking import FamilyCount
from bridge.report.escaping import one_line, plain
from bridge.report.findings import Finding, Level, findings
from bridge.report.html.anchors import anchor
from bridge.report.html.charts import MarginScale, Share, failed, gauge, held, lollipop, stacked_bar
from bridge.report.html.pictures import given_picture, pictures
from bridge.report.layers_table import (
    agreement_share,
    captured_notes,
    certificate_notes,
    layer_differs,
    model_lines,
)
from bridge.report.model import Entry, Report
from bridge.report.replay import replay_command
from bridge.report.table import lean_words
from bridge.report.wording import (
    checked_something,
    exit_words,
    headline,
    joint_witness,
    kernel_words,
    number,
    proved_theorems,
    tightness,
    unit,
)
from bridge.verdict import LeanStatus, Role, Verdict

__all__ = ["render_html"]

VERDICT_WORDS = {
    Verdict.FAILS: "a counterexample violates it",
    Verdict.ERROR: "the check itself broke",
    Verdict.STALE: "the statement changed since its check was accepted",
    Verdict.INCONCLUSIVE: "the check ran and could not decide; the reason says why",
    Verdict.UNPAIRED: "no check is written for it",
    Verdict.WAIVED: "the project gives a reason for not checking it",
    Verdict.HOLDS: "no instance violates it, and enough of them were judged",
    Verdict.CERTIFIED: "a rigorous enclosure shows it on the given instances",
}
LEAN_WORDS = {
    LeanStatus.PROVED: "the kernel accepted a proof, from standard axioms and Lean's own library",
    LeanStatus.ASSUMED: "a hypothesis: the theorem assumes it",
    LeanStatus.DISCHARGED: "a hypothesis that a named lemma proves under stated conditions",
    LeanStatus.SORRY: "the proof, or something below it, is unfinished",
    LeanStatus.AXIOM: "the proof rests on an axiom that is not a standard one",
    LeanStatus.REFUSED: "a kernel does not accept the proof, or something that it rests on",
    LeanStatus.EXPORTED: "no proposition: a graph that Lean wrote down, which theorems speak of",
    LeanStatus.UNCHECKED: "Lean was not run",
}
ROLE_WORDS = {
    "domain": "Intended use",
    "edge": "Outside the intended use, where the hypotheses hold for some instances",
    "refuting": "Must be refused: every instance violates the hypothesis",
    "layer": "Layers that the theorem applies to",
    "uncovered": "Layers that the theorem does not apply to",
}
_ROLE_ORDER = {role: rank for rank, role in enumerate(ROLE_WORDS)}


@dataclass(frozen=True, slots=True)
class Count:
    """How many obligations have a verdict."""

    verdict: Verdict
    count: int


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """One family of instances: the outcome, in words and as charts."""

    name: str
    outcome: str
    bar: Markup
    margin: str
    lollipop: Markup
    spread: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class FamilyGroup:
    """The families of one role."""

    title: str
    rows: tuple[FamilyRow, ...]


@dataclass(frozen=True, slots=True)
class Families:
    """The table of families, and the ends of its scale of margins."""

    groups: tuple[FamilyGroup, ...]
    low: str
    high: str

    @property
    def spread(self) -> tuple[FamilyRow, ...]:
        """The families that have margins to count."""
        return tuple(row for group in self.groups for row in group.rows if row.spread)


@dataclass(frozen=True, slots=True)
class Item:
    """One obligation as the page shows it."""

    anchor: str
    entry: Entry
    lean: str
    lean_css: str
    tightest: str
    instances: str
    reason: str
    gauge: Markup | None
    families: Families | None
    replay: str
    witness: str
    no_witness: str
    search: str
    open: bool


@dataclass(frozen=True, slots=True)
class Theorem:
    """One theorem: its English, and its obligations in the order of its telescope."""

    anchor: str
    name: str
    place: str
    doc: tuple[tuple[tuple[bool, str], ...], ...]
    items: tuple[Item, ...]


def paragraphs(doc: str) -> tuple[tuple[tuple[bool, str], ...], ...]:
    """A docstring as paragraphs of (is it code, text)."""
    found = []
    for block in re.split(r"\n\s*\n", plain(doc).replace("**", "").strip()):
        pieces = " ".join(block.split()).split("`")
        closed = len(pieces) % 2 == 1
        spans = [(i % 2 == 1 and closed, p) for i, p in enumerate(pieces) if p]
        if spans:
            found.append(tuple(spans))
    return tuple(found)


def _family_row(f: FamilyCount, scale: MarginScale | None) -> FamilyRow:
    refusing, uncovered = f.role == "refuting", f.role == "uncovered"
    # An instance with an undecided hypothesis is undecided, though not accepted.
    rejected = f.drawn - f.held - f.failed - f.undecided
    shares = [
        Share(f.held, "held", "bad" if refusing else "good"),
        Share(f.failed, "refused" if refusing else "failed", "expected" if refusing else "bad"),
        Share(f.undecided, "undecided", "unsure"),
        Share(rejected, "not covered" if uncovered else "outside the hypotheses", "outside"),
    ]
    said = ", ".join(f"{s.count} {s.what}" for s in shares if s.count) or "none drawn"
    margin = f.worst_margin
    css = "expected" if refusing else "bad" if f.failed else "unsure" if f.undecided else "good"
    drawn = Markup("") if scale is None else lollipop(scale, margin, css, f.margins, f.beyond)
    spread = [*held(f.margins), *failed(f.beyond)]
    said_margin = "" if margin is None else number(margin)
    return FamilyRow(f.family, said, stacked_bar(shares), said_margin, drawn, tuple(spread))


def _families(families: Sequence[FamilyCount]) -> Families | None:
    if not families:
        return None
    edges = [
        sign * float(f"1e{e}")
        for f in families
        for sign, margins in ((1, f.margins), (-1, f.beyond))
        for k, _ in margins.decades
        for e in (k, k + 1)
    ]
    scale = MarginScale.of([*edges, *(f.worst_margin for f in families)])
    roles = sorted(dict.fromkeys(f.role for f in families), key=lambda r: _ROLE_ORDER.get(r, 9))
    groups = tuple(
        FamilyGroup(
            ROLE_WORDS.get(role, role),
            tuple(_family_row(f, scale) for f in families if f.role == role),
        )
        for role in roles
    )
    low, high = ("", "") if scale is None else scale.ends
    return Families(groups, low, high)


_LEAN_CSS = {
    LeanStatus.PROVED: "good",
    LeanStatus.DISCHARGED: "good",
    LeanStatus.ASSUMED: "plain",
    LeanStatus.EXPORTED: "plain",
    LeanStatus.UNCHECKED: "unsure",
    LeanStatus.SORRY: "bad",
    LeanStatus.AXIOM: "bad",
    LeanStatus.REFUSED: "bad",
}


def _lean_css(entry: Entry) -> str:
    """The style of Lean's status: never green if the theorem fails, for example because it says
    nothing."""
    facts = entry.obligation.lean
    if facts.says_nothing:
        return "bad"
    css = _LEAN_CSS[facts.status]
    return "plain" if css == "good" and entry.verdict is Verdict.FAILS else css


def _instances(entry: Entry) -> str:
    r = entry.result
    if r is None or not r.instances:
        return ""
    if r.accepted < r.instances:
        return f"{r.accepted:,} of {r.instances:,} {unit(entry)}"
    return f"{r.instances:,} {unit(entry)}"


def _item(entry: Entry, theorem: Sequence[Entry]) -> Item:
    o, r = entry.obligation, entry.result
    worst = None if r is None else r.worst
    said, found = joint_witness(entry, theorem) or ("", "")
    words = (o.key, o.statement, entry.verdict.value, o.lean.status.value, entry.check or "")
    return Item(
        anchor=anchor("o", o.key),
        entry=entry,
        lean=lean_words(o),
        lean_css=_lean_css(entry),
        tightest=tightness(entry),
        instances=_instances(entry),
        reason=entry.reason,
        gauge=None if worst is None else gauge(worst.residual, worst.tolerance),
        families=None if r is None else _families(r.families),
        replay=one_line(replay_command(entry)),
        witness=one_line(found),
        no_witness="" if found or not said else f"{said[0].upper()}{said[1:]}.",
        search=one_line(" ".join((*words, entry.reason))).casefold(),
        open=entry.verdict in (Verdict.FAILS, Verdict.ERROR),
    )


def _bar(entries: Sequence[Entry]) -> Markup:
    order = list(VERDICT_WORDS)
    return stacked_bar(
        Share(sum(e.verdict is v for e in entries), v.value, f"v-{v.value}") for v in order
    )


def _place(entry: Entry) -> str:
    o = entry.obligation
    return f"{entry.file}:{o.line}" if entry.file else o.module or "exported graph"


def _title(report: Report) -> str:
    """What was audited, and the outcome."""
    at = f" at {report.commit[:10]}" if report.commit else ""
    return f"Proof obligations of {report.project}{at}: {headline(report)}"


def _theorem(entries: Sequence[Entry]) -> Theorem:
    first, o = entries[0], entries[0].obligation
    return Theorem(
        anchor=anchor("t", o.declaration),
        name=o.declaration,
        place=_place(first),
        doc=paragraphs(o.doc),
        items=tuple(_item(e, entries) for e in entries),
    )


def _attention(found: Sequence[Finding]) -> list[dict[str, str]]:
    return [
        {
            "anchor": anchor("o", f.entry.obligation.key),
            "rule": f.rule.id,
            "css": "v-" + f.entry.verdict.value if f.rule.id.startswith("obl") else "v-fails",
            "kind": _kind(f.rule.id),
            "subject": subject,
            "said": f.said.removeprefix(f"{f.entry.verdict.value}: "),
            "place": _place(f.entry),
            "next": f.rule.remedy,
        }
        for f, subject in _said_once(found)
        if f.rule.level is not Level.NOTE
    ]


def _kind(rule: str) -> str:
    """A rule's identifier in words."""
    plain_rule = rule.removeprefix("obligation-").removeprefix("theorem-")
    return plain_rule.replace("lean-", "Lean: ").replace("-", " ")


def _said_once(found: Sequence[Finding]) -> Iterator[tuple[Finding, str]]:
    """Findings and their subjects; that Lean was not run is one finding for all theorems
    together."""
    unchecked = [f for f in found if f.rule.id == "lean-unchecked"]
    for f in found:
        if f.rule.id != "lean-unchecked" or len(unchecked) == 1:
            yield f, f.subject
        elif f is unchecked[0]:
            yield f, f"{len(unchecked)} theorems"


def _integrity(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def breakable(text: str) -> Markup:
    """A long name that may break after each of its parts."""
    return Markup(re.sub(r"(_|[.:/](?=\w))", r"\1<wbr>", str(escape(plain(text)))))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bridge.report.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: (
            plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    return environment


def render_html(report: Report) -> str:
    """The report as one HTML page, ending with a newline; the same audit gives the same page."""
    templates = files("bridge.report.html").joinpath("templates")
    style = templates.joinpath("page.css").read_text(encoding="utf-8")
    script = templates.joinpath("page.js").read_text(encoding="utf-8")
    proved, theorems = proved_theorems(report)
    count = report.summary
    page = _environment().get_template("page.html.j2")
    return (
        page.render(
            report=report,
            style=Markup(style),
            script=Markup(script),
            style_hash=_integrity(style),
            script_hash=_integrity(script),
            headline=headline(report),
            headline_css=f"exit-{report.exit_code}" if checked_something(report) else "exit-none",
            title=_title(report),
            exit_words=exit_words(report),
            kernel_words=kernel_words(report.trust),
            proved=proved,
            theorem_count=theorems,
            counts=[Count(v, count[v.value]) for v in VERDICT_WORDS if v.value in count],
            bar=_bar(report.entries),
            attention=_attention(findings(report)),
            theorems=[
                _theorem(list(group))
                for _, group in groupby(report.entries, key=lambda e: e.obligation.declaration)
            ],
            verdict_words=VERDICT_WORDS,
            lean_words=LEAN_WORDS,
            Role=Role,
            layers=() if report.model is None else report.model.layers,
            model_lines=() if report.model is None else model_lines(report.model),
            given_picture=given_picture(report),
            pictures=() if report.model is None else pictures(report.model),
            agreement_share=agreement_share,
            layer_differs=layer_differs,
            certificate_notes=certificate_notes,
            captured_notes=captured_notes,
        ).rstrip("\n")
        + "\n"
    )
