"""Lean inspects only the modules that have changed; the others keep their results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bridge.engine import Engine
from bridge.lean.clean_modules import STATED, CleanModules
from bridge.lean.client import Answer
from bridge.lean.project import Project
from bridge.lean.requests import TrustRequest
from bridge.lean.trust import parse_trust
from tests.bridge.answers import answer, binder, statement

WHOLE = TrustRequest(("Demo",))
COUNTS = {"Demo": (0, 0), "Demo.A": (3, 0), "Demo.B": (2, 1)}
RESTS = {"Demo": ("Demo.B", "Obligations"), "Demo.A": (), "Demo.B": ("Demo.A",)}


class Lean:
    """A Lean that finds nothing wrong in its modules, except in those that are odd.

    One theorem is in A and one in B; lemmas of B prove a hypothesis of each.
    """

    kind, fingerprint = "embedded", "fake"

    def __init__(self) -> None:
        self.digests: dict[str, str] | None = {"Obligations": "o", "Obligations.X": "x"}
        self.digests |= {"Demo": "d", "Demo.A": "a", "Demo.B": "b"}
        self.odd: dict[str, str] = {}
        self.guiding = ["Demo.A"]
        self.at_odds: dict[str, str] = {}
        self.lemmas = [{"binder": "hPos", "lemma": "l", "conditions": []}]
        self.asked: list[tuple[str, ...]] = []

    def compiled_digests(self, _: Path) -> Mapping[str, str] | None:
        return None if self.digests is None else dict(self.digests)

    def __call__(self, request: TrustRequest) -> Answer:
        self.asked.append(request.already_clean)
        there = COUNTS.keys() & (self.digests or COUNTS)
        looked = {m: c for m, c in COUNTS.items() if m in there - {*request.already_clean}}
        said: list[Any] = [
            {"kind": "refusal", "name": self.odd[m], "why": "no"} for m in looked if m in self.odd
        ]
        theorems = {m: [f"{m}.t"] if m != "Demo" else [] for m in there}
        constants, free = (sum(c[i] for c in looked.values()) for i in (0, 1))
        end = {"kind": "end", "count": len(said), "not_checked": free, "all": constants + free}
        modules = [
            {
                "module": m,
                "clean": m not in self.odd,
                "accepted": c[0],
                "not_checked": c[1],
                "theorems": theorems[m],
                "rests": [*RESTS[m], *([self.at_odds[m]] if m in self.at_odds else ())],
            }
            for m, c in looked.items()
        ]
        end |= {"constants": constants - len(said), "modules": modules, "guiding": self.guiding}
        left_out = set(request.already_clean)
        new = {m: {self.at_odds[m]} - left_out for m in self.at_odds.keys() & left_out}
        end["at_odds"] = {m: list(others) for m, others in new.items() if others}
        stated = [
            statement(n, binder("hPos", "0 < n"), module=m, discharges=self.lemmas)
            for m in sorted(looked)
            for n in theorems[m]
        ]
        left = [n for m in request.already_clean for n in theorems[m]]
        *messages, last = answer(*stated)
        last |= {"discharges": dict.fromkeys(left, self.lemmas)}
        return {"statements": (*messages, last), "trust": (*said, end)}


@pytest.fixture
def lean() -> Lean:
    return Lean()


@pytest.fixture
def modules(lean: Lean, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CleanModules:
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / "cache"))
    project = cast(Project, SimpleNamespace(root=tmp_path))
    return CleanModules(project, cast(Engine, lean))


def look(modules: CleanModules, lean: Lean, *, use_cache: bool = True) -> Answer:
    return modules.completed(WHOLE, lean, use_cache=use_cache)


def test_clean_modules_are_left_out_and_counted(modules: CleanModules, lean: Lean) -> None:
    first = look(modules, lean)
    again = look(modules, lean)
    assert lean.asked == [(), ("Demo", "Demo.A", "Demo.B")]
    assert parse_trust(again["trust"]) == parse_trust(first["trust"])
    assert parse_trust(first["trust"]).constants == 5
    assert again[STATED] == first[STATED]
    assert set(cast(dict[str, str], first[STATED][0])) == {"Demo.A.t", "Demo.B.t"}
    look(modules, lean)  # modules that were left out once are still known
    assert lean.asked[2] == lean.asked[1]


def test_the_document_names_what_is_left_out() -> None:
    whole, part = WHOLE.document("n"), TrustRequest(("Demo",), ('A"', "B")).document("n")
    assert '#export_trust "n.trust" "[]"' in whole
    assert r'#export_trust "n.trust" "[\"A\\\"\", \"B\"]"' in part


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({"Demo.B": "other"}, {"Demo.A"}),
        ({"Demo": "other"}, {"Demo.A", "Demo.B"}),
        ({"Demo.A": "other"}, set()),
        ({"Obligations.X": "other"}, set()),
        ({"Obligations.Y": "new"}, set()),
        ({"Demo.C": "new"}, {"Demo", "Demo.A", "Demo.B"}),
    ],
    ids=["B", "Demo", "A", "ours", "ours-new", "new"],
)
def test_changed_modules_are_inspected_with_all_their_dependents(
    modules: CleanModules, lean: Lean, changed: dict[str, str], left: set[str]
) -> None:
    look(modules, lean)
    for digests in (changed, {}):  # the value it was compared with is kept as well
        assert lean.digests is not None
        lean.digests |= digests
        found = look(modules, lean)
        assert parse_trust(found["trust"]).constants == 5
    assert set(lean.asked[1]) == left
    assert set(lean.asked[2]) == {"Demo", "Demo.A", "Demo.B"}


def test_everything_is_inspected_if_another_module_guides_a_search(
    modules: CleanModules, lean: Lean
) -> None:
    """For example, a new instance may change the findings of any theorem."""
    first = look(modules, lean)
    lean.guiding = ["Demo.B", "Demo.A"]
    again = look(modules, lean)
    assert [set(asked) for asked in lean.asked] == [set(), {"Demo", "Demo.A", "Demo.B"}, set()]
    assert again[STATED] == first[STATED]
    assert parse_trust(again["trust"]) == parse_trust(first["trust"])
    look(modules, lean)
    assert set(lean.asked[3]) == {"Demo", "Demo.A", "Demo.B"}
    assert len(lean.asked) == 4
    assert lean.digests is not None
    lean.digests["Demo.B"] = "other"
    look(modules, lean)
    assert lean.asked[4] == ()


def test_a_module_is_inspected_if_another_one_declares_a_constant_of_it_differently(
    modules: CleanModules, lean: Lean
) -> None:
    """With all that rest on it: which copy Lean has may have changed."""
    first = look(modules, lean)
    lean.at_odds = {"Demo.A": "Demo"}
    assert lean.digests is not None
    lean.digests["Demo"] = "other"
    again = look(modules, lean)
    assert [set(asked) for asked in lean.asked] == [set(), {"Demo.A", "Demo.B"}, set()]
    assert parse_trust(again["trust"]) == parse_trust(first["trust"])
    look(modules, lean)
    assert set(lean.asked[3]) == {"Demo", "Demo.A", "Demo.B"}
    assert len(lean.asked) == 4
    lean.digests["Demo"] = "a third"
    look(modules, lean)
    assert set(lean.asked[4]) == set()
    assert len(lean.asked) == 5


@pytest.mark.parametrize("other", ["Demo", "Obligations.X"])
def test_a_known_other_copy_in_a_module_that_is_inspected_each_time_is_no_news(
    modules: CleanModules, lean: Lean, other: str
) -> None:
    lean.at_odds = {"Demo.A": other}
    lean.odd = {"Demo": "Demo.bad"}
    look(modules, lean)
    look(modules, lean)
    look(modules, lean)
    assert [set(asked) for asked in lean.asked] == [set(), *[{"Demo.A", "Demo.B"}] * 2]


def test_a_new_or_removed_lemma_is_noticed(modules: CleanModules, lean: Lean) -> None:
    """The theorem's own module has not changed."""
    first = look(modules, lean)
    lean.lemmas = []
    again = look(modules, lean)
    assert lean.asked[1]
    assert again[STATED] != first[STATED]
    assert again[STATED] == look(modules, lean, use_cache=False)[STATED]


def test_a_removed_module_does_not_count(modules: CleanModules, lean: Lean) -> None:
    look(modules, lean)
    assert lean.digests is not None
    del lean.digests["Demo.B"]
    found = look(modules, lean)
    assert set(lean.asked[1]) == {"Demo.A"}
    assert parse_trust(found["trust"]).constants == 3


def test_a_module_with_a_problem_is_inspected_each_time(modules: CleanModules, lean: Lean) -> None:
    lean.odd = {"Demo.B": "Demo.bad"}
    first, again = look(modules, lean), look(modules, lean)
    assert set(lean.asked[1]) == {"Demo", "Demo.A"}
    for found in (first, again):
        assert parse_trust(found["trust"]).refusals == {"Demo.bad": "no"}
        assert parse_trust(found["trust"]).constants == 4


def test_another_engine_inspects_again(modules: CleanModules, lean: Lean) -> None:
    look(modules, lean)
    lean.fingerprint = "another"
    look(modules, lean)
    assert lean.asked == [(), ()]


def test_without_the_cache_everything_is_inspected(modules: CleanModules, lean: Lean) -> None:
    look(modules, lean)
    look(modules, lean, use_cache=False)
    assert lean.asked == [(), ()]


@pytest.mark.parametrize("digests", [None, {"Demo": "d"}], ids=["unknown", "without our library"])
def test_nothing_is_kept_where_the_engine_does_not_know(
    modules: CleanModules, lean: Lean, digests: dict[str, str] | None
) -> None:
    lean.digests = digests
    look(modules, lean)
    look(modules, lean)
    assert lean.asked == [(), ()]


def test_a_module_that_changes_during_the_inspection_is_not_kept(
    modules: CleanModules, lean: Lean
) -> None:
    def changing(request: TrustRequest) -> Answer:
        assert lean.digests is not None
        lean.digests = {**lean.digests, "Demo.B": "other"}
        return lean(request)

    modules.completed(WHOLE, changing, use_cache=True)
    look(modules, lean)
    assert lean.asked == [(), ()]


def test_a_damaged_entry_is_ignored(modules: CleanModules, lean: Lean, tmp_path: Path) -> None:
    look(modules, lean)
    (entry,) = (tmp_path / "cache" / "answers").glob("*.json")
    text = entry.read_text()
    assert '"accepted":3' in text
    entry.write_text(text.replace('"accepted":3', '"accepted":9'))
    look(modules, lean)
    assert lean.asked == [(), ()]
