"""`pytest --obligations`, on a project with a fake Lean."""

from __future__ import annotations

import json
import os
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from bridge.auditing import configured as setup
from bridge.checking import registered
from tests.bridge.answers import statement
from tests.cli.fake import FakeEngine, trust_answers, write_answers, write_project
from tests.report.lean_stand_in import install

pytest_plugins = ["pytester"]

registered()  # pytester forgets modules imported while it runs; checks register only once

ROOT = Path(__file__).parents[2]
INSTALLED = any(e.value == "bridge.pytest_plugin" for e in entry_points(group="pytest11"))

STAND_IN = "from tests.report.lean_stand_in import install\ninstall(setattr)\n"


@pytest.fixture
def lean(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a lakefile, a settings file, an ordinary test, and the fake."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.syspath_prepend(ROOT)
    install(monkeypatch.setattr)
    pytester.makefile(
        ".lean",
        lakefile="import Lake\nopen Lake DSL\npackage demo\n"
        'lean_lib PostNorm where\n  srcDir := "lean"\n',
    )
    pytester.makefile(".toml", obligations="seed = 3\ninstances = 50\n")
    pytester.makepyfile(test_other="def test_other():\n    pass\n")
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider --strict-markers\n")
    return pytester


def run(
    lean: pytest.Pytester, *arguments: str, apart: bool = False, **more: bool
) -> pytest.RunResult:
    loaded = () if INSTALLED else ("-p", "bridge.pytest_plugin")
    options = [*loaded, "-W", "ignore::pytest.PytestAssertRewriteWarning", *arguments]
    return (
        lean.runpytest_subprocess(*options) if apart else lean.runpytest_inprocess(*options, **more)
    )


def test_without_the_flag_it_does_nothing(lean: pytest.Pytester) -> None:
    result = run(lean, "-v")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("obligations: *")
    assert "obligation:" not in run(lean, "--markers").stdout.str()


def test_without_the_flag_nothing_is_imported(lean: pytest.Pytester) -> None:
    lean.makepyfile(
        test_other="import sys\ndef test_other():\n"
        "    assert not {'numpy', 'bridge.auditing.audit', 'bridge.errors'} & set(sys.modules)\n"
    )
    run(lean, apart=True).assert_outcomes(passed=1)


def test_each_obligation_is_a_test(lean: pytest.Pytester) -> None:
    result = run(lean, "--obligations", "-rs", "-v")
    # One for the whole passes.  5 hold and 1 is certified, of which one rests on an axiom; one
    # fails, one proof is unfinished, one check broke; of the 5 others, one is the unfinished one.
    result.assert_outcomes(passed=1 + 5, failed=4 + 1, skipped=4)
    result.stdout.fnmatch_lines(
        [
            "obligations: *",
            "lakefile.lean::layerNorm_hasFDerivAt:hVarEpsPos PASSED*",
            "lakefile.lean::postNormEncoderBlock_hasFDerivAt:hAttnPack SKIPPED*",
        ]
    )


def test_a_failure_shows_the_counterexample_and_no_traceback(lean: pytest.Pytester) -> None:
    result = run(lean, "--obligations", "-k", "adjoint_fderiv_at and layerNorm and conclusion")
    result.assert_outcomes(failed=1, deselected=14)
    result.stdout.fnmatch_lines(
        [
            "fails on 3 of 167 instances",
            "counterexample: d/d gamma: residual 3.3e-07 > tolerance 1e-13*",
            "replay: obligations replay layerNorm_backprop*--family 'large offset' --index 7",
        ]
    )
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_an_unverified_obligation_is_skipped_with_its_reason(lean: pytest.Pytester) -> None:
    result = run(lean, "--obligations", "-rs", "-k", "hAttnPack")
    result.assert_outcomes(skipped=1, deselected=14)
    result.stdout.fnmatch_lines(["SKIPPED *unpaired: no check is registered for *hAttnPack"])


def test_strict_fails_what_is_not_verified_but_not_what_is_waived(lean: pytest.Pytester) -> None:
    result = run(lean, "--obligations", "--obligations-strict")
    result.assert_outcomes(passed=1 + 5, failed=8, skipped=1)
    result.stdout.fnmatch_lines(["*unpaired: no check is registered for *", "not looked at: *"])


def test_a_locked_obligation_that_was_removed_is_reported(
    lean: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"statement": "s", "term_hash": "t", "statement_hash": "h", "check": None}
    obligations = {"gone:conclusion": {**entry, "check_hash": None, "reason": ""}}
    lock = {"schema": "obligations-lock/1", "answer": None, "definitions": {}}
    text = json.dumps({**lock, "obligations": obligations})
    (lean.path / "statements.lock.json").write_text(text)
    run(lean, "--obligations", "-k", "complete").stdout.fnmatch_lines(
        ["locked and missing now: gone:conclusion", "*ends with 1"]
    )
    install(monkeypatch.setattr)
    result = run(lean, "--obligations", "--obligations-strict", "-k", "complete")
    result.assert_outcomes(failed=1, deselected=14)
    result.stdout.fnmatch_lines(["locked and missing now: gone:conclusion"])


def test_waivers_lock_and_trust_count_as_in_an_audit(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(pytester.path / "cache"))
    monkeypatch.setattr(
        setup, "select", lambda *_a, **_k: FakeEngine(pytester.path / "answers.json")
    )
    write_project(pytester.path)
    vacuous = {"kind": "vacuous", "name": "PostNorm.empty", "why": "its conclusion is True"}
    write_answers(
        pytester.path / "answers.json",
        *(statement(f"PostNorm.{n}", module="PostNorm.Layers") for n in ("waived", "new", "empty")),
        trust=trust_answers(vacuous),
    )
    pytester.makefile(
        ".toml", waivers='[[waiver]]\nkey = "waived:conclusion"\nreason = "see the paper"\n'
    )
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider --strict-markers\n")
    result = run(pytester, "--obligations", "-rs")
    result.assert_outcomes(passed=1, failed=1 + 1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*the theorem says nothing: its conclusion is True*",
            "SKIPPED *waived: see the paper",
            "SKIPPED *unpaired: no check is registered for new:conclusion; exact: R: *",
        ]
    )


def test_markers_choose_by_role(lean: pytest.Pytester) -> None:
    result = run(lean, "--obligations", "-m", "obligation and conclusion", "--collect-only", "-q")
    lines = [line for line in result.outlines if "::" in line]
    assert len(lines) == 5
    assert all(line.endswith(":conclusion") for line in lines)


def test_one_can_be_named(lean: pytest.Pytester) -> None:
    key = "layerNorm_hasFDerivAt:conclusion"
    run(lean, "--obligations", f"lakefile.lean::{key}").assert_outcomes(passed=1)


def test_the_folder_as_argument_does_not_double_them(lean: pytest.Pytester) -> None:
    result = run(lean, "--obligations", ".")
    result.assert_outcomes(passed=1 + 5, failed=4 + 1, skipped=4)


def test_the_junit_report_names_them(lean: pytest.Pytester) -> None:
    run(lean, "--obligations", "--junit-xml=out.xml", "-k", "hVarEpsPos")
    text = (lean.path / "out.xml").read_text(encoding="utf-8")
    assert 'name="layerNorm_hasFDerivAt:hVarEpsPos"' in text
    assert '<property name="verdict" value="holds" />' in text


def test_lean_that_breaks_is_an_error_with_its_remedy(lean: pytest.Pytester) -> None:
    (lean.path / "broken").touch()
    result = run(lean, "--obligations")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["the Lean sources do not compile", "correct them"])


def test_no_project_is_wrong_usage(lean: pytest.Pytester, tmp_path: Path) -> None:
    result = run(lean, "--obligations", f"--obligations-project={tmp_path / 'nowhere'}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no such folder*"])


def test_another_project_can_be_named(lean: pytest.Pytester) -> None:
    inner = lean.mkdir("inner")
    for name in ("lakefile.lean", "obligations.toml"):
        (lean.path / name).rename(inner / name)
    result = run(lean, "--obligations", "--obligations-project", "inner", "-v")
    result.assert_outcomes(passed=1 + 5, failed=4 + 1, skipped=4)
    result.stdout.fnmatch_lines(["inner/lakefile.lean::layerNorm_hasFDerivAt:hVarEpsPos PASSED*"])


def test_the_failed_ones_can_be_run_again(
    lean: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    lean.makeini("[pytest]\n")
    run(lean, "--obligations").assert_outcomes(passed=1 + 5, failed=4 + 1, skipped=4)
    install(monkeypatch.setattr)
    run(lean, "--obligations", "--last-failed").assert_outcomes(failed=4 + 1)


def test_it_works_from_a_wheel(
    lean: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """pytest rewrites the assertions of every module of a distribution that holds a plugin."""
    metadata = tmp_path / "lean_obligations-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: lean-obligations\nVersion: 0\n"
    )
    (metadata / "entry_points.txt").write_text("[pytest11]\nobligations = bridge.pytest_plugin\n")
    modules = [p.relative_to(ROOT).as_posix() for p in (ROOT / "bridge").rglob("*.py")]
    (metadata / "RECORD").write_text("".join(f"{m},,\n" for m in modules))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    lean.makeconftest(STAND_IN)
    result = lean.runpytest_subprocess("--obligations")
    result.assert_outcomes(passed=1 + 5, failed=4 + 1, skipped=4)


def test_they_can_be_spread_over_processes(lean: pytest.Pytester) -> None:
    lean.makeconftest(STAND_IN)
    result = run(lean, "--obligations", "-n", "2", apart=True)
    result.assert_outcomes(passed=1 + 5, failed=4 + 1, skipped=4)
