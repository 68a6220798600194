"""A pytest plugin: with ``pytest --obligations`` every obligation of a Lean project is a test.

The tests belong to the project's lakefile: one is called
``lakefile.lean::layerNorm_hasFDerivAt:hVarEpsPos``; ``-k``, ``-m``, ``--last-failed``, xdist and
JUnit reports work as for any other test.  Without the flag the plugin does nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    # Not at run time: without the flag, numpy and the bridge should not be imported.
    from bridge.auditing.judge import Context
    from bridge.lean.obligation import Obligation
    from bridge.lean.project import Project
    from bridge.policy.settings import Settings
    from bridge.report.findings import Finding

__all__: list[str] = []

NAME = "lean-obligations"
MARKERS = (
    "obligation: an obligation of a Lean theorem (pytest --obligations)",
    "hypothesis: of obligations, a theorem's hypothesis: -m 'obligation and hypothesis'",
    "conclusion: of obligations, a theorem's conclusion",
    "fidelity: of obligations, that an exported graph is its closed form",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("obligations", "proof obligations of Lean theorems")
    group.addoption(
        "--obligations",
        action="store_true",
        help="make each obligation of the Lean project a test",
    )
    group.addoption(
        "--obligations-project",
        metavar="DIR",
        help="the Lean project; default: the root directory or the nearest above it",
    )
    group.addoption(
        "--obligations-strict",
        action="store_true",
        help="fail what is unpaired, stale, inconclusive or not looked at, instead of skipping it",
    )
    group.addoption(
        "--obligations-engine",
        choices=("auto", "lake", "embedded", "lock"),
        help="which Lean to ask; default: the project's setting, or auto",
    )
    group.addoption("--obligations-seed", type=int, metavar="N", help="determines all instances")
    group.addoption(
        "--obligations-instances", type=int, metavar="N", help="instances for each obligation"
    )


def pytest_configure(config: pytest.Config) -> None:
    """If the flag is set, register the markers and the collector."""
    if not config.getoption("--obligations"):
        return
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    from bridge.errors import ObligationsError

    try:
        audit = _Audit(config)
    except ObligationsError as error:
        raise pytest.UsageError(_as_text(error)) from error
    config.pluginmanager.register(_Collecting(audit), NAME)
    audit.ask_pytest_to_collect(config)


def _as_text(error: Exception) -> str:
    """One of our errors and what to do next, as plain text."""
    from bridge.errors import ObligationsError
    from bridge.report.escaping import plain

    remedy = error.remedy if isinstance(error, ObligationsError) else ""
    return plain(f"{error}\n{remedy}".rstrip("\n"))


class _Audit:
    """The audit of one session: Lean is asked once, and only when tests are collected."""

    def __init__(self, config: pytest.Config) -> None:
        from bridge.lean.project import LAKEFILES, find_project
        from bridge.policy.settings import read_settings

        folder = config.getoption("--obligations-project")
        base = config.rootpath if folder is None else config.invocation_params.dir / folder
        self.project: Project = find_project(base)
        self.settings: Settings = read_settings(self.project.root)
        found = [self.project.root / name for name in LAKEFILES]
        self.lakefile = next(path for path in found if path.is_file())
        self.strict: bool = config.getoption("--obligations-strict")
        self._engine: str | None = config.getoption("--obligations-engine")
        self._seed: int | None = config.getoption("--obligations-seed")
        self._instances: int | None = config.getoption("--obligations-instances")

    def ask_pytest_to_collect(self, config: pytest.Config) -> None:
        """Add the lakefile to the arguments, unless one of them names it or a test in it."""
        invoked = config.invocation_params.dir
        named = [(invoked / str(arg).split("::", 1)[0]).resolve() for arg in config.args]
        if self.lakefile not in named:
            config.args.append(str(self.lakefile))

    @cached_property
    def prepared(self) -> tuple[tuple[Obligation, ...], Context]:
        """The obligations to test, and what judging them needs; asks Lean, once."""
        from bridge.auditing.audit import prepare
        from bridge.auditing.configured import set_up
        from bridge.checking.store import ResultCache

        setup = set_up(self.project.root, engine=self._engine)
        library = setup.library()
        return prepare(
            library,
            seed=setup.seed(self._seed),
            instances=setup.instances(self._instances),
            only=setup.settings.only,
            policy=setup.policy,
            trust=setup.trust(library=library),
            results=ResultCache.default(),
            judges=setup.judges(),
            backend=setup.backend(),
        )

    def exit_code(self) -> int:
        """The exit code of `obligations audit`; cached results are not measured again."""
        from bridge.auditing.judge import judge
        from bridge.verdict import exit_code

        chosen, context = self.prepared
        entries = [judge(o, context) for o in chosen]
        trust = context.trust
        return exit_code(
            ((e.verdict, e.obligation.lean.status) for e in entries),
            refused=trust is not None and bool(trust.refusals),
            incomplete=bool(self.shortfalls()),
        )

    def shortfalls(self) -> tuple[str, ...]:
        """Why the audit as a whole is incomplete, whatever its verdicts."""
        from bridge.auditing.audit import shortfalls_of

        _, context = self.prepared
        whole = not self.settings.only
        return shortfalls_of(context, whole=whole, strict=self.strict or bool(self.settings.strict))


class _Collecting:
    """The hooks that are registered only with the flag."""

    def __init__(self, audit: _Audit) -> None:
        self.audit = audit

    def pytest_report_header(self) -> str:
        """Name the audited project."""
        return f"obligations: {self.audit.project.root}"

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Under xdist, ask Lean before the workers start: then they find the answer cached."""
        config = session.config
        distributed = config.getoption("dist", "no") != "no"
        if distributed and not hasattr(config, "workerinput"):
            from bridge.errors import ObligationsError

            with contextlib.suppress(
                ObligationsError
            ):  # the workers get the same error, and report it
                _ = self.audit.prepared

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> _Lakefile | None:
        """Collect the project's lakefile as a file of tests."""
        if file_path.resolve() != self.audit.lakefile:
            return None
        made: _Lakefile = _Lakefile.from_parent(parent, path=file_path, audit=self.audit)
        return made


class _Lakefile(pytest.File):
    """The Lean project, by its lakefile; its tests are the obligations."""

    def __init__(self, *, audit: _Audit, **more: Any) -> None:
        super().__init__(**more)
        self.audit = audit

    def collect(self) -> Iterator[pytest.Item]:
        """One test for each obligation, in the order of the sources."""
        from bridge.errors import ObligationsError
        from bridge.report.escaping import one_line

        try:
            found, _ = self.audit.prepared
        except ObligationsError as error:
            raise self.CollectError(_as_text(error)) from error
        if not found:
            raise self.CollectError(f"{self.path}: no theorem is tagged with @[obligation]")
        for obligation in found:
            yield _ObligationItem.from_parent(
                self, name=one_line(obligation.key), audit=self.audit, obligation=obligation
            )
        whole: pytest.Item = _WholeItem.from_parent(self, name="audit:complete", audit=self.audit)
        yield whole


class _NotMetError(Exception):
    """An obligation is not met; pytest shows the message and no traceback."""


class _ObligationItem(pytest.Item):
    """One obligation as a test."""

    def __init__(self, *, audit: _Audit, obligation: Obligation, **more: Any) -> None:
        super().__init__(**more)
        self.audit = audit
        self.obligation = obligation
        self.add_marker("obligation")
        self.add_marker(obligation.role.value)

    def runtest(self) -> None:
        """Judge it: an unverified one is skipped, or fails with ``--obligations-strict``."""
        from bridge.auditing.judge import judge
        from bridge.report.findings import findings_of

        entry = judge(self.obligation, self.audit.prepared[1])
        self.user_properties += [
            ("verdict", entry.verdict.value),
            ("lean", entry.obligation.lean.status.value),
            ("statement_hash", entry.obligation.statement_hash),
        ]
        found = findings_of(entry)
        if any(self._fails(f) for f in found):
            raise _NotMetError("\n".join(f.message for f in found))
        if found:
            raise pytest.skip.Exception(found[0].said, _use_item_location=True)

    def _fails(self, finding: Finding) -> bool:
        from bridge.report.findings import Level

        if finding.rule.level is Level.WARNING:
            return self.audit.strict
        return finding.rule.level is Level.ERROR

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The finding; a traceback only if the plugin broke."""
        from bridge.errors import ObligationsError

        if isinstance(excinfo.value, _NotMetError):
            return str(excinfo.value)
        if isinstance(excinfo.value, ObligationsError):
            return _as_text(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The theorem's place in the Lean sources."""
        source = self.audit.project.file_of(self.obligation.module)
        path = self.path if source is None else self.audit.project.root / source
        return path, max(0, self.obligation.line - 1), self.name


class _WholeItem(pytest.Item):
    """Whether the audit is complete: for example, no key of the lock is missing."""

    def __init__(self, *, audit: _Audit, **more: Any) -> None:
        super().__init__(**more)
        self.audit = audit
        self.add_marker("obligation")

    def runtest(self) -> None:
        """Fail if the command would not end with 0, with the same exit code in the message."""
        from bridge.report.escaping import one_line

        found = [one_line(what) for what in self.audit.shortfalls()]
        if code := self.audit.exit_code():
            raise _NotMetError("\n".join((*found, f"`obligations audit` ends with {code}")))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is missing; a traceback only if the plugin broke."""
        if isinstance(excinfo.value, _NotMetError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The project as a whole."""
        return self.path, 0, self.name
