"""The embedded engine's interface."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bridge.engine.errors import EngineDamagedError, EngineNotInstalledError, NodeMissingError
from bridge.engine.interface import (
    BuildProgress,
    BuildReport,
    EngineKind,
    EngineStatus,
    LeanMessage,
    Recheck,
)
from embedded_lean import manifest, pins
from embedded_lean.batch import run_document
from embedded_lean.build import build_project, compiled_digests, files_asked
from embedded_lean.disk import errors_explained
from embedded_lean.install import folder_size
from embedded_lean.launch import stand_in_command
from embedded_lean.layout import Layout
from embedded_lean.node import Node, find_node, npm_command
from embedded_lean.store import Store
from embedded_lean.warm import warm_host

__all__ = ["EmbeddedEngine", "embedded_status", "open_engine"]

_INSTALL = "obligations engine install"


@dataclass(frozen=True, slots=True)
class EmbeddedEngine:
    """WebAssembly Lean in Node.js.  Make one with `open_engine`, which checks that it is
    installed."""

    layout: Layout
    node: Node
    kind: EngineKind = "embedded"
    official: bool = False
    prefers_batch: bool = True  # its server does the same, in a new process each time
    over: threading.Event | None = field(default=None, compare=False, repr=False)

    @property
    def lean_version(self) -> str:
        """Version of Lean that was compiled to WebAssembly."""
        return pins.LEAN_VERSION

    @property
    def fingerprint(self) -> str:
        """Everything that is pinned.  What runs it (Node.js, our loader) does not count."""
        return pins.engine_id()

    def describe(self) -> str:
        """One line for reports."""
        return (
            f"embedded Lean {self.lean_version} (unofficial WebAssembly build {pins.PACKAGE} "
            f"{pins.PACKAGE_VERSION}, Node.js {self.node.version})"
        )

    def server_command(self, project: Path) -> list[str]:
        """The replacement for `lake serve`."""
        return stand_in_command(["--dir", str(project.resolve()), "serve"])

    def run_document(
        self, project: Path, text: str, *, timeout: float, output: Path | None = None
    ) -> tuple[LeanMessage, ...] | None:
        """See `Engine.run_document`."""
        return run_document(
            self.layout,
            self.node,
            project.resolve(),
            text,
            fingerprint=self.fingerprint,
            timeout=timeout,
            output=output,
            cancelled=self.over,
        )

    def until(self, over: threading.Event) -> EmbeddedEngine:
        """See `Engine.until`."""
        return replace(self, over=over)

    def files_asked(self, project: Path) -> Mapping[str, str] | None:
        """See `Engine.files_asked`."""
        return files_asked(self.layout, project.resolve(), fingerprint=self.fingerprint)

    def compiled_digests(self, project: Path) -> Mapping[str, str] | None:
        """See `Engine.compiled_digests`."""
        return compiled_digests(self.layout, project.resolve(), fingerprint=self.fingerprint)

    def programs(self, project: Path) -> Path | None:
        """No program that can be run comes with this Lean."""
        return None

    def recheck(self, project: Path, modules: Sequence[str], *, timeout: float) -> Recheck | None:
        """There is no further checker for this Lean."""
        return None

    def begin(self, project: Path) -> None:
        """See `Engine.begin`."""
        store = Store(self.layout.build)
        with (
            errors_explained(store.folder),
            warm_host(self.layout, self.node, project.resolve(), store) as warm,
        ):
            warm.host.begin()

    def build(
        self,
        project: Path,
        *,
        progress: BuildProgress | None = None,
        jobs: int | None = None,
    ) -> BuildReport:
        """See `Engine.build`."""
        return build_project(
            self.layout,
            self.node,
            project.resolve(),
            fingerprint=self.fingerprint,
            progress=progress,
            jobs=jobs,
        )


def open_engine(layout: Layout) -> EmbeddedEngine:
    """The installed engine.

    Raises:
        EngineNotInstalledError: it is not installed.
        EngineDamagedError: files are missing or were changed.
        NodeMissingError: there is no Node.js to run it.
    """
    if not layout.home.is_dir():
        raise EngineNotInstalledError(
            f"the embedded Lean engine is not installed in {layout.engines}", remedy=_INSTALL
        )
    damage = manifest.damage(layout)
    if damage:
        raise EngineDamagedError(
            f"the embedded Lean engine in {layout.home} is damaged: {damage}", remedy=_INSTALL
        )
    with contextlib.suppress(OSError):  # nothing tidies up a cache that is only read
        layout.last_use.touch()
    return EmbeddedEngine(layout, find_node())


def embedded_status(layout: Layout, *, verify: bool = False) -> EngineStatus:
    """The engine's status; with `verify`, every installed file is read and its hash compared."""
    problems: list[str] = []
    node: Node | None = None
    npm = ""
    try:
        node = find_node()
    except NodeMissingError as error:
        problems.append(str(error))
    try:
        npm = " ".join(npm_command())
    except NodeMissingError as error:
        problems.append(str(error))
    there = layout.home.is_dir()
    verified: bool | None = None
    if not there:
        problems.append(f"the engine is not installed in {layout.engines}")
    else:
        damage = manifest.damage(layout)
        if damage:
            problems.append(f"the engine in {layout.home} is damaged: {damage}")
        if verify:
            wrong = manifest.verify_hashes(layout.home)
            verified = not wrong
            problems.extend(f"{name} does not have the pinned hash" for name in wrong)
    return EngineStatus(
        installed=there,
        path=layout.home,
        size_bytes=folder_size(layout.home),
        version=f"Lean {pins.LEAN_VERSION} ({pins.PACKAGE} {pins.PACKAGE_VERSION})",
        node=node.path if node else None,
        node_version=node.version if node else "",
        npm=npm,
        problems=tuple(problems),
        verified=verified,
    )
