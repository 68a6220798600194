"""A cancelled build starts nothing more."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from bridge.engine.errors import BuildBrokenError
from bridge.engine.lakefile import Library
from bridge.engine.modules import Module
from embedded_lean.compile import Compiler
from embedded_lean.host import HostEndedError, RunEnded
from embedded_lean.layout import Layout
from embedded_lean.node import Node


class EndedHost:
    """A host that ends when the build is cancelled: each run in it is aborted."""

    def __init__(self, cancelled: threading.Event) -> None:
        self.cancelled = cancelled
        self.runs = 0

    def start(self, *_: object) -> tuple[str, Future[RunEnded]]:
        self.runs += 1
        self.cancelled.set()
        future: Future[RunEnded] = Future()
        future.set_exception(HostEndedError("it was ended"))
        return "1", future


@pytest.mark.parametrize(("before", "runs"), [(True, 0), (False, 1)])
def test_a_cancelled_run_is_not_repeated(tmp_path: Path, before: bool, runs: int) -> None:
    cancelled = threading.Event()
    if before:
        cancelled.set()
    source = tmp_path / "X.lean"
    source.write_text("#check 1")
    library = Library("X", tmp_path, ("X",), ())
    module = Module("X", library, source, "X.lean", source.read_bytes(), ())
    host: Any = EndedHost(cancelled)
    nowhere = Node(tmp_path / "no node", "20.0.0")  # it would say that it cannot be started
    layout = Layout(tmp_path / "cache")
    compiler = Compiler(layout, nowhere, tmp_path, tmp_path, 60.0, cancelled, host)
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(BuildBrokenError, match="the build was cancelled"):
        compiler.compile(module, work)
    assert host.runs == runs
