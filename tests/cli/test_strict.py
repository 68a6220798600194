"""``--strict``: an audit that cannot inspect something is incomplete, in every report."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Harness
from tests.cli.fake import trust_answers
from tests.cli.test_trust_and_policy import EVAL, FEW, report

LEMMA = {"kind": "untagged", "name": "PostNorm.lemma", "module": "PostNorm.Calculus.Add"}


@pytest.fixture
def official(harness: Harness) -> Harness:
    """A project with nothing that cannot be inspected."""
    harness.behaves(kind="lake", official=True, lean_version="4.35.0")
    (harness.root / "lean-toolchain").write_text("leanprover/lean4:v4.35.0\n")
    harness.says(EVAL)
    assert harness.run("lock").exit_code == 0
    return harness


def test_nothing_unseen_is_complete(official: Harness) -> None:
    found = report(official, "--strict")
    assert found["unseen"] == []
    assert found["exit_code"] == 0


def test_the_embedded_engine_is_not_enough(official: Harness) -> None:
    official.behaves(kind="embedded", official=False)
    found = report(official, "--strict")
    assert found["unseen"] == ["whether an official Lean says the same (Lean 4.28.0 (a fake))"]
    assert found["exit_code"] == 4
    assert report(official)["exit_code"] == 0


def test_a_kernel_with_known_bugs_is_not_enough(official: Harness) -> None:
    official.behaves(lean_version="4.28.0")
    (official.root / "lean-toolchain").write_text("leanprover/lean4:v4.28.0\n")
    (said,) = report(official, "--strict")["unseen"]
    assert said.startswith("whether a kernel without known bugs accepts it")
    assert "#14613" in said
    assert report(official, "--strict")["exit_code"] == 4
    shown = " ".join(official.run("audit", *FEW).output.split())
    assert "proved, by a kernel" in shown
    assert "No kernel without known bugs took part" in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--no-trust",), "the kernel"),
        (("--only", "layerNorm_eval"), "the rest of the library"),
    ],
)
def test_part_of_an_audit_is_not_enough(
    official: Harness, options: tuple[str, ...], said: str
) -> None:
    found = report(official, "--strict", *options)
    assert len(found["unseen"]) == 1
    assert said in found["unseen"][0]
    assert found["exit_code"] == 4


def test_without_a_lock_changes_go_unseen(official: Harness) -> None:
    (official.root / "statements.lock.json").unlink()
    assert "no statements.lock.json" in report(official, "--strict")["unseen"][0]


def test_code_that_runs_at_import_is_waived_or_unknown(
    official: Harness,
) -> None:
    code = {"kind": "outside", "name": "PostNorm.hook", "how": "initialize", "module": "PostNorm.A"}
    official.says(EVAL, trust=trust_answers(code))
    assert report(official)["exit_code"] == 0
    said = "Runs at import: PostNorm.hook in PostNorm.A (initialize)."
    assert said in " ".join(official.run("audit", *FEW).stdout.split())
    found = report(official, "--strict")
    assert found["exit_code"] == 4
    assert "PostNorm.hook in PostNorm.A (initialize)" in found["unseen"][0]
    (official.root / "waivers.toml").write_text(
        '[[waiver]]\nkey = "trust:PostNorm.A"\nreason = "it registers an option"\n'
    )
    assert report(official, "--strict")["exit_code"] == 0


def test_untagged_theorems_are_tagged_or_named(official: Harness) -> None:
    official.says(EVAL, trust=trust_answers(LEMMA))
    assert report(official)["exit_code"] == 0
    assert "1 untagged theorems" in report(official, "--strict")["unseen"][0]
    settings = official.root / "obligations.toml"
    for name in ("PostNorm.lemma", "PostNorm.Calculus.*", "PostNorm.l*"):
        settings.write_text(f'untagged = ["{name}"]\n')
        assert report(official, "--strict")["exit_code"] == 0
        assert official.run("list", "--untagged").stdout == ""
    settings.write_text('untagged = ["PostNorm.gone"]\n')
    result = official.run("audit", *FEW)
    assert result.exit_code == 2
    assert "'PostNorm.gone'" in result.stderr


def test_the_setting_is_used_and_the_command_line_wins(harness: Harness) -> None:
    (harness.root / "obligations.toml").write_text("strict = true\n")
    assert report(harness)["exit_code"] == 4
    assert report(harness, "--no-strict")["exit_code"] == 0
    (harness.root / "obligations.toml").write_text('strict = "yes"\n')
    assert "expected true or false" in harness.run("audit").stderr


def test_every_report_shows_it(official: Harness, tmp_path: Path) -> None:
    official.behaves(kind="embedded", official=False)
    formats = ("table", "markdown", "html", "junit", "sarif", "github", "json")
    options = [part for name in formats for part in ("--format", name)]
    out = tmp_path / "reports"
    result = official.run("audit", *FEW, "--strict", *options, "--output", str(out))
    assert result.exit_code == 4
    written = sorted(out.iterdir())
    assert len(written) == len(formats)
    for path in written:
        assert "whether an official Lean says" in " ".join(path.read_text().split()), path.name
