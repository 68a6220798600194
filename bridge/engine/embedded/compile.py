"""Compiles one module with the embedded Lean."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from bridge.engine.embedded.layout import Layout
from bridge.engine.embedded.node import Node
from bridge.engine.embedded.runtime import (
    OUTPUT,
    explain_end,
    fatal_text,
    is_chatter,
    lean_invocation,
)
from bridge.engine.errors import BuildBrokenError
from bridge.engine.interface import LeanMessage, Severity
from bridge.engine.modules import Module
from bridge.engine.processes import exit_reason, terminate, tied

__all__ = ["CompiledModule", "Compiler"]

_POLL_SECONDS = 0.02
_OUTPUT_LIMIT = 32 << 20
_SEVERITIES = ("error", "warning", "information")


@dataclass(frozen=True, slots=True)
class CompiledModule:
    """Lean's messages, and the compiled file; None if the source has errors or Lean broke off."""

    messages: tuple[LeanMessage, ...]
    output: Path | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles modules of one project, one process each.

    `seconds_per_file` is wall-clock time; a source that takes longer is stopped and reported.
    """

    layout: Layout
    node: Node
    project: Path
    tree: Path
    seconds_per_file: float
    cancelled: threading.Event

    def compile(self, module: Module, work: Path) -> CompiledModule:
        """Compile a module whose imports are in the tree; `work` is an empty folder for the output.

        Raises:
            BuildBrokenError: Node.js could not be started, or the build was cancelled.
        """
        started = time.monotonic()
        setup = {"name": module.name, "isModule": False, "options": dict(module.library.options)}
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
                f"--setup={OUTPUT}/setup.json",
                f"-o{OUTPUT}/module.olean",
                str(module.path),
            ),
        )
        with (work / "stdout").open("w+b") as out, (work / "stderr").open("w+b") as err:
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
            try:
                stopped = self._wait(process, started, (out, err))
            finally:
                terminate(process)
            printed = _read(out)
            complained = _read(err)
        messages = list(_messages(printed, module))
        if not any(m.severity == "error" for m in messages):
            stopped = stopped or _why_not_finished(process.returncode, complained)
            if not stopped and not (work / "module.olean").is_file():
                stopped = "Lean stopped before the end: the source leaves the process"
            if not stopped and module.path.read_bytes() != module.source:
                stopped = "the source changed while it was being compiled; build again"
        if stopped:
            messages.append(LeanMessage(module.file, 0, 0, "error", stopped))
        failed = any(m.severity == "error" for m in messages)
        output = None if failed else work / "module.olean"
        return CompiledModule(tuple(messages), output, time.monotonic() - started)

    def _wait(
        self, process: subprocess.Popen[bytes], started: float, outputs: tuple[IO[bytes], ...]
    ) -> str:
        """Wait until Lean ends; why it was stopped, or empty."""
        while True:
            try:
                process.wait(_POLL_SECONDS)
                return ""
            except subprocess.TimeoutExpired:
                pass
            if self.cancelled.is_set():
                raise BuildBrokenError("the build was cancelled")
            if time.monotonic() - started > self.seconds_per_file:
                return (
                    f"stopped after {self.seconds_per_file:g} s: this file takes too long, or "
                    "loops (the limit is LEAN_OBLIGATIONS_FILE_SECONDS)"
                )
            if any(Path(output.name).stat().st_size > _OUTPUT_LIMIT for output in outputs):
                return f"stopped: this file prints more than {_OUTPUT_LIMIT >> 20} MB"


def _why_not_finished(code: int, complained: str) -> str:
    """Why a run without error messages is no success; empty if it may be one."""
    if code == 0:
        return ""
    lines = complained.splitlines()
    words = [fatal_text(line) or line.strip() for line in lines if not is_chatter(line)]
    return f"Lean stopped before the end: {explain_end(exit_reason(code), words)}"


def _messages(printed: str, module: Module) -> list[LeanMessage]:
    """Lean's messages, one JSON object a line; anything else was printed by the source itself."""
    found: list[LeanMessage] = []
    for line in printed.splitlines():
        if not line.strip():
            continue
        try:
            content = json.loads(line)
            place, severity = content["pos"], content["severity"]
            if severity not in _SEVERITIES:
                raise ValueError(severity)
            message = LeanMessage(
                module.file,
                int(place["line"]),
                int(place["column"]),
                cast(Severity, severity),
                str(content["data"]),
            )
        except (ValueError, KeyError, TypeError):
            message = LeanMessage(module.file, 0, 0, "information", line[:2000])
        found.append(message)
    return found


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(_OUTPUT_LIMIT).decode("utf-8", "replace")
