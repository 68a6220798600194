"""Runs Lean on a document that is no file of the project, without the language server.

The server keeps every state of a document and elaborates it in several threads, which takes about
twice the memory that one run in batch mode takes.  Where it dies of that, the same document can be
asked here.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from bridge.engine.errors import BuildBrokenError
from bridge.engine.interface import OUTPUT_FILE, STOPPED, LeanMessage
from bridge.engine.lakefile import Library
from bridge.engine.modules import Module
from embedded_lean.compile import Compiler
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.runtime import OUTPUT
from embedded_lean.snapshot import take_snapshot
from embedded_lean.store import Store

__all__ = ["run_document"]

_NAME = "ObligationsRequest"
_WRITTEN = "written"


def run_document(
    layout: Layout,
    node: Node,
    project: Path,
    text: str,
    *,
    fingerprint: str,
    timeout: float,
    output: Path | None = None,
) -> tuple[LeanMessage, ...]:
    """Lean's messages about `text`; what it imports of the project is compiled already.

    What Lean writes to `OUTPUT_FILE` is moved to `output`.

    Raises:
        LakefileError, BuildBrokenError: the project cannot be read, or Lean broke off.
    """
    store = Store(layout.build)
    snapshot = take_snapshot(project, store, fingerprint)
    work = store.work_folder()
    try:
        source = text.replace(OUTPUT_FILE, f"{OUTPUT}/{_WRITTEN}").encode()
        path = work / f"{_NAME}.lean"
        path.write_bytes(source)
        library = Library(_NAME, work, (_NAME,), snapshot.package.options)
        module = Module(_NAME, library, path, path.name, source, ())
        compiler = Compiler(layout, node, project, snapshot.tree, timeout, threading.Event())
        result = compiler.compile(module, work, seen=f"{OUTPUT}/{path.name}")
        if output is not None and (work / _WRITTEN).is_file():
            shutil.move(work / _WRITTEN, output)
    except OSError as error:
        raise BuildBrokenError(
            f"Lean cannot be run in {store.folder}: {error}",
            remedy="Free some space, or set LEAN_OBLIGATIONS_CACHE to another folder.",
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if result.stopped:
        raise BuildBrokenError(f"{STOPPED}: {result.stopped}")
    return result.messages
