"""One Node.js process in which many files are compiled, each by a separate Lean.

The process reads Lean's WebAssembly module once.  Every file gets a worker thread with its own
memory, instance and threads (see `js/host.cjs`); the files share V8's machine code, which a
separate process would have to make again for each.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bridge.engine.errors import BuildBrokenError
from bridge.engine.processes import exit_reason, terminate, tied
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.runtime import Invocation, host_invocation

__all__ = ["Host", "HostEndedError", "RunEnded"]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """How a run ended: its exit code, and the paths of the project that it asked for."""

    code: int
    asked: tuple[str, ...]


class HostEndedError(Exception):
    """The process ended, with every run in it; the message says why."""


@dataclass(slots=True)
class Host:
    """The process; `begin` or the first run starts it, and a run restarts it if it ended."""

    layout: Layout
    node: Node
    project: Path
    tree: Path
    outputs: Path
    _process: subprocess.Popen[bytes] | None = None
    _listener: threading.Thread | None = None
    _runs: dict[str, Future[RunEnded]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _number: int = 0

    def start(
        self, invocation: Invocation, stdout: Path, stderr: Path
    ) -> tuple[str, Future[RunEnded]]:
        """Run Lean as `invocation` says; returns the run's name, and a future of how it ended.

        The future raises `HostEndedError` if the whole process ends.

        Raises:
            BuildBrokenError: Node.js could not be started.
        """
        with self._lock:
            self._ensure_process()
            self._number += 1
            name = str(self._number)
            future: Future[RunEnded] = Future()
            self._runs[name] = future
            request: dict[str, object] = {
                "id": name,
                "arguments": list(invocation.arguments),
                "environment": invocation.env,
                "stdout": str(stdout),
                "stderr": str(stderr),
            }
            self._send(request)
        return name, future

    def begin(self) -> None:
        """Start the process without a run, and do not wait until it is ready for one.

        Raises:
            BuildBrokenError: Node.js could not be started.
        """
        with self._lock:
            self._ensure_process()

    def stop(self, name: str) -> None:
        """Stop a run; its future gets a result soon."""
        with self._lock:
            self._send({"stop": name})

    def kill(self) -> None:
        """End the process and all runs in it."""
        with self._lock:
            process, self._process = self._process, None
            listener, self._listener = self._listener, None
        if process is None or listener is None:
            return
        terminate(process)
        listener.join()

    def _send(self, request: dict[str, object]) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(
            OSError, ValueError
        ):  # it has just ended; `_listen` tells all runs
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def _ensure_process(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        invocation = host_invocation(
            self.layout, self.node, project=self.project, tree=self.tree, outputs=self.outputs
        )
        started: Future[None] = Future()
        with (self.outputs / "host.log").open("ab") as log:
            self._listener = threading.Thread(
                target=self._run_process, args=(invocation, log, started), daemon=True
            )
            self._listener.start()
            started.result()

    def _run_process(self, invocation: Invocation, log: IO[bytes], started: Future[None]) -> None:
        """Start the process, and listen to it until its end.

        The system ends a tied process with the thread that started it, so it is started in this
        thread, not in one of a build.
        """
        try:
            process = subprocess.Popen(
                tied(invocation.command, invocation.env),
                cwd=invocation.cwd,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        except OSError as error:
            started.set_exception(
                BuildBrokenError(f"{invocation.command[0]} cannot be started: {error}")
            )
            return
        self._process = process
        started.set_result(None)
        assert process.stdout is not None
        self._listen(process, process.stdout)

    def _listen(self, process: subprocess.Popen[bytes], answers: IO[bytes]) -> None:
        for line in answers:
            answer = json.loads(line)
            with self._lock:
                future = self._runs.pop(answer["id"], None)
            if future is not None:
                future.set_result(RunEnded(answer["code"], tuple(answer["asked"])))
        code = process.wait()
        answers.close()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        with self._lock:
            left = list(self._runs.values()) if self._process in (process, None) else []
            if left:
                self._runs.clear()
        for future in left:
            future.set_exception(HostEndedError(exit_reason(code)))
