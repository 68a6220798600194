"""A user's graph instead of the library's."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.auditing.graph_file import replaced
from bridge.checking import GraphRequest
from bridge.errors import InvalidInputError
from numeric.graph import Graph, graph_to_json, parse_graph
from tests.numeric.block_graphs import size_names, written
from tests.numeric.graphs import layer_norm

BLOCK = "encoderBlockGraph"


def block() -> Graph:
    return written(BLOCK, dict(zip(size_names(BLOCK), (4, 8, 2, 4, 16), strict=True)))


def without_symbol(graph: Graph, symbol: str) -> Graph:
    """The same graph, in which one constant is a number like any other."""
    value: Any = graph_to_json(graph)
    for node in value["nodes"]:
        if node["params"].get("symbol") == symbol:
            del node["params"]["symbol"]
    found = parse_graph(value)
    assert symbol in graph.symbols
    assert symbol not in found.symbols
    return found


LIBRARY = {
    GraphRequest(BLOCK, ()): block(),
    GraphRequest("layerNormGraph", ()): layer_norm(4, 8),
}


@pytest.mark.parametrize("symbol", ["scale", "geluA", "geluK"])
def test_a_constant_that_no_instance_chooses_needs_no_symbol(symbol: str) -> None:
    given = without_symbol(block(), symbol)
    found = replaced(LIBRARY, given)
    assert found[GraphRequest(BLOCK, ())] is given
    assert found[GraphRequest("layerNormGraph", ())] is LIBRARY[GraphRequest("layerNormGraph", ())]


def test_an_eps_that_no_instance_can_choose_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no constant called 'eps2'") as refused:
        replaced(LIBRARY, without_symbol(block(), "eps2"))
    assert '"symbol": "eps2"' in refused.value.remedy


def test_a_graph_with_another_name_is_refused_with_the_right_one() -> None:
    value = {**graph_to_json(block()), "name": "mine"}
    with pytest.raises(
        InvalidInputError, match="no check runs on a graph called 'mine'"
    ) as refused:
        replaced(LIBRARY, parse_graph(value))
    assert '"name"' in refused.value.remedy
    assert BLOCK in refused.value.remedy


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"numHeads": 3}, "the input Wq has the shape [8, 8], and the sizes say dModel=8 and numH"),
        ({"seqLen": 9}, "the input x has the shape [4, 8], and the sizes say seqLen=9 and dModel"),
        ({"dFF": 1}, "the input W1 has the shape [8, 16], and the sizes say dModel=8 and dFF=1"),
        ({"numHeads": 0}, "expected a size numHeads of at least 1 but got 0"),
        ({"numHeads": None}, "expected a size numHeads of at least 1 but got none"),
    ],
)
def test_sizes_that_are_not_the_graph_s_are_refused(
    sizes: dict[str, int | None], said: str
) -> None:
    value: Any = graph_to_json(block())
    found = {**value["sizes"], **sizes}
    value["sizes"] = {n: k for n, k in found.items() if k is not None}
    with pytest.raises(InvalidInputError) as refused:
        replaced(LIBRARY, parse_graph(value))
    assert said in refused.value.message
    assert refused.value.remedy == "correct the sizes in the file"
