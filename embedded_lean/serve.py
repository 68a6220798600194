"""`lake serve`: a language server that returns Lean's messages about the opened documents.

A document that a client opens goes through Lean in batch mode (`batch.py`); Lean's messages are its
diagnostics.  The bridge needs nothing else from a server, so there is nothing else: no edits, and
no requests about a place in a document.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from bridge.engine.errors import EngineError, TooSlowError
from bridge.engine.interface import STOPPED, LeanMessage
from embedded_lean import pins
from embedded_lean.batch import run_document
from embedded_lean.build import FILE_SECONDS_VARIABLE, seconds_per_file
from embedded_lean.engine import EmbeddedEngine
from embedded_lean.frames import FrameError, Message, encode_frame, read_frame

__all__ = ["Server", "serve"]

# Numbers of the LSP and of Lean's own server.
METHOD_NOT_FOUND, INVALID_PARAMS, WORKER_CRASHED = -32601, -32602, -32902
_SEVERITIES = {"error": 1, "warning": 2, "information": 3}
_FATAL_PROGRESS = 2
_START = {"line": 0, "character": 0}


class _Item(msgspec.Struct, frozen=True):
    uri: str
    version: int
    text: str


class _Opened(msgspec.Struct, frozen=True, rename="camel"):
    text_document: _Item


class _Wait(msgspec.Struct, frozen=True):
    uri: str
    version: int


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Outcome of a document: its version, and why Lean stopped; empty if it did not."""

    version: int
    stopped: str


@dataclass(slots=True)
class Server:
    """Answers one client.  Documents go through Lean one after the other, in a thread.

    Attributes:
        lean: returns Lean's messages about a document, or raises `EngineError`.
        emit: receives the messages for the client, from two threads.
    """

    lean: Callable[[str], Sequence[LeanMessage]]
    emit: Callable[[dict[str, object]], None]
    _outcomes: dict[str, _Outcome] = field(default_factory=dict)
    _queue: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1))

    def handle(self, message: Message) -> bool:
        """Handle one message of the client; returns whether to continue."""
        try:
            return self._handle(message)
        except msgspec.ValidationError as error:
            self._refuse(message.id, INVALID_PARAMS, f"malformed {message.method}: {error}")
        return True

    def close(self) -> None:
        """Wait until nothing runs; queued documents are dropped."""
        self._queue.shutdown(wait=True, cancel_futures=True)

    def _handle(self, message: Message) -> bool:
        number = message.id
        match message.method:
            case "initialize":
                self._answer(number, _initialize_result())
            case "textDocument/didOpen":
                opened = msgspec.json.decode(message.params, type=_Opened)
                self._queue.submit(self._run, opened.text_document)
            case "textDocument/waitForDiagnostics":
                wait = msgspec.json.decode(message.params, type=_Wait)
                # In the queue after the document that it is about.
                self._queue.submit(self._say_outcome, number, wait)
            case "shutdown":
                self._answer(number, None)
            case "exit":
                return False
            case method if method and number is not None:
                text = f"{method}: this server only gives Lean's messages about a document"
                self._refuse(number, METHOD_NOT_FOUND, text)
        return True

    def _run(self, document: _Item) -> None:
        """Run Lean on a document, and publish the result."""
        stopped, failed = "", True
        try:
            said = self.lean(document.text)
            failed = False
        except TooSlowError as error:
            stopped = f"{error} (the limit is {FILE_SECONDS_VARIABLE})"
            said = [_error(stopped)]
        except EngineError as error:
            stopped = str(error) if str(error).startswith(STOPPED) else ""
            said = [_error(f"{error}. {error.remedy}" if error.remedy else str(error))]
        except Exception as error:  # the client must not wait for a result that never comes
            stopped = f"{STOPPED}: {error!r}"
            said = [_error(stopped)]
        lines = document.text.split("\n")
        self._notify(
            "textDocument/publishDiagnostics",
            uri=document.uri,
            version=document.version,
            diagnostics=[_diagnostic(message, lines) for message in said],
        )
        fatal = [{"range": {"start": _START, "end": _START}, "kind": _FATAL_PROGRESS}]
        self._notify(
            "$/lean/fileProgress",
            textDocument={"uri": document.uri, "version": document.version},
            processing=fatal if failed else [],
        )
        self._outcomes[document.uri] = _Outcome(document.version, stopped)

    def _say_outcome(self, number: object, wait: _Wait) -> None:
        outcome = self._outcomes.get(wait.uri)
        if outcome is None or outcome.version != wait.version:
            text = f"version {wait.version} of {wait.uri} was not opened; there are no edits here"
            self._refuse(number, INVALID_PARAMS, text)
        elif outcome.stopped:
            self._refuse(number, WORKER_CRASHED, outcome.stopped)
        else:
            self._answer(number, {})

    def _answer(self, number: object, result: object) -> None:
        self.emit({"id": number, "result": result})

    def _refuse(self, number: object, code: int, text: str) -> None:
        if number is not None:
            self.emit({"id": number, "error": {"code": code, "message": text}})

    def _notify(self, method: str, **params: object) -> None:
        self.emit({"method": method, "params": params})


def _initialize_result() -> dict[str, object]:
    return {
        "capabilities": {"textDocumentSync": {"openClose": True, "change": 0}},
        "serverInfo": {"name": "Lean 4 Server (embedded)", "version": pins.LEAN_VERSION},
    }


def _error(text: str) -> LeanMessage:
    return LeanMessage("", 0, 0, "error", text)


def _diagnostic(message: LeanMessage, lines: Sequence[str]) -> dict[str, object]:
    """A message in LSP's form, with lines from 0 and UTF-16 units, without its end."""
    row = min(max(message.line - 1, 0), len(lines) - 1)
    before = lines[row][: message.column]
    place = {"line": row, "character": len(before.encode("utf-16-le", "surrogatepass")) // 2}
    return {
        "range": {"start": place, "end": place},
        "severity": _SEVERITIES[message.severity],
        "source": "Lean 4",
        "message": message.text,
    }


def serve(engine: EmbeddedEngine, project: Path) -> int:
    """Serve on standard input and output until the client leaves or a signal comes; the exit code.

    No Lean runs when this returns.
    """
    cancelled = threading.Event()
    lean = partial(
        run_document,
        engine.layout,
        engine.node,
        project,
        fingerprint=engine.fingerprint,
        timeout=seconds_per_file(),
        cancelled=cancelled,
    )
    server = Server(lean, _emitter())
    try:
        with _signals_leave():
            return _converse(server)
    except _Leave:
        return 0
    finally:
        cancelled.set()
        server.close()


def _converse(server: Server) -> int:
    try:
        while (message := read_frame(sys.stdin.buffer)) is not None:
            if not server.handle(message):
                break
    except FrameError as error:
        print(f"lake serve: the client sent something unreadable: {error}", file=sys.stderr)
        return 1
    return 0


class _Leave(BaseException):
    """A signal that ends the program came."""


@contextlib.contextmanager
def _signals_leave() -> Iterator[None]:
    """The first signal that ends a program raises `_Leave` in the body; later ones are ignored."""
    names = ("SIGTERM", "SIGINT", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]  # Windows has two

    def ignore() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    def leave(*_: object) -> None:
        ignore()
        raise _Leave

    for number in numbers:
        signal.signal(number, leave)
    try:
        yield
    finally:
        ignore()


def _emitter() -> Callable[[dict[str, object]], None]:
    lock = threading.Lock()

    def emit(message: dict[str, object]) -> None:
        with lock, contextlib.suppress(OSError):  # the client has left: its input has ended too
            sys.stdout.buffer.write(encode_frame(message))
            sys.stdout.buffer.flush()

    return emit
