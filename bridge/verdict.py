"""Verdicts, Lean's status next to them, and the exit code that follows from both."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

__all__ = ["LeanStatus", "Role", "Verdict", "exit_code"]


class Role(StrEnum):
    """What an obligation is in its theorem, if it has one."""

    HYPOTHESIS = "hypothesis"
    CONCLUSION = "conclusion"
    FIDELITY = "fidelity"
    """Not of a theorem but of an exported graph: that it computes its closed form."""


class Verdict(StrEnum):
    """The numeric judgement on one obligation.  None of them says that anything is proved."""

    HOLDS = "holds"
    """Every decided instance satisfies it, and enough of them were drawn."""
    CERTIFIED = "certified"
    """A rigorous enclosure shows it on the given instances."""
    FAILS = "fails"
    """There is a counterexample."""
    INCONCLUSIVE = "inconclusive"
    """The check ran and could not decide; the reason says why."""
    UNPAIRED = "unpaired"
    """No check is written for it."""
    WAIVED = "waived"
    """The project gives a reason for not checking it."""
    STALE = "stale"
    """The statement changed since the check was accepted."""
    ERROR = "error"
    """The check itself broke."""


class LeanStatus(StrEnum):
    """Lean's status of the theorem, or of the hypothesis."""

    PROVED = "proved"
    """The kernel accepted a proof from the standard axioms and Lean's own library."""
    ASSUMED = "assumed"
    """A hypothesis: the theorem assumes it."""
    DISCHARGED = "discharged"
    """A hypothesis that a named lemma proves under stated conditions."""
    SORRY = "sorry"
    """The proof, or something below it, is unfinished."""
    AXIOM = "axiom"
    """The proof rests on an axiom that is neither standard nor the distribution's."""
    REFUSED = "refused"
    """A kernel does not accept the proof, or something that it rests on."""
    EXPORTED = "exported"
    """Not a proposition: a graph that Lean exported, exactly the term that theorems are about."""
    UNCHECKED = "unchecked"
    """Lean was not asked."""


_FAILING_LEAN = frozenset({LeanStatus.SORRY, LeanStatus.AXIOM, LeanStatus.REFUSED})
_INCOMPLETE = frozenset({Verdict.UNPAIRED, Verdict.STALE, Verdict.INCONCLUSIVE, Verdict.ERROR})


def exit_code(
    judged: Iterable[tuple[Verdict, LeanStatus]], *, refused: bool = False, incomplete: bool = False
) -> int:
    """The exit code of an audit: 0 everything holds, 1 something fails, 4 incomplete.

    This is the only rule for everything that shows an outcome.  If Lean says ``sorry``, names a
    foreign axiom or refuses a proof, that is a failure; an empty audit is incomplete.  Codes 2 and
    3 belong to errors, which never reach this function.

    Args:
        judged: the verdict on each obligation, and Lean's status of it.
        refused: whether a kernel refuses any constant, of an audited theorem or not.
        incomplete: whether the audit as a whole fell short.
    """
    pairs = list(judged)
    if refused or any(v is Verdict.FAILS or s in _FAILING_LEAN for v, s in pairs):
        return 1
    if incomplete or not pairs or any(v in _INCOMPLETE for v, _ in pairs):
        return 4
    if any(s is LeanStatus.UNCHECKED for _, s in pairs):
        return 4
    return 0
