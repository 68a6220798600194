"""Chooses the Lean engine.

The embedded engine is a package above this one; it is loaded when it is chosen.
"""

from __future__ import annotations

from pathlib import Path

from bridge.engine.errors import (
    EngineDamagedError,
    EngineError,
    EngineNotInstalledError,
    LakeUnusableError,
)
from bridge.engine.interface import Engine, EngineStatus, InstallProgress
from bridge.engine.official import find_lake

__all__ = ["install", "select", "status", "uninstall", "why_not_lake"]


def select(
    kind: str = "auto",
    *,
    project: Path,
    install: bool = True,
    progress: InstallProgress | None = None,
) -> Engine:
    """The engine to use for `project`.

    Args:
        kind: `lake` or `embedded` for that one; `auto` for `lake` if it is on PATH and answers,
            else the embedded one.
        project: folder of the Lean project; `lake` answers differently in different projects.
        install: whether to install the embedded engine if it is needed and missing or damaged.
        progress: callback for the installation's progress.

    Raises:
        EngineError: there is none; the message says why, the remedy what to do.
        ValueError: `kind` is not one of the three.
    """
    if kind not in ("auto", "lake", "embedded"):
        raise ValueError(f"expected an engine among auto, lake, embedded but got kind={kind!r}")
    if kind == "lake":
        return find_lake(project)
    without_lake = ""
    if kind == "auto":
        try:
            return find_lake(project)
        except LakeUnusableError as error:
            without_lake = str(error)
    try:
        return _embedded(install, progress)
    except EngineError as error:
        if not without_lake:
            raise
        raise type(error)(
            f"no Lean engine: {without_lake}; and {error}", remedy=error.remedy
        ) from error


def _embedded(install: bool, progress: InstallProgress | None) -> Engine:
    from embedded_lean.engine import open_engine
    from embedded_lean.install import install_engine
    from embedded_lean.layout import default_layout

    layout = default_layout()
    try:
        return open_engine(layout)
    except (EngineNotInstalledError, EngineDamagedError):
        if not install:
            raise
    install_engine(layout, progress)
    return open_engine(layout)


def install(progress: InstallProgress | None = None) -> EngineStatus:
    """Install the embedded engine, unless it is installed and undamaged.

    Raises:
        EngineError: with a remedy; no incomplete installation stays.
    """
    from embedded_lean.engine import embedded_status
    from embedded_lean.install import install_engine
    from embedded_lean.layout import default_layout

    layout = default_layout()
    install_engine(layout, progress)
    return embedded_status(layout)


def uninstall() -> int:
    """Remove the embedded engine and everything it keeps in the cache; returns the bytes freed."""
    from embedded_lean.install import remove_engine
    from embedded_lean.layout import default_layout

    return remove_engine(default_layout())


def status(*, verify: bool = False) -> EngineStatus:
    """The embedded engine's status; with `verify`, every file is hashed."""
    from embedded_lean.engine import embedded_status
    from embedded_lean.layout import default_layout

    return embedded_status(default_layout(), verify=verify)


def why_not_lake(project: Path) -> str:
    """Why the official toolchain is not used in `project`; empty if it can be.  For `doctor`."""
    try:
        find_lake(project)
    except LakeUnusableError as error:
        return str(error)
    return ""
