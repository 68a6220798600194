"""Exported graphs: well-formed ones are read back unchanged, others are refused by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numeric.graph import GraphError, graph_to_json, parse_graph, parse_graph_text
from tests.numeric.graphs import layer_norm, layer_norm_json

Change = Callable[[dict[str, Any]], None]


def node(g: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(n for n in g["nodes"] if n["name"] == name)
    return found


def test_a_graph_is_read() -> None:
    graph = layer_norm(4, 8)
    assert [n.name for n in graph.nodes][:3] == ["mean", "meanBroadcast", "centered"]
    assert graph.input_shapes == {"x": (4, 8), "gamma": (8,), "beta": (8,)}
    assert graph.symbols == {"eps": 1e-5}
    assert graph.shape_of(graph.outputs[0]) == (4, 8)
    assert graph.node("varEps").params.c is not None


def test_reading_back_gives_the_same_graph() -> None:
    graph = layer_norm()
    assert parse_graph_text(json.dumps(graph_to_json(graph))) == graph


def set_(path: str, value: object) -> Change:
    *steps, last = path.split(".")

    def change(g: dict[str, Any]) -> None:
        target: Any = node(g, steps[0]) if steps and steps[0] not in g else g
        for step in steps if target is g else steps[1:]:
            target = target[step]
        target[last] = value

    return change


def drop(path: str) -> Change:
    *steps, last = path.split(".")

    def change(g: dict[str, Any]) -> None:
        target: Any = node(g, steps[0]) if steps else g
        del target[last]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_("schema", "obligations-graph/2"), "expected schema='obligations-graph/1' but got"),
        (set_("extra", 1), "expected only the keys .* but got \\['extra'\\]"),
        (drop("outputs"), "are missing"),
        (set_("name", ""), "non-empty text"),
        (set_("sizes", []), "expected sizes to be an object"),
        (set_("sizes", {"seqLen": "4"}), "expected sizes.seqLen to be an integer"),
        (set_("inputs", []), "at least one input|among the 0 values"),
        (set_("inputs", {}), "expected inputs to be an array"),
        (set_("outputs", []), "at least one output"),
        (set_("outputs", [17]), "output index below 17 but got 17"),
        (set_("outputs", [-1]), "integer ≥ 0 but got -1"),
        (set_("outputs", [True]), "integer ≥ 0 but got True"),
        (set_("std.op", "softmax"), "node 'std': expected one of .* but got 'softmax'"),
        (set_("std.args", [9]), "node 'std': expected arguments among the 9 values before it"),
        (set_("std.args", [8, 8]), "node 'std': expected 1 arguments of sqrt but got"),
        (set_("std.args", [8.0]), "node 'std': expected an argument to be an integer"),
        (set_("std.shape", [8]), "node 'std': expected shape \\[4\\] but it declares \\[8\\]"),
        (set_("std.shape", [0]), "node 'std': expected a length in shape to be an integer ≥ 1"),
        (set_("std.shape", 4), "node 'std': expected shape to be an array"),
        (set_("std.name", "var"), "node 'var': expected a name of its own"),
        (set_("std.name", "x"), "node 'x': expected a name of its own"),
        (set_("std.name", 3), "expected name to be a non-empty text but got 3"),
        (set_("std.note", "?"), "node 'std': expected only the keys"),
        (drop("std.params"), "node 'std': .*missing"),
        (set_("std.params", {"axis": 0}), "node 'std': expected the parameters \\[\\] of sqrt"),
        (set_("std.params", {"d": 0}), "node 'std': expected params among"),
        (set_("mean.params", {}), "node 'mean': expected the parameters \\['axis'\\] of mean"),
        (set_("mean.params", {"axis": 2}), "node 'mean': mean: expected 0 ≤ axis < 2 but got"),
        (set_("mean.params", {"axis": -1}), "node 'mean': expected axis to be an integer ≥ 0"),
        (set_("mean.params", {"axis": 0}), "node 'mean': expected shape \\[8\\]"),
        (set_("varEps.params", {"c": float("nan")}), "node 'varEps': expected c to be finite"),
        (set_("varEps.params", {"c": float("inf")}), "node 'varEps': expected c to be finite"),
        (set_("varEps.params", {"c": 10**400}), "node 'varEps': expected c to be finite"),
        (set_("varEps.params", {"c": "1e-5"}), "node 'varEps': expected c to be a number"),
        (set_("varEps.params", {"c": True}), "node 'varEps': expected c to be a number"),
        (set_("varEps.params", {"symbol": "eps"}), "node 'varEps': expected a value c"),
        (set_("varEps.params", {"c": 1, "symbol": 3}), "node 'varEps': expected symbol"),
        (set_("gammaBroadcast.params", {"axis": 1}), "node 'gammaBroadcast': broadcast: exp"),
        (set_("centered.args", [0, 3]), "node 'centered': sub: expected arguments of one shape"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(change: Change, message: str) -> None:
    g = copy.deepcopy(layer_norm_json())
    change(g)
    with pytest.raises(GraphError, match=message):
        parse_graph(g)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON but got"),
        ("[]", "expected an object but got"),
        ('{"a": 1, "a": 2}', "each key once but got 'a' twice"),
        ('{"c": NaN}', "finite numbers but got NaN"),
        ('{"c": -Infinity}', "finite numbers but got -Infinity"),
    ],
)
def test_bad_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        parse_graph_text(text)


def test_a_symbol_has_one_value() -> None:
    g = layer_norm_json()
    node(g, "var")["op"] = "addConst"
    node(g, "var")["args"] = [3]
    node(g, "var")["params"] = {"c": 2.0, "symbol": "eps"}
    with pytest.raises(GraphError, match=r"node 'varEps': expected eps=2.0, as before"):
        parse_graph(g)


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(GraphError, match="expected a value named 'variance' .* only: x, gamma"):
        layer_norm().index("variance")
    with pytest.raises(GraphError, match="expected a node but 'x' is an input"):
        layer_norm().node("x")


def json_paths(value: object) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    if isinstance(value, dict):
        return [()] + [(k, *p) for k, v in value.items() for p in json_paths(v)]
    if isinstance(value, list):
        return [()] + [(k, *p) for k, v in enumerate(value) for p in json_paths(v)]
    return [()]


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.floats(), st.text(max_size=3),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.text(max_size=2), st.none(), max_size=1),
)  # fmt: skip


@given(st.data())
def test_junk_in_any_place_is_refused_or_harmless(data: st.DataObject) -> None:
    """For any value in any place, parsing returns a graph or raises `GraphError`, nothing else."""
    g: Any = layer_norm_json()
    path = data.draw(st.sampled_from(json_paths(g)))
    junk = data.draw(JUNK)
    if not path:
        g = junk
    else:
        target = g
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = junk
    try:
        graph = parse_graph(g)
    except GraphError:
        return
    assert parse_graph(graph_to_json(graph)) == graph
