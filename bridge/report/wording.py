"""Wording that several reports share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bridge.checking import Need
from bridge.lean.trust import Trust
from bridge.report.model import Entry, Report
from bridge.report.replay import witness_command
from bridge.verdict import LeanStatus, Role, Verdict

__all__ = [
    "checked_something",
    "counted",
    "exit_words",
    "headline",
    "instances",
    "is_exact",
    "joint_witness",
    "kernel_words",
    "needs_of",
    "number",
    "proved_theorems",
    "tightness",
    "unit",
    "way_words",
]


def number(x: float) -> str:
    """A measured number, short: three significant digits, scientific if it is far from 1."""
    return f"{x:.3g}"


def counted(count: int, verdict: Verdict) -> str:
    """``1 holds``, ``5 hold``, ``2 waived``: a verdict with the number of its obligations."""
    plural = {Verdict.HOLDS: "hold", Verdict.FAILS: "fail", Verdict.ERROR: "errors"}
    return f"{count} {verdict.value if count == 1 else plural.get(verdict, verdict.value)}"


def proved_theorems(report: Report) -> tuple[int, int]:
    """How many theorems in the report Lean calls proved, and how many there are.

    A theorem that says nothing is not among the proved: it is useless.
    """
    facts = [e.obligation.lean for e in report.entries if e.obligation.role is Role.CONCLUSION]
    proved = sum(f.status is LeanStatus.PROVED and not f.says_nothing for f in facts)
    return proved, len(facts)


def _all_hold(count: int) -> str:
    if count == 0:
        return "nothing was checked"
    if count == 1:
        return "the one obligation that was checked holds"
    return f"all {count} obligations that were checked hold"


def headline(report: Report) -> str:
    """The outcome of the audit as one sentence without its full stop."""
    total = len(report.entries)
    count = report.summary
    failing = count.get(Verdict.FAILS.value, 0)
    unproved = sum(
        e.obligation.role is Role.CONCLUSION
        and e.obligation.lean.status in (LeanStatus.SORRY, LeanStatus.AXIOM, LeanStatus.REFUSED)
        for e in report.entries
    )
    waived = count.get(Verdict.WAIVED.value, 0)
    holding = count.get(Verdict.HOLDS.value, 0) + count.get(Verdict.CERTIFIED.value, 0)
    unknown = total - failing - holding - waived
    said = []
    if failing:
        said.append(f"{failing} of {total} obligations {'fails' if failing == 1 else 'fail'}")
    if unknown and failing:
        said.append(f"{unknown} {'is' if unknown == 1 else 'are'} not verified")
    elif unknown:
        said.append(
            f"{unknown} of {total} obligations {'is' if unknown == 1 else 'are'} not verified"
        )
    if report.refusals and not unproved:
        said.append(f"the kernel refuses {len(report.refusals)} constants")
    if unproved:
        said.append(f"{unproved} {'theorem is' if unproved == 1 else 'theorems are'} not proved")
    if any(e.obligation.lean.status is LeanStatus.UNCHECKED for e in report.entries):
        said.append("Lean was not run")
    if report.interrupted:
        said.append("the audit was interrupted")
    elif not total:
        said.append(report.nothing)
    elif report.shortfalls:
        said.append("the audit is incomplete")
    if not said:
        said.append(_all_hold(holding))
        if waived:
            said.append(f"{waived} {'is' if waived == 1 else 'are'} waived")
    return ", ".join(said)


def checked_something(report: Report) -> bool:
    """Whether any check reached a verdict, or something needs attention."""
    by_graph = report.model is not None and report.model.by_graph > 0
    judged = any(e.verdict is not Verdict.WAIVED for e in report.entries)
    return judged or by_graph or report.exit_code != 0


def exit_words(report: Report) -> str:
    """The exit code in words: never that something holds if nothing was checked."""
    if report.exit_code == 0:
        well = "everything that was checked holds"
        return well if checked_something(report) else "nothing was checked, all is waived"
    return {1: "something fails", 4: "incomplete"}[report.exit_code]


def unit(entry: Entry) -> str:
    """The unit of what was judged: instances, or the layers of a model."""
    r = entry.result
    if r is None or any(f.role not in ("layer", "uncovered") for f in r.families):
        return "instances"
    return ("layer" if r.instances == 1 else "layers") if r.families else "instances"


def instances(entry: Entry) -> str:
    """How many instances the verdict rests on: drawn, and accepted if these are fewer."""
    r = entry.result
    if r is None:
        return ""
    if r.accepted < r.instances:
        return f"{r.accepted:,} of {r.instances:,}"
    return f"{r.instances:,}"


WAYS = {
    "check": "by a check",
    "exact": "by Lean, in exact arithmetic",
    "graphs": "by the measures for graphs",
    "numbers": "in numbers with enclosures",
}
"""How an obligation was judged: the values of `bridge.statements.choose.Way`."""


def way_words(report: Report) -> str:
    """How many obligations were judged in which way; empty if checks judged them all."""
    count = Counter(e.way for e in report.entries if e.way)
    if not set(count) - {"check"}:
        return ""
    said = ", ".join(f"{count[way]} {words}" for way, words in WAYS.items() if count[way])
    return f"Judged: {said}."


def needs_of(theorem: Iterable[Entry]) -> dict[str, str]:
    """For each hypothesis of a theorem that some instance violates, on how many of these the
    conclusion fails; by the hypothesis's name."""
    return {
        need.hypothesis: _need_words(need)
        for entry in theorem
        if entry.result is not None
        for need in entry.result.needs
        if need.violated
    }


def _need_words(need: Need) -> str:
    of = f"of {need.violated:,}"
    if need.failed:
        return f"needed on {need.failed:,} {of}"
    return f"not seen to be needed: the conclusion holds on {need.held:,} {of} without it"


def joint_witness(entry: Entry, theorem: Iterable[Entry]) -> tuple[str, str] | None:
    """What is known about an instance on which all hypotheses of a theorem hold together, in words,
    and the command that measures it if there is one.

    ``None`` for a hypothesis, for a theorem without any among the entries of ``theorem``, and for
    one that says nothing: its reason says more.
    """
    o = entry.obligation
    if o.role is not Role.CONCLUSION or o.lean.says_nothing:
        return None
    if not any(e.obligation.role is Role.HYPOTHESIS for e in theorem):
        return None
    if entry.result is not None and any(f.role == "layer" for f in entry.result.families):
        return None  # a model's layers were measured; no instance was drawn
    if command := witness_command(entry):
        return "all hypotheses hold together on this instance", command
    if entry.result is None:
        return "no instance was sought on which all hypotheses hold together", ""
    return "no instance was found on which all hypotheses hold together", ""


def kernel_words(trust: Trust | None) -> list[str]:
    """Each kernel that took part besides the engine's own, and what it accepted; then why what is
    proved may be false, if all of them are known to accept proofs of False."""
    if trust is None:
        return []
    said = [
        f"The kernel of {k.name}, accepted {k.accepted:,} constants: what the tagged theorems "
        "rest on."
        for k in trust.further_kernels
    ]
    return (
        [*said, f"No kernel without known bugs took part: {trust.doubt}."] if trust.doubt else said
    )


def tightness(entry: Entry) -> str:
    """How close the tightest instance came to its limit; empty if nothing was measured.

    A residual is given as a share of its tolerance, since it may have any unit; if the tolerance
    is 0, as for ``0 < q``, the distance from 0 counts.
    """
    if entry.result is None or entry.result.worst is None:
        return ""
    worst = entry.result.worst
    if worst.tolerance > 0:
        share = worst.residual / worst.tolerance
        if share < 0:  # a condition with room: no residual is left, so a share is meaningless
            return f"{number(worst.margin)} from the limit"
        return f"{share:.2g} of tolerance" if share <= 1 else f"{share:.2g} × tolerance"
    if worst.margin > 0:
        return f"{number(worst.margin)} above 0"
    return "exact" if is_exact(entry) else number(worst.margin)


def is_exact(entry: Entry) -> bool:
    """Whether a condition without tolerance, such as an equation of rows, holds exactly."""
    worst = None if entry.result is None else entry.result.worst
    return entry.verdict is Verdict.HOLDS and worst is not None and worst.margin == 0
