"""``from bridge import audit``: results to inspect, filter, tabulate, plot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import bridge
from bridge import AuditResult, audit
from bridge.auditing import configured as setup
from bridge.errors import InvalidInputError
from bridge.notebook import plots
from bridge.notebook.display import CellProgress, shown_progress
from bridge.progress import Silent
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import DerivativeMutant
from tests.checks.pairs import pairs
from tests.cli.fake import FakeEngine, layer_norm_statements, write_answers, write_project

mpl.use("Agg")
KEY = "layerNorm_hasFDerivAt:hVarEpsPos"
CONCLUSION = "layerNorm_hasFDerivAt:conclusion"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    root = tmp_path_factory.mktemp("project")
    write_project(root)
    write_answers(root / "answers.json", *layer_norm_statements())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEAN_OBLIGATIONS_CACHE", str(root / "cache"))
        patch.setattr(setup, "select", lambda *_a, **_k: FakeEngine(root / "answers.json"))
        return audit(root, instances=30, seed=3)


def test_the_face_is_what_it_says_and_costs_nothing_until_used() -> None:
    assert all(hasattr(bridge, name) for name in bridge.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bridge.nothing  # type: ignore[attr-defined]
    code = "import sys, bridge; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_is_the_audit_of_the_command_line(result: AuditResult) -> None:
    assert len(result) == 8
    assert repr(result).startswith("<AuditResult of project")
    assert "8 holds; exit code 0" in repr(result)
    assert result.report.seed == 3
    assert result[KEY].verdict.value == "holds"
    assert "hVarEpsPos" in str(result)


def test_filters(result: AuditResult) -> None:
    assert [e.obligation.key for e in result.only("*:hVarEpsPos")] == [
        KEY,
        "layerNorm_backpropVec_eq_adjoint_fderiv_at:hVarEpsPos",
    ]
    assert len(result.only("layerNorm_eval")) == 1
    assert len(result.by_verdict("holds", "certified")) == 8
    assert len(result.failing) == 0
    with pytest.raises(InvalidInputError, match="no verdict called 'hold'"):
        result.by_verdict("hold")
    with pytest.raises(InvalidInputError, match="no obligation is called 'layerNorm_evil"):
        result["layerNorm_evil:conclusion"]


def test_as_a_table(result: AuditResult) -> None:
    frame = result.to_dataframe()
    assert frame.index.tolist() == [e.obligation.key for e in result]
    assert frame.loc[KEY, "lean"] == "discharged"
    assert (frame["margin"] > 0).all()


def test_a_table_of_nothing_has_the_same_columns(result: AuditResult) -> None:
    none = result.failing.to_dataframe()
    assert len(none) == 0
    assert none.columns.tolist() == result.to_dataframe().columns.tolist()


def test_a_part_never_looks_like_the_whole(result: AuditResult, tmp_path: Path) -> None:
    part = result.only("*:conclusion")
    left = len(result) - len(part)
    assert 0 < left < len(result)
    said = f"{left} obligations that a filter left out"
    assert said in part._repr_html_()
    assert said in part.save(tmp_path / "part.html").read_text(encoding="utf-8")
    assert part.exit_code == 4
    assert result.only("*").report == result.report


def test_a_filter_that_leaves_nothing_does_not_say_that_nothing_was_audited(
    result: AuditResult, tmp_path: Path
) -> None:
    none = result.failing
    said = f"the filter leaves none of the {len(result)} obligations that were audited"
    saved = none.save(tmp_path / "none.html").read_text(encoding="utf-8")
    for shown in (none._repr_html_(), " ".join(str(none).split()), repr(none), saved):
        assert said in shown
        assert "nothing was audited" not in shown
    assert "@[obligation]" not in str(none)
    assert said in repr(result.only("*:conclusion").failing)
    assert none.exit_code == 4


def test_it_shows_itself_and_nothing_of_it_is_markup(result: AuditResult) -> None:
    shown = result._repr_html_()
    assert KEY in shown
    assert "not proofs" in shown
    assert "<script" not in shown
    assert "&lt;" in shown  # of `0 < …`


def test_reports_are_saved_by_their_ending(result: AuditResult, tmp_path: Path) -> None:
    path = result.save(tmp_path / "found.json")
    assert json.loads(path.read_text(encoding="utf-8"))["summary"] == {"holds": 8}
    assert "<html" in result.save(tmp_path / "found.html").read_text(encoding="utf-8")
    assert "::" not in result.save(tmp_path / "x", "table").read_text(encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"found\.docx"):
        result.save(tmp_path / "found.docx")


def test_instances_are_those_of_the_audit(result: AuditResult) -> None:
    case = result.case(KEY, "generic", 5)
    found = result.measurements(KEY, 5)
    assert set(found) >= {"generic", "eps overwhelms variance"}
    assert np.all(found["eps overwhelms variance"].outcome == Outcome.FAILS)
    again = pairs()[KEY].measure(case)
    np.testing.assert_array_equal(again.margin, found["generic"].margin)
    with pytest.raises(InvalidInputError, match="expected a family"):
        result.case(KEY, "generous")


def test_margins_are_drawn_where_they_are(result: AuditResult) -> None:
    ax = result.plot_margins(KEY, instances=6)
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels[0] == "generic"
    assert ax.get_xlabel().startswith("margin")
    assert {t.get_text() for t in ax.get_legend().get_texts()} == {"holds", "fails"}
    drawn = np.concatenate([np.asarray(c.get_offsets())[:, 0] for c in ax.collections])
    assert (drawn > 0).any()
    assert (drawn < 0).any()
    assert len(ax.get_xticks()) < 20
    assert plots.margins({"f": made(1.0)}, ax=ax) is ax


def made(margin: float) -> Measurement:
    zero = np.zeros(1)
    return Measurement(
        -np.array([margin]), zero, zero.astype(np.int8), zero.astype(np.int64), ("q",)
    )


def test_variances_count_every_row(result: AuditResult) -> None:
    ax = result.plot_variances(KEY, instances=6)
    (text,) = (t.get_text() for t in ax.get_legend().get_texts())
    assert text == "varEps: 24 rows, 0 not positive"
    other = result.case(KEY, "generic", 2)
    with pytest.raises(InvalidInputError, match="no tensor called varEps"):
        plots.variances(other.piece("mean"))


def test_steps_show_order_two_and_a_wrong_derivative_shows_none(result: AuditResult) -> None:
    def orders(case: Any) -> Any:
        ax = plots.steps(case)
        lines = [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines[:-1]]
        return np.median([np.log2(y[3] / y[5]) / 4 for y in lines])

    case = result.case(CONCLUSION, "generic", 6)
    assert orders(case) == pytest.approx(2.0, abs=0.1)
    wrong = DerivativeMutant("jvp", "square", 1).apply(case.program.graph)
    assert abs(orders(type(case)(wrong, case.batch))) < 0.2


def test_a_wrong_derivative_is_seen_where_it_is(result: AuditResult) -> None:
    right = result.plot_derivatives(CONCLUSION, instances=4)
    assert "wrong" not in {t.get_text() for t in right.get_legend().get_texts()}
    ax = result.plot_derivatives(
        CONCLUSION, mutant=DerivativeMutant("jvp", "square", 1), instances=4
    )
    (mark,) = [line for line in ax.lines if line.get_label() == "wrong"]
    (row,) = np.asarray(mark.get_ydata()).astype(int)
    assert ax.get_yticklabels()[row].get_text() == "square"


class Handle:
    def __init__(self) -> None:
        self.said: list[str] = []

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.said.append(data["text/html"])


def test_progress_in_a_notebook_is_one_line() -> None:
    handle = Handle()
    cell = CellProgress(handle)
    for done in range(100):
        cell.update("checking", done, 100, unit="<key>")
    cell.update("checking", 100, 100)
    assert 2 <= len(handle.said) <= 4
    assert handle.said[0] == "<small><i>checking 0 of 100 &lt;key&gt;</i></small>"
    assert handle.said[-1] == "<small><i>checking 100 of 100</i></small>"


def test_outside_a_notebook_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))  # type: ignore[arg-type]
    with shown_progress(None) as watcher:
        assert isinstance(watcher, Silent)
