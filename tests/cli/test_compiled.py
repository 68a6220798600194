"""Sources with the same compiled form as before: Lean need not be asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bridge.engine import states_of
from tests.cli.conftest import Harness
from tests.cli.fake import FakeEngine
from tests.cli.test_trust_and_policy import report


@dataclass(frozen=True)
class Knowing(FakeEngine):
    """An engine that knows the compiled forms."""

    states: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def compiled_digests(self, project: Path) -> Mapping[str, str] | None:
        return dict(self.states) or None

    def files_asked(self, project: Path) -> Mapping[str, str] | None:
        return self.files

    def server_command(self, project: Path) -> list[str]:
        self.asked.append("once more")
        return super().server_command(project)


@pytest.fixture
def engine(harness: Harness) -> Knowing:
    harness.engine = made = Knowing(harness.answers, states={"PostNorm": "a", "Obligations": "o"})
    return made


def audit(harness: Harness, engine: Knowing) -> tuple[int, dict[str, Any]]:
    """How often Lean was asked, and the report."""
    engine.asked.clear()
    found = report(harness)
    return len(engine.asked), found


def change(harness: Harness) -> None:
    source = harness.root / "lean" / "PostNorm" / "Layers.lean"
    source.write_text(f"{source.read_text()}-- a comment\n")


def test_a_comment_costs_no_answer(harness: Harness, engine: Knowing) -> None:
    times, first = audit(harness, engine)
    assert times > 1
    change(harness)
    times, again = audit(harness, engine)
    assert times == 0
    assert again == first


def test_another_compiled_form_is_asked_about(harness: Harness, engine: Knowing) -> None:
    times, _ = audit(harness, engine)
    change(harness)
    engine.states["PostNorm"] = "b"
    assert audit(harness, engine)[0] == times


def test_other_options_of_the_lakefile_are_asked_about(harness: Harness, engine: Knowing) -> None:
    times, _ = audit(harness, engine)
    lakefile = harness.root / "lakefile.lean"
    lakefile.write_text(f"{lakefile.read_text()}\n-- options\n")
    assert audit(harness, engine)[0] == times


def test_a_file_that_was_read_while_compiling_counts(harness: Harness, engine: Knowing) -> None:
    engine.files.update(states_of(harness.root, ["data.txt"]))
    times, _ = audit(harness, engine)
    (harness.root / "data.txt").write_text("something")
    engine.files.update(states_of(harness.root, ["data.txt"]))
    assert audit(harness, engine)[0] == times


def test_without_the_cache_lean_is_asked(harness: Harness, engine: Knowing) -> None:
    times, _ = audit(harness, engine)
    engine.asked.clear()
    report(harness, "--no-cache")
    assert len(engine.asked) == times


def test_an_engine_that_does_not_know_asks_again(harness: Harness, engine: Knowing) -> None:
    engine.states.clear()
    times, _ = audit(harness, engine)
    change(harness)
    assert audit(harness, engine)[0] == times
