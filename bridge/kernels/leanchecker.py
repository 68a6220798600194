"""The official toolchain's ``leanchecker``, which reads the compiled files, as one of the kernels.

It runs the toolchain's own kernel, so it has that kernel's bugs.
"""

from __future__ import annotations

from bridge.kernels.known_bugs import known_bugs
from bridge.lean.trust import KernelOpinion, Trust

__all__ = ["leanchecker_opinion"]


def leanchecker_opinion(trust: Trust, lean_version: str) -> KernelOpinion | None:
    """Its answer, if it ran and accepted; it does not count constants, the replay does."""
    if not trust.checker:
        return None
    return KernelOpinion(trust.checker, lean_version, trust.constants, known_bugs(lean_version))
