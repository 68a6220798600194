"""Exported graphs: complete, or an error."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import AnswerError
from bridge.lean.graphs import ExportedGraphs, Family, parse_graphs
from bridge.lean.requests import GraphRequest

FAMILY = {
    "kind": "family",
    "name": "Demo.g",
    "sizes": [["seqLen", 4]],
    "constants": [["eps", 1e-05]],
}
REQUESTS = [GraphRequest("g"), GraphRequest("h")]
GOOD: list[dict[str, Any]] = [
    FAMILY,
    {"kind": "graph", "index": 0, "graph": {"name": "g"}},
    {"kind": "graph", "index": 1, "error": "no exported graph is called h"},
    {"kind": "end", "count": 3, "lean": "4.28.0"},
]


def test_a_whole_answer() -> None:
    found = parse_graphs(GOOD, REQUESTS)
    assert found.families[0].sizes == (("seqLen", 4),)
    assert found.families[0].constants == (("eps", 1e-05),)
    assert found.members == {REQUESTS[0]: {"name": "g"}}
    assert found.refused == {REQUESTS[1]: "no exported graph is called h"}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (GOOD[:-1], "no end"),
        ([], "no end"),
        ([GOOD[0], GOOD[1], GOOD[3]], "announces 3 messages"),
        ([*GOOD, FAMILY], "goes on after its end"),
        ([*GOOD[:3], GOOD[3], GOOD[3]], "goes on after its end"),
        ([GOOD[1], GOOD[1], {"kind": "end", "count": 2}], "twice"),
        (
            [{"kind": "graph", "index": 5, "graph": {}}, {"kind": "end", "count": 1}],
            "request 5 of 2",
        ),
        ([{"kind": "graph", "index": -1, "graph": {}}], "at least 0 but got index = -1"),
        ([{"kind": "graph", "index": 0}], "expected a graph, or the reason"),
        ([{**FAMILY, "sizes": [["seqLen"]]}], r"length 2, got 1, in sizes\[0\] = \['seqLen'\]"),
        ([{**FAMILY, "sizes": {"seqLen": 4}}], "expected an array but got sizes = {'seqLen': 4}"),
        ([{**FAMILY, "follows": False}], "`follows` comes with `parts`"),
        ([{**FAMILY, "follows": True, "parts": [1]}], r"expected text but got parts\[0\] = 1"),
        ([GOOD[0], GOOD[1], {"kind": "end", "count": 2}], "lacks the graph h"),
        (["text"], "expected an object"),
        ([{"kind": "surprise"}], "expected 'family' or 'graph' or 'end' but got kind = 'surprise'"),
    ],
)
def test_anything_less_is_an_error(broken: list[Any], message: str) -> None:
    with pytest.raises(AnswerError, match=message):
        parse_graphs(broken, REQUESTS)


def test_what_a_graph_follows_from() -> None:
    family = {**FAMILY, "follows": False, "parts": ["Demo.g", "Demo.h"]}
    (found,) = parse_graphs([family, *GOOD[1:]], REQUESTS).families
    assert (found.follows, found.parts) == (False, {"Demo.g", "Demo.h"})
    assert parse_graphs(GOOD, REQUESTS).families[0].parts is None


def test_the_usual_member_does_not_depend_on_other_requests() -> None:
    family = Family("Demo.g", (("seqLen", 3), ("width", 5)), ())
    usual = GraphRequest("g", (("seqLen", 4), ("width", 5)))  # 4 is the checks' usual seqLen
    other = GraphRequest("g", (("seqLen", 9), ("width", 5)))
    members = {other: {"of": "other"}, usual: {"of": "usual"}, GraphRequest("h"): {"of": "h"}}
    for order in (members, dict(reversed(members.items()))):
        assert ExportedGraphs((family,), order, {}).usual(family) == {"of": "usual"}
    assert ExportedGraphs((family,), {other: {"of": "other"}}, {}).usual(family) == {"of": "other"}
    assert ExportedGraphs((family,), {}, {}).usual(family) is None
