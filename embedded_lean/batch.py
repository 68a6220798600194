"""Runs Lean on a document that is not a file of the project, in the process that compiled it."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.engine.errors import BuildBrokenError, TooSlowError
from bridge.engine.interface import OUTPUT_FILE, STOPPED, LeanMessage
from bridge.engine.lakefile import Library
from bridge.engine.modules import Module
from embedded_lean.compile import Compiler
from embedded_lean.disk import errors_explained
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.runtime import OUTPUT
from embedded_lean.snapshot import imports_of, take_snapshot
from embedded_lean.store import Store
from embedded_lean.warm import warm_host

__all__ = ["run_document"]

_NAME = "ObligationsRequest"
_WRITTEN = "written"
_POLL_SECONDS = 0.1


def run_document(
    layout: Layout,
    node: Node,
    project: Path,
    text: str,
    *,
    fingerprint: str,
    timeout: float,
    output: Path | None = None,
    cancelled: threading.Event | None = None,
) -> tuple[LeanMessage, ...]:
    """Lean's messages about `text`; what it imports of the project is compiled already.

    A module that is not compiled from its present source is an error at its import, without Lean.
    What Lean writes to `OUTPUT_FILE` is moved to `output`.  If `cancelled` is set, Lean is stopped.

    Raises:
        LakefileError, BuildBrokenError: the project cannot be read, or Lean stopped early.
        TooSlowError: it took longer than `timeout` seconds.
    """
    store = Store(layout.build)
    stop = cancelled or threading.Event()
    with errors_explained(store.folder):
        return _run(layout, node, project, text, store, fingerprint, timeout, output, stop)


def _run(
    layout: Layout,
    node: Node,
    project: Path,
    text: str,
    store: Store,
    fingerprint: str,
    timeout: float,
    output: Path | None,
    cancelled: threading.Event,
) -> tuple[LeanMessage, ...]:
    snapshot = take_snapshot(project, store, fingerprint)
    if missing := snapshot.missing(imports_of(text)):
        return tuple(
            LeanMessage(
                f"{_NAME}.lean",
                i.line,
                i.column,
                "error",
                f"import {i.module}: it is not compiled from its present source. "
                "Run `obligations build`.",
            )
            for i in missing
        )
    with warm_host(layout, node, project, store) as warm, _turn(warm.documents, cancelled):
        tree = warm.tree_like(snapshot.tree)
        work = Path(tempfile.mkdtemp(dir=warm.outputs))
        try:
            source = text.replace(OUTPUT_FILE, f"{OUTPUT}/{_WRITTEN}").encode()
            path = work / f"{_NAME}.lean"
            path.write_bytes(source)
            library = Library(_NAME, work, (_NAME,), snapshot.package.options)
            module = Module(_NAME, library, path, path.name, source, ())
            compiler = Compiler(layout, node, project, tree, timeout, cancelled, warm.host)
            result = compiler.compile(module, work, seen=f"{OUTPUT}/{path.name}")
            if output is not None and (work / _WRITTEN).is_file():
                shutil.move(work / _WRITTEN, output)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    if result.stopped and result.seconds >= timeout:
        raise TooSlowError(
            f"Lean did not answer within {timeout:g} s",
            remedy="give it more time with --timeout, or look for the cause with "
            "`obligations doctor`",
        )
    if result.stopped:
        raise BuildBrokenError(f"{STOPPED}: {result.stopped}")
    return result.messages


@contextmanager
def _turn(turns: threading.Semaphore, cancelled: threading.Event) -> Iterator[None]:
    """Wait for a turn, and give it back at the end.

    Raises:
        BuildBrokenError: `cancelled` was set meanwhile.
    """
    while not turns.acquire(timeout=_POLL_SECONDS):
        if cancelled.is_set():
            raise BuildBrokenError(f"{STOPPED}: it was cancelled before it began")
    try:
        yield
    finally:
        turns.release()
