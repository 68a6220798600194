"""An audit as a project has set it up: its settings, checks, waivers, lock, and an engine.

The command line, the pytest plugin and notebooks all start here, so that they cannot differ.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bridge.auditing.ahead import ahead_of_lean, measure_locked
from bridge.auditing.audit import DEFAULT_INSTANCES, audit, library_for_audit
from bridge.auditing.looking import Looking, looking
from bridge.checking.loading import load_checks
from bridge.checking.store import ResultCache
from bridge.checking.workers import Place, spread_over
from bridge.checks.pairing import wanted_graphs
from bridge.engine import Engine, InstallProgress, select
from bridge.errors import InvalidInputError
from bridge.kernels.asking import accepted_before, ask_kernels, further_kernels
from bridge.kernels.exporting import ExportOnTheWay
from bridge.lean.answers import AnswerCache
from bridge.lean.behind import known_trust, read_trust, refuse_other_statements
from bridge.lean.client import DEFAULT_TIMEOUT
from bridge.lean.compiled import note_compiled
from bridge.lean.exporter import refuse_another_exporter
from bridge.lean.library import KERNEL_SECONDS, Library, answer_key, ask_guard, compile_sources
from bridge.lean.locked_answer import KeptAnswer
from bridge.lean.project import Project, find_project
from bridge.lean.requests import LibraryRequest
from bridge.lean.trust import Trust
from bridge.policy.answer_file import open_kept
from bridge.policy.decisions import Policy, read_policy
from bridge.policy.settings import Settings, read_settings
from bridge.progress import Progress, Silent
from bridge.report import Report
from bridge.statements.choose import Judge
from bridge.statements.exact import ExactJudge
from bridge.statements.numbers import NumbersJudge
from numeric.backends import Backend, backend_named
from numeric.errors import BackendError
from numeric.graph import Graph

__all__ = ["Setup", "set_up"]


@dataclass(frozen=True, slots=True)
class Setup:
    """The project, the engine, and the project's settings."""

    project: Project
    engine: Engine
    settings: Settings
    timeout: float

    @property
    def policy(self) -> Policy:
        """What the project has waived, accepted and left untagged."""
        return read_policy(self.project.root, self.settings)

    def seed(self, given: int | None = None) -> int:
        """The seed: the given one, else the project's, else 0."""
        return (self.settings.seed or 0) if given is None else given

    def instances(self, given: int | None = None) -> int:
        """Instances for each obligation: the given number, else the project's."""
        return given or self.settings.instances or DEFAULT_INSTANCES

    def backend(self, given: str | None = None) -> Backend | None:
        """The backend that runs graphs instead of numpy: the given one, else the project's, else
        none.

        Raises:
            InvalidInputError: there is no such backend, or it is not installed.
        """
        name = given or self.settings.backend or "numpy"
        try:
            return backend_named(name)
        except BackendError as error:
            raise InvalidInputError(str(error), remedy=error.remedy) from error

    def strict(self, given: bool | None = None) -> bool:
        """Whether what was not looked at makes the audit incomplete."""
        return bool(self.settings.strict) if given is None else given

    def library(
        self, progress: Progress | None = None, *, use_cache: bool = True, guarded: bool = False
    ) -> Library:
        """What Lean says about the project, with every graph that a check runs on."""
        return library_for_audit(
            self.project,
            self.engine,
            timeout=self.timeout,
            progress=progress,
            use_cache=use_cache,
            guarded=guarded,
        )

    def trust(
        self,
        progress: Progress | None = None,
        *,
        use_cache: bool = True,
        library: Library | None = None,
        kept: Trust | None = None,
    ) -> Trust | None:
        """What is behind the statements; ``None`` if no Lean can look.

        With ``library``, every available kernel checks it; without, only the engine's own.
        ``kept`` is the cached value, if the caller has looked it up already.
        """
        if isinstance(self.engine, KeptAnswer):
            return None
        given = None if library is None else lambda: library
        return self._looked(given, progress, use_cache=use_cache, kept=kept)

    @contextmanager
    def known(
        self,
        progress: Progress | None = None,
        *,
        use_cache: bool = True,
        look_behind: bool = True,
    ) -> Iterator[tuple[Library, Trust | Looking | None]]:
        """What Lean says about the project, and what is behind it, if ``look_behind``.

        If Lean has to look, it does so while the block runs.

        Raises what :func:`bridge.lean.library.read_library` does.
        """
        over = threading.Event()
        ending = self.engine.until(over) if look_behind else None
        kept = known_trust(self.project, self.engine) if ending and use_cache else None
        if ending is None or kept is not None:
            library, trust = self.library(progress, use_cache=use_cache), None
            if look_behind:
                trust = self.trust(progress, use_cache=use_cache, library=library, kept=kept)
            yield library, trust
            return
        refuse_another_exporter(self.project)
        compile_sources(self.project, self.engine, progress)
        note_compiled(self.project, ending)  # once, not by each of the threads that ask now
        mine = replace(self, engine=ending)
        with looking(
            partial(
                ask_guard,
                self.project,
                ending,
                timeout=self.timeout,
                progress=progress,
                use_cache=use_cache,
            ),
            lambda: mine.library(progress, use_cache=use_cache, guarded=True),
            lambda library: mine._looked(library, progress, use_cache=use_cache),
            over,
        ) as (library, found):
            yield replace(library, engine=self.engine), found

    def _looked(
        self,
        asked: Callable[[], Library | None] | None,
        progress: Progress | None,
        *,
        use_cache: bool,
        kept: Trust | None = None,
    ) -> Trust:
        """See :meth:`trust`; ``asked`` returns the library once it is read."""
        with tempfile.TemporaryDirectory(prefix="obligations-") as folder:
            path = Path(folder) / "export.ndjson"
            known = partial(accepted_before, self.project, self.engine)
            exported = ExportOnTheWay(self.project, self.engine, path, known)
            further = asked is not None and further_kernels(self.engine, self.project)
            trust = kept or read_trust(
                self.project,
                self.engine,
                timeout=self.timeout,
                progress=progress,
                use_cache=use_cache,
                # An engine that prefers its server cannot write a file there.
                put=exported.put if further and self.engine.prefers_batch else None,
            )
            library = None if asked is None else asked()
            if library is not None:
                refuse_other_statements(library, trust)
            trust = trust if trust.refusals else self._rechecked(trust, progress)
            if library is None:
                return trust
            return ask_kernels(
                library,
                trust,
                exported,
                timeout=self.timeout,
                progress=progress,
                use_cache=use_cache,
            )

    def _has_to_ask(self) -> bool:
        """Whether Lean has to be asked for the statements, which takes minutes."""
        if isinstance(self.engine, KeptAnswer):
            return False
        request = LibraryRequest(self.project.roots, wanted_graphs())
        key = answer_key(self.project, self.engine, request)
        return not AnswerCache.default().path(key).exists()

    def judges(
        self, progress: Progress | None = None, *, use_cache: bool = True, may_ask: bool = True
    ) -> tuple[Judge, ...]:
        """The ways to judge what has no check; without ``may_ask`` they give only what is known."""
        watcher = progress or Silent()
        return (ExactJudge(self.timeout, use_cache, may_ask, watcher), NumbersJudge())

    def _rechecked(self, trust: Trust, progress: Progress | None) -> Trust:
        """``trust`` with the result of a further checker, if the engine has one."""
        if self.engine.kind != "lake":
            return trust
        watcher, task = progress or Silent(), "checking the compiled files"
        watcher.update(task, 0, None)
        found = self.engine.recheck(
            self.project.root, self.project.modules, timeout=max(self.timeout, KERNEL_SECONDS)
        )
        watcher.update(task, 1, 1)
        if found is None:
            return trust
        if found.refusal is not None:
            return replace(trust, refusals={found.checker: found.refusal})
        return replace(trust, checker=found.checker)

    def audit(
        self,
        *,
        seed: int | None = None,
        instances: int | None = None,
        only: Sequence[str] = (),
        replace_graph: Graph | None = None,
        graph_file: str = "",
        look_behind: bool = True,
        use_cache: bool = True,
        strict: bool | None = None,
        certify: float | None = None,
        jobs: int = 1,
        scheduler: str | None = None,
        backend: str | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Judge the project's obligations; by default with the project's settings.

        Takes and raises what :func:`bridge.auditing.audit` does.  ``look_behind`` sends every
        constant to the kernel again; ``use_cache`` uses cached answers and results; ``jobs``
        processes measure, or the Dask cluster of ``scheduler``; ``backend`` names what runs graphs
        (`numeric.backends.backend_named`).
        """
        chosen, policy, watcher = self.backend(backend), self.policy, progress or Silent()
        place = Place(self.project.root, self.settings.checks)
        locked = partial(
            measure_locked,
            self.project,
            policy=policy,
            seed=self.seed(seed),
            instances=self.instances(instances),
            only=only or self.settings.only,
            certify=certify,
            backend=chosen,
        )
        asks = self._has_to_ask()
        if asks:
            self.engine.begin(self.project.root)
        waits = use_cache and replace_graph is None and asks
        # First: Lean may take minutes, and the user should learn at once that a cluster is missing.
        with (
            spread_over(place, jobs=jobs, scheduler=scheduler) as spread,
            ahead_of_lean(locked if waits else None, watcher) as lean_has_answered,
            self.known(progress, use_cache=use_cache, look_behind=look_behind) as (library, trust),
        ):
            lean_has_answered()
            return audit(
                library,
                seed=self.seed(seed),
                instances=self.instances(instances),
                only=only or self.settings.only,
                replace_graph=replace_graph,
                graph_file=graph_file,
                policy=policy,
                trust=trust,
                results=ResultCache.default() if use_cache else None,
                judges=self.judges(progress, use_cache=use_cache),
                strict=self.strict(strict),
                certify=certify,
                spread=spread,
                backend=chosen,
                progress=progress,
            )


def set_up(
    folder: Path,
    *,
    engine: str | None = None,
    timeout: float | None = None,
    install: bool = True,
    install_progress: InstallProgress | None = None,
) -> Setup:
    """Find the project, load its checks, and choose an engine, installing one if necessary.

    Args:
        folder: the project's folder, or one below it.
        engine: one of :data:`bridge.policy.settings.ENGINES`; ``None`` leaves it to the settings.
        timeout: seconds for Lean to answer; ``None`` leaves it to the settings.
        install: whether to install the embedded engine if it is needed and missing.
        install_progress: the callback that receives updates of the installation.

    Raises:
        InvalidInputError: there is no project, or its settings, checks or lock are malformed.
        EngineNotInstalledError: it would have to be installed, and ``install`` is false.
        EngineError: there is no Lean, or nothing is kept and ``engine`` is ``lock``.
    """
    project = find_project(folder)
    settings = read_settings(project.root)
    load_checks(project.root, settings.checks)
    kind = engine or settings.engine or "auto"
    chosen: Engine = (
        open_kept(project.root)
        if kind == "lock"
        else select(kind, project=project.root, install=install, progress=install_progress)
    )
    return Setup(project, chosen, settings, timeout or settings.timeout or DEFAULT_TIMEOUT)
