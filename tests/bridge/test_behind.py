"""Lean's answers where none of the project's code runs, compared with its answers elsewhere."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bridge.errors import HijackedError
from bridge.lean.behind import refuse_other_statements
from bridge.lean.library import Library
from bridge.lean.requests import ConstantsRequest, TogetherRequest, TrustRequest
from bridge.lean.statement import Statements, parse_statements
from bridge.lean.trust import Trust
from tests.bridge.answers import answer, binder, statement

T = statement("Demo.t", binder("n", "Nat", prop=False), binder("hPos", "0 < n"))


def parsed(*messages: Any, **modules: str | None) -> Statements:
    return parse_statements(answer(*messages, **modules))


def look(told: Statements, asked: Statements) -> None:
    trust = Trust(1, {}, {}, (), {}, (), stated=asked.evidence())
    refuse_other_statements(cast(Library, SimpleNamespace(statements=told)), trust)


@pytest.mark.parametrize(
    "changed",
    [
        {"binders": [binder("n", "Nat", prop=False), binder("hPos", "0 < n", prop=False)]},
        {"binders": [binder("n", "Nat", prop=False)]},
        {"binders": [binder("n", "Nat", prop=False), binder("hPos", "0 < n", term="u")]},
        {"conclusion": {"type": "0 < twice n", "term": "other"}},
        {"axioms": []},
        {"theorem": False},
        {"module": "Demo.Other"},
        {"discharges": [{"binder": "hPos", "lemma": "Demo.l", "conditions": []}]},
    ],
)
def test_another_statement_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(HijackedError, match=r"something else about Demo\.t;"):
        look(parsed({**T, **changed}), parsed(T))


def test_a_theorem_more_or_less_is_refused() -> None:
    for told, asked in ((parsed(T), parsed()), (parsed(), parsed(T))):
        with pytest.raises(HijackedError, match=r"Demo\.t"):
            look(told, asked)


def test_the_text_for_people_may_differ() -> None:
    other = {"doc": "Else.", "conclusion": {"type": "big n", "term": "whole"}}
    binders = [binder("n", "ℕ", prop=False), binder("hPos", "n > 0")]
    look(parsed({**T, **other, "binders": binders}), parsed(T))


@pytest.mark.parametrize(
    "request_",
    [
        TrustRequest(("Demo",)),
        ConstantsRequest(("Demo",)),
        TogetherRequest((TrustRequest(("Demo",)), ConstantsRequest(("Demo",)))),
    ],
)
def test_the_basis_of_a_verdict_is_computed_without_the_projects_code(request_: Any) -> None:
    text = request_.document("nonce")
    imports = [line for line in text.splitlines() if line.startswith("import ")]
    assert imports == ["import Obligations"]
    assert text.index("#read_as_data") < text.index("#export_")
    assert "Demo" in text
