"""Proofs that no kernel would accept, through the real engine: each is refused by name."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bridge.cli.main import group
from tests.lean.conftest import Once
from tests.lean.refusals import CASES, KERNEL_OFF, PROOFS_OF_FALSE, Case, sharing, write

MARKED = [pytest.param(c, marks=[pytest.mark.slow] * (c.shares == KERNEL_OFF)) for c in CASES]


def audit(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(group, ["audit", *arguments, "--project", str(root)])


Audited = Callable[[str], tuple[Path, Mapping[str, Any]]]


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Audited:
    """A shared project, audited as a whole, and the status of its conclusions in Lean."""

    @functools.cache
    def project(name: str) -> tuple[Path, Mapping[str, Any]]:
        root = tmp_path_factory.mktemp("project") / "project"
        root.mkdir()
        write(root, sharing(name))
        with once(f"refusals-{name}"):
            result = audit(root, "--format", "json")
        assert result.exit_code == 1, result.output
        found = json.loads(result.stdout)["obligations"]
        return root, {o["declaration"]: o["lean"] for o in found if o["role"] == "conclusion"}

    return project


@pytest.mark.lean
@pytest.mark.parametrize("case", MARKED, ids=lambda c: c.name)
def test_a_theorem_that_no_kernel_accepts_is_not_proved(case: Case, audited: Audited) -> None:
    root, conclusions = audited(case.shares)
    assert set(conclusions) == {f"{c.space}.t" for c in sharing(case.shares)}
    assert conclusions[f"{case.space}.t"]["status"] == case.status
    result = audit(root, "--only", f"{case.space}.t")
    assert result.exit_code == case.code, result.output
    printed = " ".join(result.output.split())
    assert " ".join(case.moved(case.said).split()) in printed
    assert (f"Use.{case.space}.t rests on it" in printed) == (case.status == "refused")
    assert ("1 of 1 theorems proved" in result.output) == (case.code == 0)
    if case in PROOFS_OF_FALSE:
        assert "refused" in result.output
