"""Fixtures of the engine's tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bridge import engine
from embedded_lean.layout import CACHE_VARIABLE, Layout, default_layout
from embedded_lean.warm import end_warm_host


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """An empty cache for this test."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return default_layout()


@pytest.fixture(scope="session")
def installed() -> Layout:
    """The real embedded engine, installed in the user's cache."""
    engine.install()
    return default_layout()


@pytest.fixture
def lean(cache: Layout, installed: Layout, no_orphans: object) -> engine.Engine:
    """The real embedded engine, with an empty store of compiled modules for this test."""
    cache.cache.mkdir()
    cache.engines.symlink_to(installed.engines)
    return engine.select("embedded", project=cache.cache, install=False)


@pytest.fixture
def no_orphans(tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """Fails if a process of this test is alive when the test ends.

    A process is known by the test's own folder, in its command line or its environment.  The value
    is a function that lists those that are alive.
    """

    def alive() -> list[str]:
        found = []
        for process in psutil.process_iter():
            if process.pid == os.getpid():
                continue
            try:
                command = " ".join(process.cmdline())
                known = [command, *process.environ().values()]
                running = process.status() != psutil.STATUS_ZOMBIE
            except psutil.Error:
                continue
            if running and any(str(tmp_path) in text for text in known):
                found.append(f"{process.pid}: {command}")
        return found

    yield alive
    end_warm_host()
    deadline = time.monotonic() + 15
    while (left := alive()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, f"processes outlived the test: {left}"
