"""Builds a project's libraries with the embedded engine.

Modules are compiled in dependency order, at most `jobs` at a time; modules with an object in the
store are not compiled again.  Nothing is written to the project.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bridge.engine.asked import states_of
from bridge.engine.errors import BuildBrokenError
from bridge.engine.interface import BuildEvent, BuildProgress, BuildReport, ModuleReport, Outcome
from bridge.engine.lakefile import read_package
from bridge.engine.locks import file_lock
from bridge.engine.modules import Module, read_modules
from embedded_lean.compile import CompiledModule, Compiler
from embedded_lean.disk import errors_explained
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.store import Store, base_key, form_of, key_with, module_keys
from embedded_lean.warm import warm_host

__all__ = [
    "FILE_SECONDS_VARIABLE",
    "build_project",
    "compiled_digests",
    "files_asked",
    "seconds_per_file",
]

T = TypeVar("T")

FILE_SECONDS_VARIABLE = "LEAN_OBLIGATIONS_FILE_SECONDS"
_DEFAULT_FILE_SECONDS = 600.0
_MOST_JOBS = 2  # each may take 2 GB
_LOCK_SECONDS = 3600.0
_FIXED_COST = 2500  # starting Lean takes as long as elaborating so many bytes of source, about


def seconds_per_file() -> float:
    """Wall-clock limit for one file: `LEAN_OBLIGATIONS_FILE_SECONDS`, or 600."""
    text = os.environ.get(FILE_SECONDS_VARIABLE, "")
    try:
        seconds = float(text or _DEFAULT_FILE_SECONDS)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise BuildBrokenError(
            f"{FILE_SECONDS_VARIABLE}={text!r} is not a positive number of seconds",
            remedy=f"Set it to a number, or unset it for {_DEFAULT_FILE_SECONDS:.0f}.",
        )
    return seconds


def build_project(
    layout: Layout,
    node: Node,
    project: Path,
    *,
    fingerprint: str,
    progress: BuildProgress | None = None,
    jobs: int | None = None,
) -> BuildReport:
    """Compile what has changed in `project`, and make the tree that documents import from.

    Raises:
        LakefileError: the lakefile cannot be parsed.
        BuildBrokenError: the build itself broke.
    """
    started = time.monotonic()
    limit = seconds_per_file()
    modules = read_modules(read_package(project))
    store = Store(layout.build)
    keys = module_keys(modules, fingerprint, store, project)
    report = progress or (lambda _event: None)
    if all(m.name in keys and store.has(keys[m.name]) for m in modules):
        reports = tuple(_current(store, keys[m.name], m) for m in modules)
        with errors_explained(store.folder):
            store.tree(keys)
        report(BuildEvent("", None, len(modules), len(modules)))
        return BuildReport(reports, time.monotonic() - started)
    waiting = BuildEvent("", None, 0, len(modules), note="waiting for another build")
    locked = file_lock(store.lock, timeout=_LOCK_SECONDS, on_wait=lambda: report(waiting))
    with locked, errors_explained(store.folder):
        store.tidy()
        with warm_host(layout, node, project, store) as warm:
            work = warm.outputs / "build"
            tree = warm.trees / "build"
            try:
                for folder in (work, tree):
                    shutil.rmtree(folder, ignore_errors=True)
                    folder.mkdir()
                cancelled = threading.Event()
                compiler = Compiler(layout, node, project, tree, limit, cancelled, warm.host)
                at_once = max(1, min(jobs or _MOST_JOBS, _MOST_JOBS))
                run = _Run(modules, fingerprint, store, work, compiler, report, at_once)
                with ThreadPoolExecutor(at_once) as pool:
                    try:
                        reports = run.run(pool)
                    except BaseException:
                        cancelled.set()
                        pool.shutdown(wait=True, cancel_futures=True)
                        warm.host.kill()
                        raise
                store.tree(run.keys)
            finally:
                for folder in (work, tree):
                    shutil.rmtree(folder, ignore_errors=True)
    return BuildReport(reports, time.monotonic() - started)


def files_asked(layout: Layout, project: Path, *, fingerprint: str) -> dict[str, str] | None:
    """The state of each path that Lean asked for while it compiled the present sources.

    None if some of them are not compiled.
    """
    found = _of_each(layout, project, fingerprint, Store.asked)
    return None if found is None else {p: s for own in found.values() for p, s in own.items()}


def compiled_digests(layout: Layout, project: Path, *, fingerprint: str) -> dict[str, str] | None:
    """sha256 of each module's compiled form; None if some of them are not compiled."""
    return _of_each(layout, project, fingerprint, Store.digest)


def _of_each(
    layout: Layout, project: Path, fingerprint: str, find: Callable[[Store, str], T | None]
) -> dict[str, T] | None:
    """The result of ``find`` for each module's object; None if some of them are not compiled."""
    store = Store(layout.build)
    modules = read_modules(read_package(project))
    keys = module_keys(modules, fingerprint, store, project)
    found: dict[str, T] = {}
    for module in modules:
        own = find(store, keys[module.name]) if module.name in keys else None
        if own is None:
            return None
        found[module.name] = own
    return found


def _current(store: Store, key: str, module: Module) -> ModuleReport:
    return ModuleReport(module.name, module.file, "current", store.messages(key, module.file))


def _by_urgency(modules: Sequence[Module]) -> tuple[Module, ...]:
    """The modules with the longest chain of importers first; `modules` are in compilation order."""
    after: dict[str, int] = {}
    for module in reversed(modules):
        after[module.name] = after.get(module.name, 0) + len(module.source) + _FIXED_COST
        for needed in module.imports:
            after[needed.module] = max(after.get(needed.module, 0), after[module.name])
    return tuple(sorted(modules, key=lambda module: -after[module.name]))


@dataclass(slots=True)
class _Run:
    """State of one build; only the thread that calls `run` touches it."""

    modules: tuple[Module, ...]
    fingerprint: str
    store: Store
    work: Path
    compiler: Compiler
    report: BuildProgress
    jobs: int
    bases: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    reports: dict[str, ModuleReport] = field(default_factory=dict)
    running: dict[Future[CompiledModule], Module] = field(default_factory=dict)

    def run(self, pool: ThreadPoolExecutor) -> tuple[ModuleReport, ...]:
        """Compile all modules; their reports, in compilation order."""
        urgent = _by_urgency(self.modules)
        while len(self.reports) < len(self.modules):
            self._settle()
            for module in urgent:
                if len(self.running) < self.jobs and self._ready(module):
                    self.report(BuildEvent(module.name, None, len(self.reports), len(self.modules)))
                    self.running[pool.submit(self._compile, module)] = module
            if not self.running:
                break
            done, _ = wait(self.running, return_when=FIRST_COMPLETED)
            for future in done:
                self._finish(self.running.pop(future), future.result())
        self._settle()
        return tuple(self.reports[m.name] for m in self.modules)

    def _settle(self) -> None:
        """Report everything that needs no compilation: current, broken, or blocked modules."""
        busy = {m.name for m in self.running.values()}
        for module in self.modules:
            if module.name in self.reports or module.name in busy:
                continue
            if module.problems:
                self._end(ModuleReport(module.name, module.file, "failed", module.problems))
                continue
            states = [self.reports.get(i.module) for i in module.imports]
            if any(s is not None and s.outcome in ("failed", "blocked") for s in states):
                self._end(ModuleReport(module.name, module.file, "blocked"))
            elif all(s is not None for s in states) and (key := self._found(module)):
                self._keep(module, key)
                self._end(_current(self.store, key, module))

    def _found(self, module: Module) -> str:
        """Key of a module's object, all of whose imports are compiled; empty if there is none."""
        if module.name not in self.bases:
            base = base_key(module, self.fingerprint, self.forms)
            assert base is not None
            self.bases[module.name] = base
            key = self.store.find(base, self.compiler.project)
            if key is not None and self.store.has(key):
                return key
        return ""

    def _keep(self, module: Module, key: str) -> None:
        """Use the object with this key for the module."""
        digest = self.store.noted_digest(key)
        if digest is None:
            raise FileNotFoundError(f"the compiled module {key} was removed")
        self.keys[module.name] = key
        self.forms[module.name] = form_of(module, digest, self.forms)
        self.store.link(key, module.name, self.compiler.tree)

    def _ready(self, module: Module) -> bool:
        if module.name in self.reports or module in self.running.values():
            return False
        return all(i.module in self.reports for i in module.imports)

    def _compile(self, module: Module) -> CompiledModule:
        """Runs in a thread of the pool."""
        folder = self.work / self.bases[module.name][:16]
        folder.mkdir()
        return self.compiler.compile(module, folder)

    def _finish(self, module: Module, result: CompiledModule) -> None:
        outcome: Outcome = "failed"
        if result.output is not None:
            base = self.bases[module.name]
            states = states_of(self.compiler.project, result.asked)
            key = key_with(base, states)
            if states:
                self.store.note_asked(base, states)
            self.store.add(key, result.output, result.messages, states)
            self._keep(module, key)
            outcome = "built"
        shutil.rmtree(self.work / self.bases[module.name][:16], ignore_errors=True)
        self._end(ModuleReport(module.name, module.file, outcome, result.messages, result.seconds))

    def _end(self, report: ModuleReport) -> None:
        self.reports[report.module] = report
        done, total = len(self.reports), len(self.modules)
        self.report(BuildEvent(report.module, report.outcome, done, total))
