"""Versions of Lean whose kernels are known to accept a proof of False.

Each entry names the correction and the first releases with it, according to Lean's release notes:
<https://lean-lang.org/doc/reference/latest/releases/>.  Bugs of the elaborator, and corrections
that the notes call hardening, are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["KNOWN_BUGS", "KernelBug", "known_bugs"]

PULL = "https://github.com/leanprover/lean4/pull/"
Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class KernelBug:
    """A way to a proof of False.

    Attributes:
        pull: number of the pull request that corrects it.
        what: what the kernel accepts.
        corrected: the first release of each series that has the correction, oldest first; every
            later series has it.
    """

    pull: int
    what: str
    corrected: tuple[Version, ...]

    def affects(self, version: Version) -> bool:
        """Whether a kernel of this version has it."""
        return not any(
            version >= first and (version[:2] == first[:2] or first == self.corrected[-1])
            for first in self.corrected
        )


KNOWN_BUGS = (
    KernelBug(14498, "an opaque constant whose value is a stray local", ((4, 32, 1), (4, 33, 0))),
    KernelBug(14577, "a nested inductive type with ill-typed arguments", ((4, 32, 2), (4, 33, 0))),
    KernelBug(14613, "data taken out of a sort that is Prop in disguise", ((4, 33, 0),)),
    KernelBug(14616, "names that clash with the kernel's own for nested types", ((4, 33, 0),)),
    KernelBug(14806, "equalities cached in an order that matters", ((4, 33, 1), (4, 34, 0))),
    KernelBug(14807, "data taken out of a proof of a stuck type", ((4, 33, 1), (4, 34, 0))),
    KernelBug(14838, "a reference count that overflows", ((4, 33, 1), (4, 34, 0))),
)
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-\S+)?")


def known_bugs(version: str) -> str:
    """What a kernel of this Lean is known to accept, in a sentence; empty if nothing is known.

    A version that cannot be read, or that comes before a release, counts as the release before.
    """
    match = _VERSION.match(version)
    if match is None:
        return f"Lean {version!r} is not a known version"
    number = (int(match[1]), int(match[2]), int(match[3]))
    if match[4]:  # it branched off at the release before it, or earlier
        number = (*number[:2], number[2] - 1) if number[2] else (number[0], number[1] - 1, 0)
    found = [bug for bug in KNOWN_BUGS if bug.affects(number)]
    if not found:
        return ""
    numbers = ", ".join(f"#{bug.pull}" for bug in found)
    return f"kernels of Lean {version} accept proofs of False (corrected by lean4 {numbers})"
