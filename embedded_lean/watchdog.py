"""A language server for a project: one worker for each open source, well looked after.

It stands where Lean's own watchdog stands in `lake serve`, and behaves like it towards the
client, but for questions about the whole workspace.  Everything runs in one thread, on
asyncio's event loop.

* One spare worker is kept warm, so that opening a source does not wait for a process to start.
* Lean's memory grows with every edit; a worker near the limit is replaced by a fresh one at the
  next edit.
* A worker that dies, loops, or talks garbage gives an error diagnostic and a fatal file
  progress; its open requests fail as Lean's own watchdog lets them fail.  The next edit starts
  a fresh worker.
* A source that imports a module of the project which is not compiled from its present source
  gets an error at that import, never an older compiled form.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bridge.engine.errors import EngineError
from bridge.engine.interface import STOPPED
from embedded_lean import protocol
from embedded_lean.document import Document
from embedded_lean.frames import Message
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.pool import Label, WorkerPool
from embedded_lean.snapshot import Snapshot, imports_of, take_snapshot
from embedded_lean.store import Store
from embedded_lean.worker import RESTART_CODE, Ended, Worker

__all__ = ["MEMORY_LIMIT_MB", "Watchdog"]

MEMORY_LIMIT_MB = 1300
_TICK_SECONDS = 0.5
_IDLE_SECONDS = 3.0  # before another spare worker is started: it takes a processor for a second
_KEEP_SECONDS = 600.0
_MOST_RESTARTS = 3  # without an edit in between
_WAIT = "textDocument/waitForDiagnostics"


@dataclass(slots=True, eq=False)
class _Open:
    """An open source and its worker.

    Without a worker there is a `failure`: the source was refused (its diagnostics say why, and are
    all there will be), or the worker `crashed`.  `waiting` are requests for whoever comes next.
    `turn` counts how often a worker was wanted, since getting one takes time.
    """

    document: Document
    imports: tuple[str, ...] = ()
    import_keys: tuple[str, ...] = ()
    worker: Worker | None = None
    waiting: list[Message] = field(default_factory=list)
    busy_since: float | None = None
    restarts: int = 0
    turn: int = 0
    failure: str = ""
    crashed: bool = False


class Watchdog:
    """The server behind `lake serve`.

    `handle` takes a message of the client, `emit` gets those for the client.  `tick` is to be
    called about twice a second, `close` at the end.
    """

    def __init__(
        self,
        layout: Layout,
        node: Node,
        project: Path,
        *,
        fingerprint: str,
        emit: Callable[[Message], None],
        arguments: tuple[str, ...] = (),
        seconds_per_file: float,
        memory_limit_mb: int = MEMORY_LIMIT_MB,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._store, self._kept_at = Store(layout.build), 0.0
        self._snapshot = partial(take_snapshot, project, self._store, fingerprint)
        self._emit = emit
        self._seconds_per_file, self._memory_limit_mb = seconds_per_file, memory_limit_mb
        self._idle_seconds, self._busy_until = idle_seconds, 0.0
        self._open: dict[str, _Open] = {}
        self._pool = WorkerPool(
            layout, node, project, arguments, self._from_worker, self._worker_ended
        )
        self.exiting = False

    # -- messages of the client --------------------------------------------------

    async def handle(self, message: Message) -> None:
        """Deal with one message of the client; nonsense is answered with an error."""
        try:
            await self._handle(message)
        except (KeyError, TypeError, ValueError) as error:
            text = f"malformed {message.get('method')}: {error!r}"
            if "id" in message:
                self._emit(protocol.error(message["id"], protocol.INVALID_PARAMS, text))

    async def _handle(self, message: Message) -> None:
        method, number = message.get("method"), message.get("id")
        params: Any = message.get("params")
        params = params if isinstance(params, dict) else {}
        match method:
            case None:
                return  # an answer to a request of ours; there are none
            case "initialize":
                self._pool.initialize = message
                self._emit(protocol.result(number, protocol.initialize_result()))
                await self._warm_up()
            case "shutdown":
                self._emit(protocol.result(number, None))
            case "exit":
                self.exiting = True
            case "textDocument/didOpen":
                await self._did_open(Document.opened(params["textDocument"]))
            case "textDocument/didClose":
                self._did_close(str(params["textDocument"]["uri"]))
            case "textDocument/didChange":
                await self._did_change(params)
            case "$/cancelRequest":
                for worker in self._pool:
                    if params.get("id") in worker.pending:
                        worker.send(message)
            case _ if number is not None and method in protocol.ANSWERED_EMPTY:
                self._emit(protocol.result(number, protocol.ANSWERED_EMPTY[str(method)]))
            case _:
                self._forward(message, _uri(params))

    def _forward(self, message: Message, uri: str | None) -> None:
        """Pass a message on to the worker of the source that it is about."""
        number = message.get("id")
        entry = self._open.get(uri) if uri is not None else None
        if entry is not None and entry.worker is not None:
            entry.worker.send(message)
        elif number is None:
            return
        elif entry is None:
            text = f"not available: {message.get('method')}"
            self._emit(protocol.error(number, protocol.METHOD_NOT_FOUND, text))
        elif not entry.failure:
            entry.waiting.append(message)
        else:
            self._emit(_without_worker(message, entry))

    async def _did_open(self, document: Document) -> None:
        self._did_close(document.uri)
        entry = self._open[document.uri] = _Open(document)
        await self._begin(entry)

    def _did_close(self, uri: str) -> None:
        entry = self._open.pop(uri, None)
        if entry is not None and entry.worker is not None:
            self._fail_pending(entry.worker, protocol.CONTENT_MODIFIED, "the source was closed")
            self._pool.drop(entry.worker)

    async def _did_change(self, params: dict[str, Any]) -> None:
        entry = self._open.get(str(params["textDocument"]["uri"]))
        if entry is None:
            return
        entry.document.change(params["textDocument"].get("version"), params["contentChanges"])
        entry.restarts = 0
        worker = entry.worker
        if worker is not None and worker.memory_mb <= self._memory_limit_mb:
            imports = tuple(i.module for i in imports_of(entry.document.text))
            if imports == entry.imports and self._keys(imports) == entry.import_keys:
                entry.busy_since = self._busy_until = time.monotonic()
                worker.send(
                    protocol.notification(
                        "textDocument/didChange",
                        {
                            "textDocument": {
                                "uri": entry.document.uri,
                                "version": entry.document.version,
                            },
                            "contentChanges": params["contentChanges"],
                        },
                    )
                )
                return
        await self._begin(entry)

    # -- workers -----------------------------------------------------------------

    async def _begin(self, entry: _Open) -> None:
        """Give a source a worker with its present text and imports; its old worker is dropped."""
        entry.turn += 1
        turn, entry.failure = entry.turn, ""
        if entry.worker is not None:
            self._set_aside(entry, entry.worker)
            self._pool.drop(entry.worker)
            entry.worker = None
        try:
            snapshot = self._snapshot()
        except EngineError as error:
            self._refuse(entry, [protocol.diagnostic(f"{error}. {error.remedy}".strip())])
            return
        except OSError as error:
            self._refuse(
                entry, [protocol.diagnostic(f"the compiled modules cannot be read: {error}")]
            )
            return
        imports = imports_of(entry.document.text)
        entry.imports = tuple(i.module for i in imports)
        entry.import_keys = tuple(snapshot.key(module) for module in entry.imports)
        missing = snapshot.missing(imports)
        if missing:
            self._refuse(
                entry,
                [
                    protocol.diagnostic(
                        f"import {i.module}: it is not compiled from its present source. "
                        "Run `obligations build`.",
                        i.line - 1,
                        i.column,
                        len(i.module),
                    )
                    for i in missing
                ],
            )
            return
        try:
            worker = await self._pool.take(self._label(snapshot, entry.document.uri))
        except OSError as error:
            self._refuse(entry, [protocol.diagnostic(f"Lean cannot be started: {error}")])
            return
        if entry.turn != turn or self._open.get(entry.document.uri) is not entry:
            self._pool.drop(worker)  # edited again, or closed, while the worker was starting
            return
        entry.worker = worker
        entry.busy_since = self._busy_until = time.monotonic()
        worker.send(
            protocol.notification(
                "textDocument/didOpen",
                {"textDocument": entry.document.item(), "dependencyBuildMode": "never"},
            )
        )
        waiting, entry.waiting = entry.waiting, []
        for request in waiting:
            worker.send(request)

    def _refuse(
        self, entry: _Open, diagnostics: list[dict[str, object]], *, crashed: bool = False
    ) -> None:
        """Say why a source is not processed.  Requests about it fail until it changes."""
        document = entry.document
        entry.busy_since, entry.crashed = None, crashed
        entry.failure = str(diagnostics[0]["message"])
        self._emit(
            protocol.notification(
                "textDocument/publishDiagnostics",
                {"uri": document.uri, "version": document.version, "diagnostics": diagnostics},
            )
        )
        self._emit(protocol.progress(document.uri, document.version, fatal=True))
        waiting, entry.waiting = entry.waiting, []
        for request in waiting:
            self._emit(_without_worker(request, entry))

    def _label(self, snapshot: Snapshot, uri: str) -> Label:
        folders = dict.fromkeys(library.source_folder for library in snapshot.package.libraries)
        return Label(snapshot.tree, tuple(folders), snapshot.options(uri))

    def _keys(self, imports: tuple[str, ...]) -> tuple[str, ...]:
        """Present keys of imports; nothing at all if the project cannot be read."""
        try:
            snapshot = self._snapshot()
        except (EngineError, OSError):
            return ("unreadable",)
        return tuple(snapshot.key(module) for module in imports)

    async def _warm_up(self) -> None:
        """Have a spare worker, if the project can be read; else whoever opens a source is told."""
        if self._pool.spare is None:
            with contextlib.suppress(EngineError, OSError):
                await self._pool.warm_up(self._label(self._snapshot(), ""))

    # -- messages of the workers -------------------------------------------------

    def _from_worker(self, worker: Worker, message: Message) -> None:
        method, number = message.get("method"), message.get("id")
        if method is None:
            if worker.pending.pop(number, None) is not None:
                self._emit(message)
        elif number is not None:
            worker.send(protocol.result(number, None))  # nothing it asks of a client matters here
        elif method == "$/lean/importClosure" or str(method).startswith("$/lean/ilean"):
            pass  # for the watchdog's index
        else:
            entry = self._entry(worker)
            if entry is None:
                return
            params: Any = message.get("params")
            if method == "$/lean/fileProgress" and not (params or {}).get("processing"):
                entry.busy_since = None
            self._emit(message)

    def _worker_ended(self, worker: Worker, ended: Ended) -> None:
        entry = self._entry(worker)
        if entry is None:
            return
        entry.worker = None
        if ended.code == RESTART_CODE and entry.restarts < _MOST_RESTARTS:
            entry.restarts += 1
            self._set_aside(entry, worker)
            self._pool.later(self._begin(entry))
            return
        self._broken(entry, worker, f"{STOPPED} ({ended.reason})")

    def _broken(self, entry: _Open, worker: Worker, text: str) -> None:
        entry.worker = None
        self._refuse(entry, [protocol.diagnostic(text)], crashed=True)
        self._fail_pending(worker, protocol.WORKER_CRASHED, text)

    def _set_aside(self, entry: _Open, worker: Worker) -> None:
        """Keep what waits for diagnostics for the next worker; all else fails."""
        for number, request in list(worker.pending.items()):
            if request.get("method") == _WAIT:
                entry.waiting.append(worker.pending.pop(number))
        self._fail_pending(worker, protocol.CONTENT_MODIFIED, "the imports changed")

    def _fail_pending(self, worker: Worker, code: int, text: str) -> None:
        pending, worker.pending = worker.pending, {}
        for number in pending:
            self._emit(protocol.error(number, code, text))

    def _entry(self, worker: Worker) -> _Open | None:
        return next((e for e in self._open.values() if e.worker is worker), None)

    # -- time --------------------------------------------------------------------

    async def tick(self) -> None:
        """Stop workers that take too long; start a spare worker when nothing else is going on."""
        now = time.monotonic()
        if now - self._kept_at >= _KEEP_SECONDS:
            self._kept_at = now
            for label in {w.label for w in self._pool if isinstance(w.label, Label)}:
                self._store.keep(label.tree)
        for entry in list(self._open.values()):
            worker, since = entry.worker, entry.busy_since
            if worker is None or since is None or now - since <= self._seconds_per_file:
                continue
            self._pool.drop(worker)
            self._broken(
                entry,
                worker,
                f"stopped after {self._seconds_per_file:g} s: this source takes too long, or "
                "loops (the limit is LEAN_OBLIGATIONS_FILE_SECONDS)",
            )
        if any(e.busy_since is not None for e in self._open.values()):
            self._busy_until = now
        elif now - self._busy_until >= self._idle_seconds:
            await self._warm_up()

    async def run_ticks(self) -> None:
        """Call `tick` until cancelled."""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            await self.tick()

    async def close(self) -> None:
        """Kill all workers, and wait until they are gone."""
        await self._pool.close()


def _uri(params: dict[str, Any]) -> str | None:
    """The source that a message is about."""
    document = params.get("textDocument")
    if isinstance(document, dict):
        return document.get("uri")
    if "uri" in params:
        return str(params["uri"])
    data = params.get("data")  # completion items and code actions that are to be resolved
    if isinstance(data, dict):
        inner = data.get("params") if isinstance(data.get("params"), dict) else data
        return _uri(inner) if isinstance(inner, dict) and inner is not params else None
    return None


def _without_worker(request: Message, entry: _Open) -> Message:
    """Answer to a request about a source that has no worker.

    Of a refused source, all diagnostics are there, so waiting for them succeeds.
    """
    if request.get("method") == _WAIT and not entry.crashed:
        return protocol.result(request["id"], {})
    return protocol.error(request["id"], protocol.WORKER_CRASHED, entry.failure)
