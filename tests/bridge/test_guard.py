"""Lean's answer about who answers our commands: complete, or an error."""

from __future__ import annotations

import pytest

from bridge.errors import AnswerError, HijackedError
from bridge.lean.guard import parse_guard, refuse_hijackers

END = {"kind": "end", "count": 0}
INSTEAD = {"kind": "instead", "name": "Demo.f", "how": "macro", "module": "Demo"}


def test_nothing_answers_for_us() -> None:
    assert parse_guard([END]) == ()
    refuse_hijackers(())


def test_code_that_answers_for_us_is_named() -> None:
    found = parse_guard([INSTEAD, {"kind": "end", "count": 1}])
    assert found == ("Demo.f (macro) in Demo",)
    with pytest.raises(HijackedError, match=r"Demo\.f \(macro\) in Demo; nothing") as raised:
        refuse_hijackers(found)
    assert raised.value.exit_code == 1
    with pytest.raises(HijackedError, match="and 2 more"):
        refuse_hijackers(found * 7)


@pytest.mark.parametrize("broken", [[], [INSTEAD], [END, END], [INSTEAD, END], [{"kind": "x"}]])
def test_anything_less_is_an_error(broken: list[object]) -> None:
    with pytest.raises(AnswerError):
        parse_guard(broken)
