"""The workers of one language server: started, kept warm, and never left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded_lean.frames import Message
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.runtime import lean_invocation
from embedded_lean.worker import Ended, Worker

__all__ = ["Label", "WorkerPool"]

_WORKER_THREADS = 6


@dataclass(frozen=True, slots=True)
class Label:
    """What a worker is started for; it can serve any source with an equal label.

    Compiled modules that it sees, folders of the project's sources, Lean's options.
    """

    tree: Path
    sources: tuple[Path, ...]
    options: tuple[tuple[str, object], ...]


@dataclass(slots=True, eq=False)
class WorkerPool:
    """Starts workers, holds one to spare, and knows all that run.

    Attributes:
        layout, node, project, arguments: what workers are started with.
        on_message: called with every message of a worker.
        on_end: called when a worker that serves a source ends by itself.
        initialize: the client's `initialize` request, which every worker gets first.
    """

    layout: Layout
    node: Node
    project: Path
    arguments: tuple[str, ...]
    on_message: Callable[[Worker, Message], None]
    on_end: Callable[[Worker, Ended], None]
    initialize: Message | None = None
    spare: Worker | None = None
    _running: set[Worker] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _warming: bool = False
    _spare_died: bool = False

    def __iter__(self) -> Iterator[Worker]:
        return iter(tuple(self._running))

    async def take(self, label: Label) -> Worker:
        """The spare worker if it fits, else a new one.

        Raises:
            OSError: it cannot be started.
        """
        spare, self.spare = self.spare, None
        self._spare_died = False
        if spare is not None and spare.label == label and not spare.killed:
            return spare
        if spare is not None:
            self.drop(spare)
        return await self._start(label)

    async def warm_up(self, label: Label) -> None:
        """Start a spare worker if there is none; not again after one that died by itself.

        Raises:
            OSError: it cannot be started.
        """
        if self.spare is not None or self._warming or self._spare_died or self.initialize is None:
            return
        self._warming = True
        try:
            self.spare = await self._start(label)
        finally:
            self._warming = False

    def drop(self, worker: Worker) -> None:
        """Kill a worker that no one needs any more."""
        worker.kill()
        self._running.discard(worker)
        self.later(worker.wait())

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background; `close` waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the event loop itself keeps no reference
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Kill all workers, and wait until they are gone."""
        while self._running or self._tasks:  # a restart in progress may bring another worker
            workers, self._running = self._running, set()
            for worker in workers:
                worker.kill()
            await asyncio.gather(*(w.wait() for w in workers), *self._tasks)

    async def _start(self, label: Label) -> Worker:
        assert self.initialize is not None, "a client opens sources after `initialize`"
        settings = tuple(f"-D{name}={_setting(value)}" for name, value in label.options)
        invocation = lean_invocation(
            self.layout,
            self.node,
            project=self.project,
            tree=label.tree,
            sources=label.sources,
            arguments=("--worker", *settings, *self.arguments),
            threads=_WORKER_THREADS,
            report_memory=True,
        )
        worker = await Worker.start(
            invocation, label, self.initialize, self.on_message, self._ended
        )
        self._running.add(worker)
        return worker

    def _ended(self, worker: Worker, ended: Ended) -> None:
        self._running.discard(worker)
        if worker is self.spare:
            self.spare, self._spare_died = None, True
        else:
            self.on_end(worker, ended)


def _setting(value: object) -> str:
    """An option's value as Lean's command line wants it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
