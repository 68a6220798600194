"""What a kernel accepted of a module counts again as long as the module's state is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.kernels.accepted_before import Accepted, AcceptedBefore, accepted_now
from bridge.kernels.exporting import Written
from bridge.kernels.interface import KernelAnswer
from tests.cli.test_second_kernel import ScriptedKernel
from tests.kernels.exports import COUNT
from tests.kernels.test_policy import CLAIMS, HONEST, NUMBERS, OWN, THEOREMS

STATES = {"A": "a", "B": "b", "Empty": "e"}
MODULES = {"sum": "A", "seven": "A", "tree": "B"}
WRITTEN = Written(COUNT, {n: NUMBERS[n] for n in THEOREMS}, {}, {}, OWN, MODULES)
KERNEL = ScriptedKernel(KernelAnswer(COUNT, {}, complete=True))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AcceptedBefore:
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / "cache"))
    return AcceptedBefore.of(KERNEL, tmp_path, "engine", "pinned")


def now(written: Written = WRITTEN, **refused: str) -> dict[str, Accepted]:
    """What is accepted while these constants are refused."""
    return accepted_now(HONEST, written, CLAIMS, STATES, [NUMBERS[name] for name in refused])


def test_each_module_has_its_theorems_and_what_they_rest_on() -> None:
    found = now()
    assert set(found["A"].claims) == {"sum", "seven"}
    assert set(found["B"].claims) == {"tree"}
    assert found["Empty"] == Accepted("e")
    assert "Tree.label" in found["B"].below - found["A"].below
    everything = {HONEST.names[n] for n in HONEST.constants}
    assert found["A"].below | found["B"].below == everything
    assert len(everything) == COUNT


def test_what_was_not_written_is_not_accepted_now() -> None:
    assert set(now(replace(WRITTEN, left_out=frozenset({"A"})))) == {"B", "Empty"}


def test_what_rests_on_a_refused_constant_is_not_accepted() -> None:
    assert set(now(seven="no")) == {"B", "Empty"}
    assert set(now(Tree="no")) == {"A", "Empty"}
    assert set(now(Nat="no")) == {"Empty"}
    assert set(accepted_now(HONEST, WRITTEN, CLAIMS, STATES, ["tree"])) == {"A", "Empty"}


def test_it_is_kept_while_the_states_are_the_same(place: AcceptedBefore) -> None:
    assert place.load(STATES) == {}
    place.store(now())
    assert place.load(STATES) == now()
    assert set(place.load({**STATES, "A": "changed", "C": "new"})) == {"B", "Empty"}
    assert place.load({}) == {}


@pytest.mark.parametrize(
    "other",
    [
        (replace(KERNEL, fingerprint="newer"), "engine", "pinned"),
        (replace(KERNEL, name="another"), "engine", "pinned"),
        (KERNEL, "another engine", "pinned"),
        (KERNEL, "engine", "others pinned"),
    ],
    ids=["kernel", "name", "engine", "pins"],
)
def test_another_kernel_or_library_has_accepted_nothing(
    place: AcceptedBefore, other: tuple[ScriptedKernel, str, str]
) -> None:
    place.store(now())
    kernel, lean, pinned = other
    assert AcceptedBefore.of(kernel, place.root, lean, pinned).load(STATES) == {}


def test_a_damaged_entry_is_none(place: AcceptedBefore, tmp_path: Path) -> None:
    place.store(now())
    (entry,) = (tmp_path / "cache" / "answers").glob("*.json")
    entry.write_text(entry.read_text().replace('"state":"a"', '"state":"b"'))
    assert place.load(STATES | {"A": "b"}) == {}


def test_only_the_statement_that_was_accepted_counts() -> None:
    accepted = now()["A"]
    sum_, seven, tree = CLAIMS
    assert accepted.has([sum_, seven])
    assert not accepted.has([sum_, tree])
    assert not accepted.has([replace(seven, type_hash=sum_.type_hash)])
    assert not accepted.has([replace(seven, axioms=frozenset({"propext"}))])
    assert not accepted.has([replace(seven, evidence="a definition that it unfolds to changed")])
