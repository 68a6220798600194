"""Lean's messages are distinguished from what the sources print."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.engine.interface import LeanMessage
from bridge.engine.printed import printed_message

LINE: dict[str, Any] = {
    "severity": "warning",
    "pos": {"line": 3, "column": 4},
    "endPos": None,
    "data": "unused α",
    "fileName": "Other.lean",
}


def test_a_message_of_lean() -> None:
    found = printed_message(json.dumps(LINE), "A.lean")
    assert found == LeanMessage("A.lean", 3, 4, "warning", "unused α")


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "3",
        "{}",
        json.dumps({**LINE, "severity": "fatal"}),
        json.dumps({**LINE, "pos": [3, 4]}),
        json.dumps({**LINE, "data": None}),
        "[" * 100_000,
        '"\ud800"',
    ],
)
def test_output_of_a_source_is_not_a_message(line: str) -> None:
    assert printed_message(line, "A.lean") is None
