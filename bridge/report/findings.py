"""What needs attention in a report, and how urgently.

JUnit, SARIF, GitHub annotations and Markdown all report the same findings.

An obligation that holds is not a finding.  One obligation can give two: its numbers fail, and Lean
says ``sorry``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bridge.lean.obligation import readable_name
from bridge.report.escaping import one_line
from bridge.report.model import Entry, Report
from bridge.report.replay import replay_command
from bridge.verdict import LeanStatus, Role, Verdict

__all__ = ["RULES", "Finding", "Level", "Rule", "findings", "findings_of"]


class Level(StrEnum):
    """How bad a finding is, in the words of SARIF."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding.  Identifiers are stable: dashboards remember findings by them."""

    id: str
    name: str
    level: Level
    summary: str
    remedy: str


RULES = (
    Rule(
        "obligation-fails",
        "ObligationFails",
        Level.ERROR,
        "A counterexample violates the obligation.",
        "Replay the counterexample.  Either the block is outside the theorem's hypotheses, or the "
        "code is not what the theorem is about.",
    ),
    Rule(
        "theorem-says-nothing",
        "TheoremSaysNothing",
        Level.ERROR,
        "Nothing can meet the theorem's hypotheses, or its conclusion is true without them.",
        "Correct the hypotheses or the conclusion: the present theorem is of no use.",
    ),
    Rule(
        "lean-sorry",
        "LeanSorry",
        Level.ERROR,
        "The theorem's proof, or something below it, is unfinished (sorry).",
        "Finish the proof: until then nothing is proved.",
    ),
    Rule(
        "lean-axiom",
        "LeanAxiom",
        Level.ERROR,
        "The theorem rests on an axiom that is neither standard nor the Lean distribution's.",
        "Prove the axiom, or state it as a hypothesis so that it can be checked.",
    ),
    Rule(
        "lean-refused",
        "LeanRefused",
        Level.ERROR,
        "A kernel does not accept the proof, or something that the theorem rests on.",
        "Look for what declares the refused constant: a metaprogram went past the kernel, an "
        "option such as debug.skipKernelTC is set, or a proof believes compiled code "
        "(native_decide).",
    ),
    Rule(
        "obligation-error",
        "ObligationError",
        Level.ERROR,
        "The check of the obligation broke, so nothing is known about it.",
        "Correct the check.",
    ),
    Rule(
        "obligation-stale",
        "ObligationStale",
        Level.WARNING,
        "The statement changed since its check was accepted.",
        "Compare the new statement with the check, then accept it with `obligations lock`.",
    ),
    Rule(
        "obligation-inconclusive",
        "ObligationInconclusive",
        Level.WARNING,
        "The check ran and could not decide.",
        "Read the reason; more instances, or other families, may decide it.",
    ),
    Rule(
        "obligation-unpaired",
        "ObligationUnpaired",
        Level.WARNING,
        "No check is written for the obligation.",
        "Write a check for its key, or waive it with a reason.  If a constant prevents "
        "it, an instance of Decidable for it, or a definition with code, lets Lean judge.",
    ),
    Rule(
        "lean-unchecked",
        "LeanUnchecked",
        Level.WARNING,
        "Lean was not run, so it is unknown whether the theorem is still proved.",
        "Run the audit with a Lean engine.",
    ),
    Rule(
        "obligation-waived",
        "ObligationWaived",
        Level.NOTE,
        "The project gives a reason for not checking the obligation.",
        "Nothing, as long as the reason is valid.",
    ),
)
"""Every rule, worst first."""

_RANK = {rule.id: rank for rank, rule in enumerate(RULES)}
_RULE = {rule.id: rule for rule in RULES}
_QUIET = frozenset({Verdict.HOLDS, Verdict.CERTIFIED})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that needs attention.

    ``subject`` is a key or a declaration, ``said`` describes the problem on one line; ``details``
    are further lines, the last one a command if there is a counterexample.
    """

    entry: Entry
    rule: Rule
    subject: str
    said: str
    details: tuple[str, ...]

    @property
    def headline(self) -> str:
        """Subject and problem, on one line."""
        return f"{self.subject}: {self.said}"

    @property
    def message(self) -> str:
        """The problem and its details, one below the other."""
        return "\n".join((self.said, *self.details))


def _numeric(entry: Entry) -> Finding | None:
    if entry.verdict in _QUIET:
        return None
    o = entry.obligation
    said = one_line(entry.reason)
    if not said.startswith(entry.verdict.value):
        said = f"{entry.verdict.value}: {said}" if said else entry.verdict.value
    details = [f"{o.role.value}: {one_line(o.statement)}"]
    if entry.result is not None and entry.result.counterexample is not None:
        details.append(f"counterexample: {one_line(entry.result.counterexample.description)}")
        details.append(f"replay: {one_line(replay_command(entry))}")
    rule = _RULE[f"obligation-{entry.verdict.value}"]
    if o.lean.says_nothing:
        rule = _RULE["theorem-says-nothing"]
    return Finding(entry, rule, one_line(o.key), said, tuple(details))


def _lean(entry: Entry) -> Finding | None:
    o = entry.obligation
    if o.role is not Role.CONCLUSION:
        return None
    match o.lean.status:
        case LeanStatus.SORRY:
            said = "the proof, or something below it, is unfinished (sorry)"
        case LeanStatus.AXIOM:
            axioms = (
                ", ".join(map(readable_name, o.lean.foreign_axioms))
                or "itself: it is not a theorem"
            )
            said = f"rests on the axiom {axioms}"
        case LeanStatus.REFUSED:
            said = o.lean.refusal
        case LeanStatus.UNCHECKED:
            said = "Lean was not run"
        case _:
            return None
    rule = _RULE[f"lean-{o.lean.status.value}"]
    return Finding(entry, rule, one_line(o.declaration), one_line(said), ())


def findings_of(entry: Entry) -> tuple[Finding, ...]:
    """The findings of one obligation, worst first; none if it holds and Lean does not object."""
    found = [f for f in (_numeric(entry), _lean(entry)) if f is not None]
    return tuple(sorted(found, key=lambda f: _RANK[f.rule.id]))


def findings(report: Report) -> tuple[Finding, ...]:
    """Every finding, worst first, and in the order of the sources among equals."""

    def every() -> Iterator[Finding]:
        for entry in report.entries:
            yield from findings_of(entry)

    return tuple(sorted(every(), key=lambda f: _RANK[f.rule.id]))
