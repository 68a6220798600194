"""What an export must satisfy before a kernel's answer about it counts.

A kernel accepts a theorem that was turned into an axiom, does not notice one that was left out, and
computes some functions by their names whatever their definitions.  So the export is compared with
the audit's theorems, and with the library that the running Lean ships.
"""

from __future__ import annotations

import gzip
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from bridge.kernels.export import Export

__all__ = ["Claim", "Pinned", "objections", "pinned_library"]

# Axioms that Lean ships and that mark a missing proof.
_CONFESSIONS = frozenset({"sorryAx", "Lean.ofReduceBool", "Lean.ofReduceNat", "Lean.trustCompiler"})


@dataclass(frozen=True, slots=True)
class Claim:
    """A tagged theorem: the number of its name in the export, and what the audit knows about it.

    ``axioms`` are those in Lean's answer to the audit; they are judged there.
    ``evidence`` is a hash of the statement with the definitions that it unfolds to, ``module`` the
    module that declares it.
    """

    theorem: str
    number: int | None
    type_hash: str
    axioms: frozenset[str]
    evidence: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True)
class Pinned:
    """Hashes of the meanings of constants of Lean's own library, for one version of Lean."""

    lean: str
    constants: Mapping[str, str]

    def of(self, version: str) -> Mapping[str, str]:
        """The hashes if ``version`` is this one, else none."""
        return self.constants if version.split("-")[0] == self.lean else {}


@cache
def pinned_library() -> Pinned:
    """The pinned statements and definitions; ``bridge/kernels/pins.py`` writes them."""
    data = files("bridge.kernels").joinpath("library_statements.json.gz").read_bytes()
    return msgspec.json.decode(gzip.decompress(data), type=Pinned)


def objections(
    export: Export,
    claims: Sequence[Claim],
    own: Collection[int],
    pinned: Mapping[str, str],
) -> dict[int | str, str]:
    """Constants that do not count, by number, and why; a theorem without a number by its name.

    Args:
        export: what the kernel read.
        claims: the audited theorems.
        own: numbers of the constants that the running Lean does not ship.
        pinned: hashes of constants that it ships.
    """
    found: dict[int | str, str] = {}
    for number, constant in export.constants.items():
        name = export.names[number]
        if number not in own and name in pinned and constant.meaning != pinned[name]:
            found[number] = "it is not what Lean's library has under this name"
    for claim in claims:
        stated = None if claim.number is None else export.constants.get(claim.number)
        if stated is None or claim.number is None:
            found.setdefault(claim.theorem, "it is not in the export")
            continue
        if stated.kind != "thm":
            found.setdefault(claim.number, f"the export has it as {stated.kind}, not as thm")
        elif stated.type_hash != claim.type_hash:
            found.setdefault(claim.number, "the export states something else")
        for number in export.below(claim.number):
            there = export.constants.get(number)
            name = export.names[number]
            if there is None or there.kind != "axiom" or name in claim.axioms:
                continue
            # Lemmas of Lean's library appear as axioms if their proofs are not shipped; if all of
            # the library is pinned, one that is not pinned is not the library's.
            if number in own or name in _CONFESSIONS or (pinned and name not in pinned):
                found.setdefault(number, "it is an axiom that Lean did not name")
    return found
