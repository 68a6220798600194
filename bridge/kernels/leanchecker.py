"""The official toolchain's ``leanchecker``, which reads the compiled files, as one that took part.

It runs the toolchain's own kernel, and so has that kernel's faults.
"""

from __future__ import annotations

from bridge.kernels.known_bugs import known_bugs
from bridge.lean.trust import KernelOpinion, Trust

__all__ = ["leanchecker_opinion"]


def leanchecker_opinion(trust: Trust, lean_version: str) -> KernelOpinion | None:
    """What it said, where it ran and accepted; it does not count constants, the replay does."""
    if not trust.checker:
        return None
    return KernelOpinion(trust.checker, lean_version, trust.constants, known_bugs(lean_version))
