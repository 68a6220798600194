"""What the rest of the bridge may know about a Lean engine.

There are two engines behind one interface: the official toolchain (`lake`) and the embedded one
(WebAssembly Lean in Node.js).  Everything that passes through the interface is a frozen value.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

EngineKind = Literal["lake", "embedded", "lock"]
Severity = Literal["error", "warning", "information"]
Outcome = Literal["built", "current", "failed", "blocked"]
STOPPED = "the Lean engine stopped"
"""The start of an error that says that a server's Lean died; the source is not at fault."""
OUTPUT_FILE = "@output-file@"
"""Represents in a document the file that Lean may write: see `Engine.run_document`."""
InstallPhase = Literal[
    "wait", "download", "verify", "unpack", "patch", "library", "check", "activate"
]


@dataclass(frozen=True, slots=True)
class LeanMessage:
    """One message of Lean about a source file.

    `file` is relative to the project if it is inside, with forward slashes.  `line` counts from 1
    and `column` from 0, in characters, as Lean prints them; `line` 0 means the file as a whole.
    """

    file: str
    line: int
    column: int
    severity: Severity
    text: str

    def __str__(self) -> str:
        """Lake's own format, which editors and CI systems turn into links."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        name = {"information": "info"}.get(self.severity, self.severity)
        return f"{name}: {place}: {self.text}"


@dataclass(frozen=True, slots=True)
class ModuleReport:
    """What the build did with one module.

    `built`: compiled now; `current`: already compiled from the same sources; `failed`: Lean
    reported errors; `blocked`: not tried, because an import failed.
    """

    module: str
    file: str
    outcome: Outcome
    messages: tuple[LeanMessage, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class BuildEvent:
    """Progress of a build: `module` has just started (`outcome` None) or ended.

    `done` of `total` modules have ended.
    `module` is empty if the event is about the build as a whole; `note` then says what it waits
    for.
    """

    module: str
    outcome: Outcome | None
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """Result of a build.  Lean errors in sources are data here, never exceptions."""

    modules: tuple[ModuleReport, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every module is compiled from its present source."""
        return all(m.outcome in ("built", "current") for m in self.modules)

    @property
    def messages(self) -> tuple[LeanMessage, ...]:
        """Messages of all modules, in the order in which the modules were built."""
        return tuple(message for m in self.modules for message in m.messages)

    @property
    def errors(self) -> tuple[LeanMessage, ...]:
        """The messages that make modules fail."""
        return tuple(m for m in self.messages if m.severity == "error")

    def count(self, outcome: Outcome) -> int:
        """Number of modules with this outcome."""
        return sum(m.outcome == outcome for m in self.modules)


@dataclass(frozen=True, slots=True)
class InstallEvent:
    """Progress of an installation, in bytes; `total` is None if it is unknown."""

    phase: InstallPhase
    done: int = 0
    total: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The embedded engine's status.

    `problems` says, one sentence each, what is missing or damaged; empty means that the engine
    can run. `verified` is None if the hashes were not computed, else whether they are the
    pinned ones.
    """

    installed: bool
    path: Path
    size_bytes: int
    version: str
    node: Path | None
    node_version: str
    npm: str
    problems: tuple[str, ...]
    verified: bool | None = None


@dataclass(frozen=True, slots=True)
class Recheck:
    """A further checker's answer about compiled files; ``refusal`` is None if it accepted all."""

    checker: str
    refusal: str | None


BuildProgress = Callable[[BuildEvent], None]
InstallProgress = Callable[[InstallEvent], None]


class Engine(Protocol):
    """A Lean that can be run on a project."""

    @property
    def kind(self) -> EngineKind:
        """Which engine this is; ``lock`` means none: see :mod:`bridge.lean.locked_answer`."""

    @property
    def lean_version(self) -> str:
        """Version of Lean, such as `4.28.0`."""

    @property
    def official(self) -> bool:
        """Whether this is a Lean released by the Lean project."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever answers of this engine may change; used in cache keys."""

    @property
    def prefers_batch(self) -> bool:
        """Whether `run_document` is better than the server, so that only it is used."""

    def describe(self) -> str:
        """One line for reports: what it is, which version, and whether it is official."""

    def server_command(self, project: Path) -> list[str]:
        """Command line of a Lean language server for `project`, to be started in that folder."""

    def begin(self, project: Path) -> None:
        """Start what a build or a document will need, and do not wait for it.

        Raises `EngineError` if it cannot be started.
        """

    def build(
        self,
        project: Path,
        *,
        progress: BuildProgress | None = None,
        jobs: int | None = None,
    ) -> BuildReport:
        """Compile the project's Lean libraries; only what changed.

        Raises `EngineError` if the engine broke or the project's lakefile cannot be parsed.
        """

    def run_document(
        self, project: Path, text: str, *, timeout: float, output: Path | None = None
    ) -> tuple[LeanMessage, ...] | None:
        """Lean's messages about a document that is not a file, without a language server.

        The project is compiled already.  None if the engine has only its server.  `OUTPUT_FILE` in
        the text represents a file that Lean may write; it is `output` afterwards.

        Raises `EngineError` if Lean stopped early, or took longer than `timeout` seconds.
        """

    def until(self, over: threading.Event) -> Engine | None:
        """The same engine, whose documents end with a `BuildBrokenError` once `over` is set.

        So a thread can run one; None if the engine cannot end them.
        """

    def files_asked(self, project: Path) -> Mapping[str, str] | None:
        """The state of each path of the project that Lean asked for while it compiled the present
        sources, except the sources: see `bridge.engine.asked`.

        None if that is unknown, because something is not compiled.
        """

    def compiled_digests(self, project: Path) -> Mapping[str, str] | None:
        """sha256 of each module's compiled form; None if it is unknown, or something is not
        compiled."""

    def programs(self, project: Path) -> Path | None:
        """The folder of the programs that come with this Lean; None if there are none."""

    def recheck(self, project: Path, modules: Sequence[str], *, timeout: float) -> Recheck | None:
        """Let a further program check compiled modules; None if the engine has none.

        Raises `EngineError` if it does not end in `timeout` seconds.
        """
