"""A project written for a Lean other than the one that runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.lean.toolchain import TOOLCHAIN_NAME, toolchain_doubt
from tests.cli.fake import FakeEngine

ENGINE = FakeEngine(Path())


@pytest.mark.parametrize(
    ("named", "runs"),
    [
        ("leanprover/lean4:v4.28.0", "4.28.0"),
        ("leanprover/lean4:v4.28.0\n", "4.28.0-pre"),
        ("leanprover/lean4:v4.28.0\r\n\n", "4.28.0"),
        ("v4.28.0", "4.28.0"),
        ("4.28.0", "4.28.0"),
        ("leanprover/lean4:v4.29.0-rc2", "4.29.0-rc2"),
        ("leanprover/lean4:nightly-2026-01-31", "4.29.0-nightly-2026-01-31"),
        ("leanprover/lean4-nightly:nightly-2026-01-31", "4.29.0-nightly-2026-01-31"),
    ],
)
def test_the_same_lean(named: str, runs: str, tmp_path: Path) -> None:
    (tmp_path / TOOLCHAIN_NAME).write_text(named)
    assert toolchain_doubt(tmp_path, replace(ENGINE, lean_version=runs)) == ""


@pytest.mark.parametrize(
    ("named", "runs", "said"),
    [
        ("leanprover/lean4:v4.27.0", "4.28.0-pre", "whether Lean 4.27.0, which lean-toolchain"),
        ("leanprover/lean4:v4.28.1", "4.28.0", "whether Lean 4.28.1"),
        ("leanprover/lean4:v4.28.0-rc1", "4.28.0-pre", "whether Lean 4.28.0-rc1"),
        ("leanprover/lean4:nightly-2026-01-31", "4.28.0", "whether Lean nightly-2026-01-31"),
        ("leanprover/lean4:stable", "4.28.0", "names no release"),
        ("someone/lean4:v4.28.0", "4.28.0", "whether the Lean of someone/lean4"),
        ("", "4.28.0", "names no release"),
        (
            "leanprover/lean4:v4.28.0\nleanprover/lean4:v4.27.0\n",
            "4.28.0",
            "has 2 lines, 'leanprover/lean4:v4.28.0' and 'leanprover/lean4:v4.27.0'; leave one",
        ),
        ("# ours\r\nv4.28.0\r\n", "4.28.0", "has 2 lines, '# ours' and 'v4.28.0'"),
        (None, "4.28.0", "has no lean-toolchain"),
    ],
)
def test_another_lean_is_reported(named: str | None, runs: str, said: str, tmp_path: Path) -> None:
    if named is not None:
        (tmp_path / TOOLCHAIN_NAME).write_text(named)
    doubt = toolchain_doubt(tmp_path, replace(ENGINE, lean_version=runs))
    assert said in doubt
    assert f"Lean {runs} was run" in doubt


def test_a_file_that_is_not_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / TOOLCHAIN_NAME).write_bytes(b"\xff\xfe")
    assert "cannot be read" in toolchain_doubt(tmp_path, ENGINE)


def test_a_file_above_the_project_counts_as_it_does_for_elan(tmp_path: Path) -> None:
    (tmp_path / TOOLCHAIN_NAME).write_text("leanprover/lean4:v4.28.0")
    (tmp_path / "project").mkdir()
    assert toolchain_doubt(tmp_path / "project", ENGINE) == ""
    (tmp_path / "project" / TOOLCHAIN_NAME).write_text("leanprover/lean4:v4.27.0")
    assert "4.27.0" in toolchain_doubt(tmp_path / "project", ENGINE)
