"""The results of an audit, before they are rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.checking import CheckResult
from bridge.lean.obligation import Obligation, readable_name
from bridge.lean.trust import Trust
from bridge.report.layers import ModelReport
from bridge.verdict import Verdict, exit_code

__all__ = ["SCHEMA", "EngineInfo", "Entry", "Report"]

SCHEMA = "obligations-report/1"


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Which Lean gave the statements."""

    kind: str
    lean_version: str
    official: bool
    description: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One obligation with its judgement.

    ``check`` names the check that judged it and ``result`` holds its measurements; both are
    ``None`` if the verdict was reached without a check.  ``graph`` is the file of the graph that
    replaced the library's; empty if none did.  ``way`` says how it was judged: by a ``check``, or
    by the statement (`bridge.statements.choose.Way`); empty if nothing was paired with it.
    """

    obligation: Obligation
    file: str | None
    verdict: Verdict
    reason: str
    check: str | None = None
    result: CheckResult | None = None
    graph: str = ""
    way: str = ""


def shortfalls(missing: Sequence[str], unseen: Sequence[str]) -> tuple[str, ...]:
    """Why an audit is incomplete, in clauses: missing keys, and what was not looked at."""
    gone = (f"locked and missing now: {', '.join(missing)}",) if missing else ()
    return (*gone, *(f"not looked at: {what}" for what in unseen))


@dataclass(frozen=True, slots=True)
class Report:
    """A whole audit, in the order of the sources.

    ``folder`` is the project's path in its repository; entries give their files relative to the
    project.  ``missing`` are keys of the lock that the library no longer has: an audit must not
    shrink unnoticed.  ``trust`` is what is behind the statements; ``None`` if not looked at.
    ``graph`` is the file of the graph that replaced the library's, empty if none did, and
    ``graph_data`` is that graph as JSON: a replay elsewhere has no such file.  ``graph_marks`` are
    its nodes where it begins to differ from the library's, each with a description. ``unseen`` is
    what a strict audit must look at and this one did not; empty if it is not strict. ``filtered``
    counts obligations that were audited and are not shown. ``commit`` is the audited commit, with a
    note if the files differ from it, and ``date`` its date: for the same files the report stays the
    same.  Both are empty outside a repository. ``backend`` is what ran the graphs: ``numpy``, or
    another's name, version and device. ``model`` is set if a model was audited: then the entries
    are those of the theorems for its layers, each with its worst verdict over the layers.
    """

    tool: str
    engine: EngineInfo
    project: str
    seed: int
    entries: tuple[Entry, ...]
    interrupted: bool = False
    folder: str = ""
    trust: Trust | None = None
    missing: tuple[str, ...] = ()
    graph: str = ""
    graph_data: Mapping[str, object] | None = None
    graph_marks: tuple[tuple[str, str], ...] = ()
    unseen: tuple[str, ...] = ()
    filtered: int = 0
    model: ModelReport | None = None
    commit: str = ""
    date: str = ""
    backend: str = "numpy"

    @property
    def summary(self) -> dict[str, int]:
        """How many obligations have each verdict; only verdicts that occur."""
        count = Counter(e.verdict for e in self.entries)
        return {v.value: count[v] for v in Verdict if count[v]}

    @property
    def shortfalls(self) -> tuple[str, ...]:
        """Why the audit as a whole is incomplete, whatever its verdicts; each a clause."""
        found = []
        if self.interrupted:
            found.append("the audit was interrupted; the rest was not checked")
        elif not self.entries and not self.filtered and not (self.model and self.model.by_graph):
            found.append(self.nothing)
        if self.model is not None:
            found += self.model.shortfalls
        return (*found, *shortfalls(self.missing, self.unseen))

    @property
    def refusals(self) -> tuple[str, ...]:
        """Which constants a kernel refuses, and why; each a clause."""
        refused = {} if self.trust is None else self.trust.refusals
        return tuple(
            f"the kernel refuses {readable_name(name)}: {why}" for name, why in refused.items()
        )

    @property
    def nothing(self) -> str:
        """The text if no obligation is shown."""
        if self.filtered:
            return f"the filter leaves none of the {self.filtered} obligations that were audited"
        if self.model is not None and any(la.captured is not None for la in self.model.layers):
            total = len(self.model.layers)
            return f"{self.model.by_graph} of {total} layers hold by the graphs that they run"
        return "nothing was audited"

    @property
    def exit_code(self) -> int:
        """The audit's exit code: see :func:`bridge.verdict.exit_code`."""
        found = [(e.verdict, e.obligation.lean.status) for e in self.entries]
        failed = bool(self.refusals) or (self.model is not None and self.model.graphs_fail)
        if not found and self.model is not None and self.model.by_graph:
            # What is left open about its layers is among the shortfalls.
            return 1 if failed else 4 if self.shortfalls else 0
        return exit_code(found, refused=failed, incomplete=bool(self.shortfalls))
