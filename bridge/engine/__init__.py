"""Lean engines: what runs Lean for the bridge.

Two engines, one interface (`Engine`): the official toolchain, or an embedded one that is fetched on
demand and needs only Node.js.  Code outside this package does not know which one it talks to,
beyond what `Engine` says.  From the bridge this package imports only `bridge.errors`.
"""

from __future__ import annotations

from types import ModuleType

from bridge.engine.asked import EVERYTHING, states_of, unchanged
from bridge.engine.choose import install, select, status, uninstall, why_not_lake
from bridge.engine.errors import (
    BuildBrokenError,
    CacheUnusableError,
    DiskFullError,
    DownloadError,
    EngineDamagedError,
    EngineError,
    EngineNotInstalledError,
    IntegrityError,
    LakefileError,
    LakeUnusableError,
    LockTimeoutError,
    NodeMissingError,
    PatchError,
    TooSlowError,
    UnpackError,
)
from bridge.engine.interface import (
    OUTPUT_FILE,
    STOPPED,
    BuildEvent,
    BuildProgress,
    BuildReport,
    Engine,
    EngineKind,
    EngineStatus,
    InstallEvent,
    InstallPhase,
    InstallProgress,
    LeanMessage,
    ModuleReport,
    Outcome,
    Recheck,
    Severity,
)

__all__ = [
    "EVERYTHING",
    "OUTPUT_FILE",
    "STOPPED",
    "BuildBrokenError",
    "BuildEvent",
    "BuildProgress",
    "BuildReport",
    "CacheUnusableError",
    "DiskFullError",
    "DownloadError",
    "Engine",
    "EngineDamagedError",
    "EngineError",
    "EngineKind",
    "EngineNotInstalledError",
    "EngineStatus",
    "InstallEvent",
    "InstallPhase",
    "InstallProgress",
    "IntegrityError",
    "LakeUnusableError",
    "LakefileError",
    "LeanMessage",
    "LockTimeoutError",
    "ModuleReport",
    "NodeMissingError",
    "Outcome",
    "PatchError",
    "Recheck",
    "Severity",
    "TooSlowError",
    "UnpackError",
    "install",
    "select",
    "states_of",
    "status",
    "unchanged",
    "uninstall",
    "why_not_lake",
]

# A missing name fails at import, not in a user's script.  Submodules are not public names, and
# pytest's assertion rewriting adds names that are not identifiers.
_PUBLIC = {
    name
    for name, value in globals().items()
    if name.isidentifier() and not name.startswith("_") and not isinstance(value, ModuleType)
} - {"ModuleType", "annotations"}
assert set(__all__) == _PUBLIC, f"bridge.engine exports {set(__all__) ^ _PUBLIC} by mistake"
