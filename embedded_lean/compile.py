"""Compiles one module with the embedded Lean."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bridge.engine.asked import changed_since
from bridge.engine.errors import BuildBrokenError
from bridge.engine.interface import LeanMessage
from bridge.engine.modules import Module
from bridge.engine.printed import printed_message
from bridge.engine.processes import exit_reason, terminate, tied
from embedded_lean.host import Host, HostEndedError, RunEnded
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.runtime import (
    OUTPUT,
    Invocation,
    asked_path,
    broke_in,
    explain_end,
    fatal_text,
    is_chatter,
    lean_invocation,
)

__all__ = ["CompiledModule", "Compiler"]

_POLL_SECONDS = 0.02
_OUTPUT_LIMIT = 32 << 20
_STOP_SECONDS = 20.0
# Nothing guards the end of a thread's stack in WebAssembly: an overflow writes into other memory,
# and Lean's own 8 MB are too little for recursions that do not check it, such as that of
# `instantiateMVars`.  With 32 MB the stack that V8 keeps next to it (64 MB, see js/loader.cjs),
# which is guarded, overflows first.
_STACK_KB = 32 << 10
_MOST_THREADS = 8  # each has such a stack, out of 2 GB


@dataclass(frozen=True, slots=True)
class CompiledModule:
    """Lean's messages, and the compiled file; None if the source has errors or Lean stopped early.

    `stopped` says why Lean did not reach the end; empty if it did.  `asked` are the paths in the
    project that Lean asked for, besides the source: see `bridge.engine.asked`.
    """

    messages: tuple[LeanMessage, ...]
    output: Path | None
    seconds: float
    stopped: str = ""
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles modules of one project in the process `host`, or else in one process each.

    `seconds_per_file` is wall-clock time; a source that takes longer is stopped and reported.
    If the host ends, or Lean's own code breaks in it (`broke_in`), the file is compiled once more
    in a separate process, so that a file that breaks it does not affect other files.
    """

    layout: Layout
    node: Node
    project: Path
    tree: Path
    seconds_per_file: float
    cancelled: threading.Event
    host: Host | None = None

    def compile(self, module: Module, work: Path, seen: str = "") -> CompiledModule:
        """Compile a module whose imports are in the tree; `work` is an empty folder for the output.

        Lean sees the source as `seen`, or else under its own path in the project.  As `seen` it is
        in `work`, and is deleted once Lean has read it: what it imports cannot read it.

        Raises:
            BuildBrokenError: Node.js could not be started, or the build was cancelled.
        """
        started, moment = time.monotonic(), time.time_ns()
        setup = {
            "name": module.name,
            "isModule": False,
            "options": dict(module.library.options),
        }
        setup |= {"importArts": {}, "dynlibs": [], "plugins": []}
        (work / "setup.json").write_text(json.dumps(setup), encoding="utf-8")
        invocation = lean_invocation(
            self.layout,
            self.node,
            project=self.project,
            tree=self.tree,
            output=work,
            arguments=(
                "--json",
                f"--tstack={_STACK_KB}",
                f"--threads={min(os.cpu_count() or 1, _MOST_THREADS)}",
                f"--setup={OUTPUT}/setup.json",
                f"-o{OUTPUT}/module.olean",
                seen or str(module.path),
            ),
            report_asked=True,
        )
        stopped, ended = self._run(invocation, work, started, module)
        printed, complained = _read(work / "stdout"), _read(work / "stderr")
        asked = self._asked(ended.asked, module)
        messages = list(_messages(printed, module))
        if not any(m.severity == "error" for m in messages):
            stopped = stopped or _why_not_finished(ended.code, complained)
            if not stopped and not (work / "module.olean").is_file():
                stopped = "Lean stopped before the end: the source leaves the process"
            if not stopped and not seen and module.path.read_bytes() != module.source:
                stopped = "the source changed while it was being compiled; build again"
            if not stopped and (changed := changed_since(self.project, asked, moment)):
                stopped = f"{changed} changed while it was being read; build again"
        if stopped:
            messages.append(LeanMessage(module.file, 0, 0, "error", stopped))
        failed = any(m.severity == "error" for m in messages)
        output = None if failed else work / "module.olean"
        seconds = time.monotonic() - started
        return CompiledModule(tuple(messages), output, seconds, stopped, asked)

    def _asked(self, paths: Iterable[str], module: Module) -> tuple[str, ...]:
        """Paths relative to the project, without the source and our own files.

        A cache may be inside the project; what Lean reads and writes there has its own keys.
        """
        folder = f"{self.project.as_posix()}/"
        ours = tuple(f"{f.as_posix()}/" for f in (self.layout.engines, self.layout.build))
        paths = (p for p in paths if not p.startswith(ours))
        inside = {p.removeprefix(folder) for p in paths if p.startswith(folder)}
        return tuple(sorted(name for name in inside if self.project / name != module.path))

    def _run(
        self, invocation: Invocation, work: Path, started: float, module: Module
    ) -> tuple[str, RunEnded]:
        """Run Lean; returns why it was stopped, or empty, and how it ended."""
        self._go_on()
        if self.host is not None:
            with contextlib.suppress(HostEndedError):
                stopped, ended = self._run_in_host(self.host, invocation, work, started)
                if stopped or not ended.code or not broke_in(_read(work / "stderr")):
                    return stopped, ended
            self._go_on()  # the host may have ended because the build is over
            (work / "module.olean").unlink(missing_ok=True)
            if module.path.parent == work:
                module.path.write_bytes(module.source)
        return self._run_alone(invocation, work, started)

    def _go_on(self) -> None:
        """Raise if the build was cancelled."""
        if self.cancelled.is_set():
            raise BuildBrokenError("the build was cancelled")

    def _run_in_host(
        self, host: Host, invocation: Invocation, work: Path, started: float
    ) -> tuple[str, RunEnded]:
        outputs = (work / "stdout", work / "stderr")
        for output in outputs:
            output.write_bytes(b"")
        name, future = host.start(invocation, *outputs)

        def wait(seconds: float) -> bool:
            return bool(concurrent.futures.wait([future], seconds).done)

        try:
            stopped = self._wait(wait, started, outputs)
        except BuildBrokenError:
            host.kill()
            raise
        if stopped:
            host.stop(name)
            if not wait(_STOP_SECONDS):
                host.kill()
            return stopped, RunEnded(1, ())
        return "", future.result()

    def _run_alone(
        self, invocation: Invocation, work: Path, started: float
    ) -> tuple[str, RunEnded]:
        outputs = (work / "stdout", work / "stderr")
        with outputs[0].open("wb") as out, outputs[1].open("wb") as err:
            try:
                process = subprocess.Popen(
                    tied(invocation.command, invocation.env),
                    cwd=invocation.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                )
            except OSError as error:
                raise BuildBrokenError(
                    f"{invocation.command[0]} cannot be started: {error}"
                ) from error

            def wait(seconds: float) -> bool:
                try:
                    process.wait(seconds)
                except subprocess.TimeoutExpired:
                    return False
                return True

            try:
                stopped = self._wait(wait, started, outputs)
            finally:
                terminate(process)
        reported = map(asked_path, _read(work / "stderr").splitlines())
        asked = tuple(path for path in reported if path is not None)
        return stopped, RunEnded(process.returncode, asked)

    def _wait(
        self, wait: Callable[[float], bool], started: float, outputs: tuple[Path, ...]
    ) -> str:
        """Wait until Lean ends; returns why it has to be stopped, or empty."""
        while not wait(_POLL_SECONDS):
            self._go_on()
            if time.monotonic() - started > self.seconds_per_file:
                return (
                    f"stopped after {self.seconds_per_file:g} s: this file takes too long, or "
                    "loops (the limit is LEAN_OBLIGATIONS_FILE_SECONDS)"
                )
            if any(output.stat().st_size > _OUTPUT_LIMIT for output in outputs):
                return f"stopped: this file prints more than {_OUTPUT_LIMIT >> 20} MB"
        return ""


def _why_not_finished(code: int, complained: str) -> str:
    """Why a run without error messages is not a success; empty if it may be one."""
    if code == 0:
        return ""
    lines = complained.splitlines()
    words = [fatal_text(line) or line.strip() for line in lines if not is_chatter(line)]
    return f"Lean stopped before the end: {explain_end(exit_reason(code), words)}"


def _messages(printed: str, module: Module) -> list[LeanMessage]:
    """Lean's messages, one JSON object a line; anything else was printed by the source itself."""
    return [
        printed_message(line, module.file)
        or LeanMessage(module.file, 0, 0, "information", line[:2000])
        for line in printed.splitlines()
        if line.strip()
    ]


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_OUTPUT_LIMIT).decode("utf-8", "replace")
