"""An audit's result, to inspect, filter and plot."""

from __future__ import annotations

import fnmatch
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.auditing.selection import unknown_name
from bridge.auditing.single import case_of
from bridge.checking import Check
from bridge.checks.pairing import paired
from bridge.errors import InvalidInputError
from bridge.lean.library import Library
from bridge.report import Entry, Report
from bridge.report.escaping import one_line
from bridge.report.formats import FORMATS, render
from bridge.report.table import lean_words, render_table
from bridge.report.wording import headline, instances, tightness
from bridge.verdict import Verdict
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

__all__ = ["AuditResult"]

_COLOURS = {
    Verdict.HOLDS: "#1b7f3b",
    Verdict.CERTIFIED: "#1b7f3b",
    Verdict.FAILS: "#b3261e",
    Verdict.ERROR: "#b3261e",
    Verdict.WAIVED: "#546e7a",
}
_UNSURE = "#8a5a00"
_COLUMNS = [
    "key",
    "declaration",
    "binder",
    "role",
    "statement",
    "lean",
    "verdict",
    "reason",
    "instances",
    "accepted",
    "residual",
    "tolerance",
    "margin",
    "check",
    "file",
    "line",
]


@dataclass(frozen=True, slots=True)
class AuditResult:
    """An audit's report, with what Lean said, so that instances can be drawn again.

    Attributes:
        report: every obligation with its judgement.
        library: statements and graphs from Lean.
        instances: how many were to be drawn for each obligation.
    """

    report: Report
    library: Library
    instances: int

    def __len__(self) -> int:
        return len(self.report.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.report.entries)

    def __getitem__(self, key: str) -> Entry:
        """The obligation with this key.

        Raises:
            InvalidInputError: there is none; the message suggests similar keys.
        """
        for entry in self.report.entries:
            if entry.obligation.key == key:
                return entry
        raise unknown_name(key, [e.obligation for e in self.report.entries])

    @property
    def exit_code(self) -> int:
        """The exit code of `obligations audit`."""
        return self.report.exit_code

    @property
    def failing(self) -> AuditResult:
        """The obligations that a counterexample violates."""
        return self.by_verdict("fails")

    def by_verdict(self, *verdicts: str) -> AuditResult:
        """The obligations with one of these verdicts, such as ``"holds"``.

        Raises:
            InvalidInputError: there is no such verdict.
        """
        known = [v.value for v in Verdict]
        for verdict in verdicts:
            if verdict not in known:
                raise InvalidInputError(
                    f"there is no verdict called {verdict!r}", remedy=f"there are {known}"
                )
        return self._where(lambda e: e.verdict.value in verdicts)

    def only(self, *patterns: str) -> AuditResult:
        """The obligations whose key or declaration matches a glob, such as ``"layerNorm*"``."""

        def matches(entry: Entry) -> bool:
            names = (entry.obligation.key, entry.obligation.declaration)
            return any(fnmatch.fnmatchcase(n, p) for n in names for p in patterns)

        return self._where(matches)

    def _where(self, keep: Any) -> AuditResult:
        entries = tuple(e for e in self.report.entries if keep(e))
        left = len(self.report.entries) - len(entries)
        # A part must not be shown or saved as if it were the whole audit.
        unseen = (f"{left} obligations that a filter left out",) if left else ()
        report = replace(
            self.report,
            entries=entries,
            unseen=(*self.report.unseen, *unseen),
            filtered=self.report.filtered + left,
        )
        return replace(self, report=report)

    def case(self, key: str, family: str = "generic", instances: int | None = None) -> Case:
        """The instances of a family that the audit drew for an obligation, with its graph.

        ``case.run()["varEps"]`` is a saved tensor, ``(B, *shape)``.

        Raises:
            InvalidInputError: the obligation has no check, or there is no such family.
        """
        count = np.arange(self.instances if instances is None else instances)
        return case_of(self.library, key, seed=self.report.seed, family=family, indices=count)

    def measurements(self, key: str, instances: int = 200) -> dict[str, Measurement]:
        """The measurements of an obligation's check on each of its families, on all instances
        drawn."""
        check = self.check(key)
        names = (*(f.name for f in check.families), *check.refuted_by)
        return {name: check.measure(self.case(key, name, instances)) for name in names}

    def check(self, key: str) -> Check:
        """The check of an obligation.

        Raises:
            InvalidInputError: it has none.
        """
        self[key]
        try:
            return paired(self.library)[key]
        except KeyError:
            raise InvalidInputError(
                f"no check is registered for {key}", remedy="choose an obligation that has one"
            ) from None

    def to_dataframe(self) -> DataFrame:
        """A row for each obligation; needs pandas (``pip install 'lean-obligations[notebook]'``).

        Columns: key (the index), declaration, binder, role, statement, lean, verdict, reason,
        instances, accepted, residual, tolerance, margin, check, file, line.
        """
        import pandas as pd

        rows = [_row(e) for e in self.report.entries]
        return pd.DataFrame(rows, columns=_COLUMNS).set_index("key")

    def save(self, path: str | Path, format: str | None = None) -> Path:
        """Write the report; the file's ending (.html, .json, .md, .sarif, .xml, .txt), or
        ``format``, gives the format.

        Raises:
            InvalidInputError: there is no format with that ending or name.
        """
        target = Path(path)
        known = {n: Path(f.file_name).suffix for n, f in FORMATS.items() if n != "github"}
        chosen = format or next((n for n, end in known.items() if end == target.suffix), "")
        if chosen not in FORMATS:
            raise InvalidInputError(
                f"no report format is known for {format or target.name!r}",
                remedy=f"choose one of {', '.join(sorted(FORMATS))}",
            )
        target.write_text(render(self.report, chosen), encoding="utf-8")
        return target

    def plot_margins(self, key: str, *, instances: int = 200, ax: Axes | None = None) -> Axes:
        """Each instance's distance to its limit, by family: see `bridge.notebook.plots.margins`."""
        from bridge.notebook import plots

        return plots.margins(self.measurements(key, instances), title=key, ax=ax)

    def plot_variances(
        self, key: str, *, family: str = "generic", instances: int = 200, ax: Axes | None = None
    ) -> Axes:
        """var + ε of every row: see `bridge.notebook.plots.variances`."""
        from bridge.notebook import plots

        return plots.variances(self.case(key, family, instances), title=key, ax=ax)

    def plot_steps(
        self, key: str, *, family: str = "generic", instances: int = 8, ax: Axes | None = None
    ) -> Axes:
        """Residual of difference quotients against step: see `bridge.notebook.plots.steps`."""
        from bridge.notebook import plots

        return plots.steps(self.case(key, family, instances), title=key, ax=ax)

    def plot_derivatives(
        self,
        key: str,
        *,
        mutant: Any = None,
        family: str = "generic",
        instances: int = 20,
        ax: Axes | None = None,
    ) -> Axes:
        """Where a derivative is off, by saved tensor; ``mutant`` is an error to plant first."""
        from bridge.notebook import plots

        case = self.case(key, family, instances)
        wrong = case if mutant is None else Case(mutant.apply(case.program.graph), case.batch)
        return plots.derivatives(wrong, title=key, ax=ax)

    def __repr__(self) -> str:
        said = ", ".join(f"{n} {v}" for v, n in self.report.summary.items()) or self.report.nothing
        return f"<AuditResult of {self.report.project}: {said}; exit code {self.exit_code}>"

    def __str__(self) -> str:
        return render_table(self.report)

    def _repr_html_(self) -> str:
        head = _text(headline(self.report))
        said = f"<p><b>{head}</b><br><small>{_text(self._engine())}</small></p>"
        rows = "".join(_html_row(e) for e in self.report.entries)
        heads = "".join(
            f'<th style="text-align:left">{name}</th>'
            for name in ("obligation", "Lean", "verdict", "instances", "tightest", "reason")
        )
        notes = "".join(f"<li>{_text(what)}</li>" for what in self.report.shortfalls)
        return (
            f"<div>{said}<ul>{notes}</ul><table><thead><tr>{heads}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
            "<p><small>Numbers are evidence on the instances drawn, not proofs.</small></p></div>"
        )

    def _engine(self) -> str:
        return f"{self.report.engine.description}, seed {self.report.seed}"


def _text(text: str) -> str:
    return html.escape(one_line(text))


def _html_row(entry: Entry) -> str:
    colour = _COLOURS.get(entry.verdict, _UNSURE)
    verdict = f'<b style="color:{colour}">{entry.verdict.value}</b>'
    texts: Sequence[str] = (
        f"<code>{_text(entry.obligation.key)}</code>",
        _text(lean_words(entry.obligation)),
        verdict,
        _text(instances(entry)),
        _text(tightness(entry)),
        _text(entry.reason),
    )
    cells = "".join(f'<td style="text-align:left">{text}</td>' for text in texts)
    return f'<tr title="{_text(entry.obligation.statement)}">{cells}</tr>'


def _row(entry: Entry) -> dict[str, object]:
    o, r = entry.obligation, entry.result
    worst = None if r is None else r.worst
    return {
        "key": o.key,
        "declaration": o.declaration,
        "binder": o.binder,
        "role": o.role.value,
        "statement": o.statement,
        "lean": o.lean.status.value,
        "verdict": entry.verdict.value,
        "reason": entry.reason,
        "instances": 0 if r is None else r.instances,
        "accepted": 0 if r is None else r.accepted,
        "residual": np.nan if worst is None else worst.residual,
        "tolerance": np.nan if worst is None else worst.tolerance,
        "margin": np.nan if worst is None else worst.margin,
        "check": entry.check,
        "file": entry.file,
        "line": o.line,
    }
