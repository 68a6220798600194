"""A dry run says what an audit would do, starts no Lean, and never passes for an audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.auditing import configured as setup
from bridge.engine import EngineNotInstalledError
from tests.bridge.answers import binder, statement
from tests.cli.conftest import Harness
from tests.cli.fake import layer_norm_statements


def said(harness: Harness, *arguments: str) -> str:
    result = harness.run("audit", "--dry-run", *arguments)
    assert result.exit_code == 4, result.output
    assert "Nothing was judged.  exit code 4" in result.stdout
    return " ".join(result.stdout.split())


def test_before_lean_was_asked_nothing_is_known(harness: Harness) -> None:
    harness.behaves(mode="dies-at-start")
    text = said(harness)
    assert "would compile what changed among 2 sources, and be asked" in text
    assert "would be given every constant once more" in text
    assert "are known once Lean has answered" in text


def test_after_an_audit_everything_is_kept(harness: Harness) -> None:
    assert harness.run("audit", "--instances", "20").exit_code == 0
    harness.behaves(mode="dies-at-start")
    text = said(harness, "--instances", "20")
    assert "has answered for these 2 sources" in text
    assert "has seen every constant" in text
    assert "8 obligations: 0 would be measured, 8 are kept from an earlier audit." in text
    assert "kept from" not in said(harness, "--instances", "20", "--no-cache")


def test_the_inputs_of_results_decide_what_would_be_measured(harness: Harness) -> None:
    assert harness.run("audit", "--instances", "20").exit_code == 0
    harness.behaves(mode="dies-at-start")
    text = said(harness, "--instances", "30")
    assert "8 would be measured on 30 instances each, 0 are kept" in text
    one = said(harness, "--instances", "20", "--only", "layerNorm_eval", "--seed", "1")
    assert "1 obligation: 1 would be measured" in one
    assert "layerNormGraph" in one
    assert "on a box of radius 0.25 around each instance" in said(harness, "--certify=0.25")


def test_verdicts_without_measuring_are_reported(harness: Harness) -> None:
    new = statement("PostNorm.new", binder("hNew", "0 < n"))
    harness.says(*layer_norm_statements(), new)
    waiver = '[[waiver]]\nkey = "new:hNew"\nreason = "in the paper"\n'
    (harness.root / "waivers.toml").write_text(waiver)
    assert harness.run("list").exit_code == 0
    harness.behaves(mode="dies-at-start")
    text = said(harness)
    assert "hNew waived in the paper" in text
    assert "1 unpaired, 1 waived" in text
    assert "kernel would be given every constant once more" in text


def test_a_missing_engine_is_not_installed(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def select(*_: Any, install: bool, **__: Any) -> None:
        assert not install
        raise EngineNotInstalledError("the embedded Lean engine is not installed in /nowhere")

    monkeypatch.setattr(setup, "select", select)
    text = said(harness)
    assert "is not installed in /nowhere" in text
    assert "An audit would install it" in text


def test_a_dry_run_writes_no_report(harness: Harness, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    result = harness.run("audit", "--dry-run", "--output", str(folder))
    assert result.exit_code == 2
    assert "→ leave --format and --output out" in result.stderr
    assert not folder.exists()


def test_a_mistyped_key_is_refused_by_a_dry_run_too(harness: Harness) -> None:
    assert harness.run("list").exit_code == 0
    result = harness.run("audit", "--dry-run", "--only", "layerNorm_evl")
    assert result.exit_code == 2
    assert "did you mean layerNorm_eval" in result.stderr
