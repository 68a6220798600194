"""Fixtures of the engine's tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bridge import engine
from bridge.engine.embedded.layout import CACHE_VARIABLE, Layout, default_layout


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """An empty cache of this test's own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return default_layout()


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> engine.Engine:
    """The real embedded engine, installed where the user's cache is."""
    engine.install()
    return engine.select("embedded", project=tmp_path_factory.getbasetemp(), install=False)


@pytest.fixture
def no_orphans() -> Iterator[Callable[[], list[str]]]:
    """Fails if a process that this test started, or a child of one, is alive when the test ends."""
    marker = f"orphan-check-{os.getpid()}-{time.monotonic_ns()}"
    os.environ["LEAN_OBLIGATIONS_TEST"] = marker
    before = {p.pid for p in psutil.process_iter()}

    def alive() -> list[str]:
        found = []
        for process in psutil.process_iter():
            if process.pid in before or process.pid == os.getpid():
                continue
            try:
                command = " ".join(process.cmdline())
                ours = "loader.cjs" in command or "bridge.engine" in command or "npm" in command
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"{process.pid}: {command[:200]}")
            except psutil.Error:
                continue
        return found

    yield alive
    del os.environ["LEAN_OBLIGATIONS_TEST"]
    deadline = time.monotonic() + 15
    while (left := alive()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, f"processes outlived the test: {left}"
