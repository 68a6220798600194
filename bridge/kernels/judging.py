"""From kernels' answers to the theorems that rest on refused constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.kernels.export import Export
from bridge.kernels.policy import Claim
from bridge.lean.trust import KernelOpinion, Trust

__all__ = ["Findings", "findings", "with_kernels"]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a kernel's answer means for the audit.

    Attributes:
        opinion: the kernel that took part.
        refusals: constants that are refused and rest on no other refused one, and why.
        refused: tagged theorems that rest on a refused constant, and on which.
    """

    opinion: KernelOpinion
    refusals: Mapping[str, str]
    refused: Mapping[str, str]


def findings(
    export: Export,
    claims: Sequence[Claim],
    opinion: KernelOpinion,
    reasons: Mapping[int | str, str],
) -> Findings:
    """Which theorems rest on a refused constant.

    Args:
        export: what the kernel read; what each constant rests on is taken from it.
        claims: the tagged theorems.
        opinion: the kernel.
        reasons: why constants are refused, by number, or by name if a theorem has none.
    """
    refused: dict[str, str] = {}
    refusals: dict[str, str] = {}
    for number, why in reasons.items():
        if isinstance(number, str):
            refusals[number] = why
        elif not any(
            other in reasons and (other < number or number not in export.below(other))
            for other in export.below(number) - {number}
        ):  # of constants that rest on each other, such as a type and its recursor, the first
            refusals[export.names[number]] = why
    for claim in claims:
        if claim.theorem in reasons or claim.number is None:
            refused[claim.theorem] = claim.theorem
            continue
        below = sorted(n for n in export.below(claim.number) if n in reasons)
        if below:
            root = next((n for n in below if export.names[n] in refusals), below[0])
            refused[claim.theorem] = export.names[root]
            refusals.setdefault(export.names[root], reasons[root])
    return Findings(opinion, refusals, refused)


def with_kernels(trust: Trust, found: Sequence[Findings]) -> Trust:
    """``trust`` with the answers of further kernels; existing refusals are kept."""
    for one in found:
        said = {name: f"{one.opinion.name}: {why}" for name, why in one.refusals.items()}
        trust = replace(
            trust,
            refusals={**said, **trust.refusals},
            refused={**one.refused, **trust.refused},
            kernels=(*trust.kernels, one.opinion),
        )
    return trust
