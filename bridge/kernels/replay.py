"""The engine's own kernel, which received every constant again, as one of the kernels."""

from __future__ import annotations

from bridge.kernels.known_bugs import known_bugs
from bridge.lean.trust import KernelOpinion, Trust

__all__ = ["replay_opinion"]


def replay_opinion(trust: Trust, lean_version: str) -> KernelOpinion:
    """The result of the replay by the engine's own Lean; see ``lean/Obligations/Replay.lean``."""
    return KernelOpinion(
        f"Lean {lean_version}, once more", lean_version, trust.constants, known_bugs(lean_version)
    )
