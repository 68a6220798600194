"""Errors of the Lean engines.

Every error says what was found, what was expected, and in `remedy` what to do next.  They all end a
command with exit code 3: no engine, or Lean broke.  An error in a Lean source is not one of these;
it is a message in a `BuildReport`.
"""

from __future__ import annotations

from bridge.errors import EngineError

__all__ = [
    "BuildBrokenError",
    "CacheUnusableError",
    "DiskFullError",
    "DownloadError",
    "EngineDamagedError",
    "EngineError",
    "EngineNotInstalledError",
    "IntegrityError",
    "LakeUnusableError",
    "LakefileError",
    "LockTimeoutError",
    "NodeMissingError",
    "PatchError",
    "TooSlowError",
    "UnpackError",
]


class EngineNotInstalledError(EngineError):
    """The embedded engine was requested and is not installed."""


class EngineDamagedError(EngineError):
    """The installed engine is not what was installed: files are missing or changed."""


class NodeMissingError(EngineError):
    """No Node.js that can run the embedded engine, or no npm that can fetch it."""


class DownloadError(EngineError):
    """npm could not fetch the engine's package."""


class IntegrityError(EngineError):
    """Bytes do not have the hash that this release of the checker pins."""


class PatchError(EngineError):
    """The published engine does not look as the patches expect; nothing was patched."""


class UnpackError(EngineError):
    """The published archive contains something that it must not."""


class DiskFullError(EngineError):
    """The disk is full, or a quota is reached."""


class LockTimeoutError(EngineError):
    """Another process held a lock of the engine's cache for too long."""


class CacheUnusableError(EngineError):
    """The cache's folder cannot be used: it cannot be written, or its file system has no locks."""


class LakeUnusableError(EngineError):
    """The official `lake` was requested and cannot be used."""


class LakefileError(EngineError):
    """The project's lakefile uses something that the embedded engine does not understand."""


class BuildBrokenError(EngineError):
    """The build itself broke, as opposed to a Lean source that has errors."""


class TooSlowError(BuildBrokenError):
    """Lean exceeded its time limit."""
