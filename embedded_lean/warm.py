"""A process that stays warm between the documents of one audit.

Starting one and compiling Lean's WebAssembly module in it costs seconds, which an audit would pay
for each of its questions.  The last process used is kept for a while; it ends with this one.
"""

from __future__ import annotations

import atexit
import contextlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded_lean.host import Host
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.store import Store

__all__ = ["end_warm_host", "warm_host"]

_IDLE_SECONDS = 30.0
_Key = tuple[Layout, Node, Path, Path]


@dataclass(slots=True)
class _Warm:
    key: _Key
    host: Host
    outputs: Path
    users: int = 0
    timer: threading.Timer | None = None

    def end(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.host.kill()
        shutil.rmtree(self.outputs, ignore_errors=True)


_lock = threading.Lock()
_kept: list[_Warm] = []


@contextlib.contextmanager
def warm_host(
    layout: Layout, node: Node, project: Path, tree: Path, store: Store
) -> Iterator[tuple[Host, Path]]:
    """The process for this state of a project, and the folder that its runs may write below.

    One of another project, or of an earlier state, ends as soon as nothing runs in it.
    """
    key = (layout, node, project, tree)
    with _lock:
        warm = next((w for w in _kept if w.key == key and w.outputs.is_dir()), None)
        if warm is None:
            outputs = store.work_folder()
            warm = _Warm(key, Host(layout, node, project, tree, outputs), outputs)
            _kept.append(warm)
        warm.users += 1
        if warm.timer is not None:
            warm.timer.cancel()
        for other in [w for w in _kept if w is not warm and not w.users]:
            _kept.remove(other)
            other.end()
    try:
        yield warm.host, warm.outputs
    finally:
        with _lock:
            warm.users -= 1
            if not warm.users:
                warm.timer = threading.Timer(_IDLE_SECONDS, _end_idle, (warm,))
                warm.timer.daemon = True
                warm.timer.start()


def _end_idle(warm: _Warm) -> None:
    with _lock:
        if warm.users or warm not in _kept:
            return
        _kept.remove(warm)
    warm.end()


@atexit.register
def end_warm_host() -> None:
    """End every process that is kept."""
    with _lock:
        kept, _kept[:] = list(_kept), []
    for warm in kept:
        warm.end()
