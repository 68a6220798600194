"""An export compared with the audit's statements, and what a kernel's answer about it means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.errors import AnswerError
from bridge.kernels.accepted_before import Accepted, AcceptedBefore, accepted_now
from bridge.kernels.export import Export
from bridge.kernels.exporting import Written
from bridge.kernels.interface import Kernel, KernelAnswer
from bridge.kernels.judging import Findings, findings
from bridge.kernels.policy import Claim, objections, pinned_library
from bridge.lean.statement import Statements
from bridge.lean.trust import KernelOpinion

__all__ = ["ComparedExport", "claims_of", "reasons"]


@dataclass(frozen=True, slots=True)
class ComparedExport:
    """An export that Lean wrote, and what it is compared with.

    Attributes:
        written: Lean's summary of it.
        lean_version: the version of this Lean.
        claims: the audit's statements; theorems that were left out of the export are among them.
        states: the states of the clean modules when Lean wrote it.
    """

    written: Written
    lean_version: str
    claims: Sequence[Claim]
    states: Mapping[str, str]

    def known(self, before: Mapping[str, Accepted], lemmas: Iterable[str]) -> bool:
        """Whether nothing that the audit rests on is missing: a kernel accepted the theorems that
        were left out, as they are stated now, and each lemma is in the export or was accepted.

        Args:
            before: what the kernel accepted of modules with these states.
            lemmas: names of all lemmas that prove hypotheses of theorems.
        """
        left_out = self.written.left_out
        if not left_out <= before.keys():
            return False
        there = frozenset(self.written.roots).union(*(before[m].roots for m in left_out))
        missing = [c for c in self.claims if c.number is None]
        return there.issuperset(lemmas) and all(
            c.module in left_out and before[c.module].has([c]) for c in missing
        )

    def taken(
        self, kernel: Kernel, export: Export, answer: KernelAnswer, place: AcceptedBefore
    ) -> Findings:
        """The findings of a kernel.

        What it accepted before of the modules that were left out counts; what it accepts now is
        kept in ``place``.

        Raises:
            AnswerError: its answer, or the export, is incomplete.
        """
        left_out = self.written.left_out
        before = {m: one for m, one in place.load(self.states).items() if m in left_out}
        claims = [c for c in self.claims if c.number is not None or c.module not in left_out]
        against = reasons(kernel, self.lean_version, self.written, claims, export, answer)
        opinion = KernelOpinion(kernel.name, kernel.version, answer.accepted, kernel.known_bugs)
        found = findings(export, claims, opinion, against)
        new: dict[str, Accepted] = {}
        if not answer.undecided:
            new = accepted_now(export, self.written, self.claims, self.states, against)
        place.store({**before, **new})  # what is refused now must not count later
        here = {export.names[number] for number in export.constants}
        others = frozenset().union(*(one.below for one in before.values())) - here
        accepted = found.opinion.accepted + len(others)
        return replace(found, opinion=replace(found.opinion, accepted=accepted))


def reasons(
    kernel: Kernel,
    lean_version: str,
    written: Written,
    claims: Sequence[Claim],
    export: Export,
    answer: KernelAnswer,
) -> dict[int | str, str]:
    """Why constants of an export do not count, by number, or by name for a theorem without one: the
    kernel refuses them, or the export is not what the audit states.

    Args:
        kernel: the kernel.
        lean_version: the version of the Lean that wrote the export.
        written: its summary of the export.
        claims: the theorems that must be in the export.
        export: what the kernel read.
        answer: its answer.

    Raises:
        AnswerError: the export, or the answer, has another number of constants than Lean wrote, or
            the kernel refuses what is no constant.
    """
    seen = answer.accepted + len(answer.refused) + answer.undecided
    if not answer.complete or len(export.constants) != written.count or seen != written.count:
        raise AnswerError(
            f"Lean wrote {written.count} constants, the export has {len(export.constants)}, and "
            f"the kernel of {kernel.name} answered for {seen}"
        )
    numbers: dict[str, list[int]] = {}  # different names can look the same
    for number in export.constants:
        numbers.setdefault(export.raw[number], []).append(number)
    if odd := sorted(answer.refused.keys() - numbers):
        raise AnswerError(f"the kernel of {kernel.name} refuses {odd[0]!r}, which is no constant")
    found: dict[int | str, str] = {
        number: why for raw, why in answer.refused.items() for number in numbers[raw]
    }
    found.update(written.refused.items())
    pinned = pinned_library().of(lean_version)
    for what, why in objections(export, claims, written.own, pinned).items():
        found.setdefault(what, why)
    return found


def claims_of(statements: Statements, written: Written) -> Sequence[Claim]:
    """The audited theorems, with the numbers that they have in an export."""
    evidence = statements.own_evidence()
    return [
        Claim(
            t.name,
            written.roots.get(t.name),
            hashlib.sha256(t.conclusion.term.encode()).hexdigest(),
            frozenset(t.axioms),
            evidence[t.name],
            t.module,
        )
        for t in statements.theorems
        if t.is_theorem
    ]
