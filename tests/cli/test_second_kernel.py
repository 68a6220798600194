"""A whole audit with a wrong input to, or answer from, the second kernel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.kernels import asking, compared
from bridge.kernels.exporting import Written
from bridge.kernels.interface import KernelAnswer
from tests.bridge.answers import statement
from tests.cli.conftest import Harness
from tests.kernels.exports import COUNT, Change, axiom_of_nothing, lines, theorem_as_axiom, write
from tests.kernels.test_policy import CLAIMS, OWN, PINNED, THEOREMS

FEW = ("audit", "--instances", "20")


@dataclass(frozen=True)
class ScriptedKernel:
    """It gives a fixed answer to any input."""

    answer: KernelAnswer
    name: str = "Lean 4.35.0, scripted"
    version: str = "4.35.0"
    known_bugs: str = ""
    fingerprint: str = "scripted"

    def check(self, export: Path, *, roots: Any, timeout: float) -> KernelAnswer:
        return self.answer


class Pins:
    def of(self, version: str) -> dict[str, str]:
        return PINNED


@pytest.fixture
def audited(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The audit of three theorems, with a changed export and this answer of a kernel."""
    harness.says(*(statement(name, module="PostNorm.Layers") for name in THEOREMS))
    waivers = [f'[[waiver]]\nkey = "{n}:conclusion"\nreason = "no numbers"\n' for n in THEOREMS]
    (harness.root / "waivers.toml").write_text("".join(waivers))

    def run(change: Change, answer: KernelAnswer) -> Any:
        def exported(_project: Any, _engine: Any, _names: Any, path: Path, **_: Any) -> Written:
            write(path, change(lines()))
            roots = {c.theorem: c.number for c in CLAIMS}
            return Written(count=COUNT, roots=roots, refused={}, spelled={}, own=OWN)

        monkeypatch.setattr(asking, "find_native", lambda: ScriptedKernel(answer))
        monkeypatch.setattr(asking, "write_export", exported)
        monkeypatch.setattr(compared, "pinned_library", Pins)
        monkeypatch.setattr(asking, "claims_of", lambda *_: CLAIMS)
        return harness.run(*FEW)

    return run


def honest(content: list[Any]) -> list[Any]:
    return content


def all_taken(count: int = COUNT, *, complete: bool = True) -> KernelAnswer:
    return KernelAnswer(count, {}, complete)


def test_a_theorem_that_both_kernels_accept_is_proved(audited: Any) -> None:
    result = audited(honest, all_taken())
    assert result.exit_code == 0, result.output
    assert "3 of 3 theorems proved" in result.output
    assert f"accepted {COUNT} constants" in " ".join(result.output.split())


@pytest.mark.parametrize(
    "answer",
    [
        all_taken(COUNT - 1),
        all_taken(COUNT + 1),
        all_taken(0),
        all_taken(complete=False),
        KernelAnswer(COUNT, {"1": "no"}, complete=True),
    ],
    ids=["one-less", "one-more", "none", "broken-off", "one-twice"],
)
def test_a_wrong_number_of_constants_is_not_an_answer(audited: Any, answer: KernelAnswer) -> None:
    result = audited(honest, answer)
    assert result.exit_code == 3
    assert "proved" not in result.stdout
    assert f"Lean wrote {COUNT} constants" in " ".join(result.output.split())


def test_an_export_with_a_missing_constant_is_not_an_answer(audited: Any) -> None:
    assert audited(lambda content: content[:-1], all_taken()).exit_code == 3


def test_an_axiom_that_was_slipped_in_refuses_what_rests_on_it(audited: Any) -> None:
    result = audited(axiom_of_nothing, all_taken())
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "Tree.label: Lean 4.35.0, scripted: it is an axiom that Lean did not name" in said
    assert "2 of 3 theorems proved" in said


def test_a_theorem_that_became_an_axiom_is_refused(audited: Any) -> None:
    result = audited(theorem_as_axiom, all_taken())
    assert result.exit_code == 1
    assert "2 of 3 theorems proved" in result.output


def test_a_theorem_that_the_second_kernel_refuses_is_refused(audited: Any) -> None:
    raw = next(c.number for c in CLAIMS if c.theorem == "sum")
    number = json.dumps(raw)
    result = audited(honest, KernelAnswer(COUNT - 1, {_raw(number): "invalidProj"}, complete=True))
    assert result.exit_code == 1
    assert "invalidProj" in result.output


def _raw(number: str) -> str:
    from bridge.kernels.export import read_export
    from tests.kernels.exports import SMALL

    return read_export(SMALL).raw[int(number)]
