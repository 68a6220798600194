"""The engine's own kernel, which was handed every constant again, as one that took part."""

from __future__ import annotations

from bridge.kernels.known_bugs import known_bugs
from bridge.lean.trust import KernelOpinion, Trust

__all__ = ["replay_opinion"]


def replay_opinion(trust: Trust, lean_version: str) -> KernelOpinion:
    """What the replay by the engine's own Lean came to; see ``lean/Obligations/Replay.lean``."""
    return KernelOpinion(
        f"Lean {lean_version}, once more", lean_version, trust.constants, known_bugs(lean_version)
    )
