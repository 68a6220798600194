"""A process that stays warm between the builds and the documents of one project.

Starting one and compiling Lean's WebAssembly module in it costs seconds, and so does the machine
code that V8 makes of it as Lean runs; an audit would pay for both at each request.  The last
process used is kept for a while; it ends with this one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bridge.engine.processes import usable_cores
from embedded_lean.host import Host
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.store import Store

__all__ = ["WarmHost", "end_warm_host", "warm_host"]

_IDLE_SECONDS = 30.0
_Key = tuple[Layout, Node, Path]


@dataclass(slots=True)
class WarmHost:
    """The process of one project.

    It may read below `trees`, where compiled modules are, and write below `outputs`; each run sees
    one folder of each.  `documents` are turns: no more documents run at once than there are cores,
    since each takes an instance of its own, which costs time and memory.
    """

    key: _Key
    host: Host
    folder: Path
    documents: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(usable_cores())
    )
    users: int = 0
    timer: threading.Timer | None = None

    @property
    def trees(self) -> Path:
        """Folders of compiled modules."""
        return self.folder / "trees"

    @property
    def outputs(self) -> Path:
        """Folders that runs may write to."""
        return self.folder / "outputs"

    def tree_like(self, tree: Path) -> Path:
        """A folder below `trees` with the same compiled modules as `tree`, which never changes."""
        own = self.trees / tree.name
        with _lock:
            if not own.is_dir():
                shutil.copytree(tree, own, copy_function=_link)
        return own

    def end(self) -> None:
        """End the process, and remove its folder."""
        if self.timer is not None:
            self.timer.cancel()
        self.host.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


_lock = threading.Lock()
_kept: list[WarmHost] = []


@contextlib.contextmanager
def warm_host(layout: Layout, node: Node, project: Path, store: Store) -> Iterator[WarmHost]:
    """The process for a project; another project's process ends as soon as nothing runs in it."""
    key = (layout, node, project)
    with _lock:
        warm = next((w for w in _kept if w.key == key and w.outputs.is_dir()), None)
        if warm is None:
            warm = _new(key, store)
            _kept.append(warm)
        warm.users += 1
        if warm.timer is not None:
            warm.timer.cancel()
        for other in [w for w in _kept if w is not warm and not w.users]:
            _kept.remove(other)
            other.end()
    try:
        yield warm
    finally:
        with _lock:
            warm.users -= 1
            if not warm.users:
                warm.timer = threading.Timer(_IDLE_SECONDS, _end_idle, (warm,))
                warm.timer.daemon = True
                warm.timer.start()


def _new(key: _Key, store: Store) -> WarmHost:
    layout, node, project = key
    folder = store.work_folder()
    try:
        host = Host(layout, node, project, folder / "trees", folder / "outputs")
        warm = WarmHost(key, host, folder)
        warm.trees.mkdir()
        warm.outputs.mkdir()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return warm


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # the file system has no hard links
        shutil.copyfile(source, target)


def _end_idle(warm: WarmHost) -> None:
    with _lock:
        if warm.users or warm not in _kept:
            return
        _kept.remove(warm)
    warm.end()


@atexit.register
def end_warm_host() -> None:
    """End every kept process."""
    with _lock:
        kept, _kept[:] = list(_kept), []
    for warm in kept:
        warm.end()
