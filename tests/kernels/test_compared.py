"""What several kernels say of one export, after some of them accepted some of it before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import AnswerError
from bridge.kernels.accepted_before import AcceptedBefore
from bridge.kernels.compared import ComparedExport
from bridge.kernels.exporting import Written
from bridge.kernels.interface import KernelAnswer
from bridge.kernels.judging import Findings
from tests.cli.test_second_kernel import ScriptedKernel
from tests.kernels.exports import COUNT
from tests.kernels.test_accepted_before import MODULES, STATES, WRITTEN
from tests.kernels.test_policy import CLAIMS, HONEST, NUMBERS

IN = {"sum": "A", "seven": "A", "tree": "B"}
WHOLE = tuple(replace(c, module=IN[c.theorem]) for c in CLAIMS)
ALL = KernelAnswer(COUNT, {}, complete=True)
NOT_TREE = KernelAnswer(COUNT - 1, {HONEST.raw[NUMBERS["tree"]]: "no"}, complete=True)
# What Lean writes when it leaves out B.
BELOW_A = HONEST.below(NUMBERS["sum"], NUMBERS["seven"])
LESS_EXPORT = replace(HONEST, constants={n: c for n, c in HONEST.constants.items() if n in BELOW_A})
LESS_COUNT = len(LESS_EXPORT.constants)
WITHOUT_B = replace(
    WRITTEN,
    count=LESS_COUNT,
    roots={n: i for n, i in WRITTEN.roots.items() if n != "tree"},
    modules={n: m for n, m in MODULES.items() if m != "B"},
    left_out=frozenset({"B"}),
)
LESS = tuple(replace(c, number=None) if c.theorem == "tree" else c for c in WHOLE)

Says = Callable[..., Findings]


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """What a kernel with this name finds in an export."""
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / "cache"))

    def run(name: str, answer: KernelAnswer, written: Written = WRITTEN) -> Findings:
        kernel = ScriptedKernel(answer, name)
        place = AcceptedBefore.of(kernel, tmp_path, "engine", "pinned")
        whole = written is WRITTEN
        compared = ComparedExport(written, "0", WHOLE if whole else LESS, STATES)
        return compared.taken(kernel, HONEST if whole else LESS_EXPORT, answer, place)

    return run


def accepted(folder: Path, name: str) -> set[str]:
    kernel = ScriptedKernel(ALL, name)
    return set(AcceptedBefore.of(kernel, folder, "engine", "pinned").load(STATES))


def test_each_kernel_accepts_for_itself(says: Says, tmp_path: Path) -> None:
    assert says("one", ALL).refused == {}
    assert says("two", NOT_TREE).refused == {"tree": "tree"}
    assert accepted(tmp_path, "one") == {"A", "B", "Empty"}
    assert accepted(tmp_path, "two") == {"A", "Empty"}
    assert accepted(tmp_path, "installed later") == set()


def test_what_was_left_out_counts_with_what_it_rests_on(says: Says, tmp_path: Path) -> None:
    whole = says("one", ALL)
    again = says("one", replace(ALL, accepted=LESS_COUNT), WITHOUT_B)
    assert again == whole
    assert again.opinion.accepted == COUNT > LESS_COUNT
    assert accepted(tmp_path, "one") == {"A", "B", "Empty"}


def test_what_is_refused_now_does_not_count_later(says: Says, tmp_path: Path) -> None:
    says("one", ALL)
    assert says("one", NOT_TREE).refused == {"tree": "tree"}
    assert accepted(tmp_path, "one") == {"A", "Empty"}
    assert says("one", ALL).refused == {}
    assert accepted(tmp_path, "one") == {"A", "B", "Empty"}


def test_what_a_kernel_did_not_decide_is_not_kept(says: Says, tmp_path: Path) -> None:
    says("one", KernelAnswer(COUNT - 1, {}, complete=True, undecided=1))
    assert accepted(tmp_path, "one") == set()


def test_only_what_was_accepted_as_it_is_stated_is_known(says: Says, tmp_path: Path) -> None:
    says("one", ALL)
    kept = AcceptedBefore.of(ScriptedKernel(ALL, "one"), tmp_path, "engine", "pinned").load(STATES)
    known = ComparedExport(WITHOUT_B, "0", LESS, STATES).known
    assert known(kept, ["seven"])
    assert not known({m: one for m, one in kept.items() if m != "B"}, [])
    other = tuple(replace(c, type_hash="0") for c in LESS)
    assert not ComparedExport(WITHOUT_B, "0", other, STATES).known(kept, [])
    elsewhere = tuple(replace(c, module="A") for c in LESS)
    assert not ComparedExport(WITHOUT_B, "0", elsewhere, STATES).known(kept, [])


def test_a_name_that_looks_like_the_refused_one_shields_nothing(says: Says, tmp_path: Path) -> None:
    """Such as that of a bound variable, which comes later in the export."""
    twin = replace(HONEST, names=(*HONEST.names, "«tree»"), raw=(*HONEST.raw, "tree"))
    assert twin.raw[NUMBERS["tree"]] == "tree"
    kernel = ScriptedKernel(NOT_TREE, "one")
    place = AcceptedBefore.of(kernel, tmp_path, "engine", "pinned")
    found = ComparedExport(WRITTEN, "0", WHOLE, STATES).taken(kernel, twin, NOT_TREE, place)
    assert found.refused == {"tree": "tree"}
    assert accepted(tmp_path, "one") == {"A", "Empty"}


def test_a_refused_name_that_is_no_constant_is_not_an_answer(says: Says) -> None:
    with pytest.raises(AnswerError, match="refuses 'nothing', which is no constant"):
        says("one", KernelAnswer(COUNT - 1, {"nothing": "no"}, complete=True))


def test_a_lemma_that_was_neither_written_nor_accepted_is_not_known(
    says: Says, tmp_path: Path
) -> None:
    says("one", ALL)
    place = AcceptedBefore.of(ScriptedKernel(ALL, "one"), tmp_path, "engine", "pinned")
    kept = place.load(STATES)
    known = ComparedExport(WITHOUT_B, "0", LESS, STATES).known
    assert known(kept, ["tree", "sum"])  # they are theorems themselves
    assert not known(kept, ["sum_pos"])
    place.store({**kept, "B": replace(kept["B"], roots=frozenset({"sum_pos"}))})
    assert known(place.load(STATES), ["sum_pos"])
