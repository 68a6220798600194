"""From JSON to a `Graph`: the only place where an exported graph is validated.

Format ``obligations-graph/1``; Lean's side of it is ``lean/Obligations/GraphFamily.lean``.  A graph
with anything that is not understood is refused, with the name of the offending node.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from numeric.errors import GraphError
from numeric.graph.model import Graph, Input, Node
from numeric.ops import OPS, Constant, Params, Shape, ShapeMismatch

__all__ = ["SCHEMA", "build_graph", "graph_to_json", "parse_graph", "parse_graph_text"]

SCHEMA = "obligations-graph/1"
_GRAPH_KEYS = ("schema", "name", "inputs", "nodes", "outputs")
_MAY_LACK = ("declaration", "sizes")
_NODE_KEYS = ("op", "args", "params", "shape", "name")
_PARAMETERS = ("c", "axis", "perm", "index")


def parse_graph_text(text: str | bytes) -> Graph:
    """Parse the JSON text of one graph.

    Raises:
        GraphError: it is not JSON, not a graph of this schema, or not well formed.
    """

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise GraphError("graph", f"expected each key once but got {name!r} twice")
        return dict(pairs)

    def not_a_number(token: str) -> NoReturn:
        raise GraphError("graph", f"expected finite numbers but got {token}")

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_constant=not_a_number)
    except (ValueError, RecursionError) as error:  # also for a number with thousands of digits
        raise GraphError("graph", f"expected JSON but got {text[:40]!r}…: {error}") from error
    return parse_graph(value)


def parse_graph(value: object) -> Graph:
    """Validate a decoded JSON object and convert it to a graph.

    Raises:
        GraphError: it is not a well-formed graph; the message names the node.
    """
    fields = _object(value, "graph", _GRAPH_KEYS, _MAY_LACK)
    if fields["schema"] != SCHEMA:
        raise GraphError("graph", f"expected schema={SCHEMA!r} but got {fields['schema']!r:.80}")
    name = _text(fields["name"], "graph", "name")
    where = f"graph {name!r}"
    sizes = fields.get("sizes", {})
    if not isinstance(sizes, dict):
        raise GraphError(where, f"expected sizes to be an object but got {sizes!r:.80}")
    inputs = [_input(v, i) for i, v in enumerate(_array(fields["inputs"], where, "inputs"))]
    nodes: list[Node] = []
    for position, v in enumerate(_array(fields["nodes"], where, "nodes")):
        nodes.append(_node(v, position))
    return build_graph(
        name=name,
        declaration=_text(fields["declaration"], where, "declaration")
        if "declaration" in fields
        else "",
        sizes={k: _integer(v, where, f"sizes.{k}", 0) for k, v in sizes.items()},
        inputs=inputs,
        nodes=nodes,
        outputs=[
            _integer(v, where, "an output", 0) for v in _array(fields["outputs"], where, "outputs")
        ],
    )


def build_graph(
    *,
    name: str,
    declaration: str,
    sizes: Mapping[str, int],
    inputs: Sequence[Input],
    nodes: Sequence[Node],
    outputs: Sequence[int],
) -> Graph:
    """Assemble a graph and check that its parts fit: operations, indices, shapes, names, constants.

    Raises:
        GraphError: they do not; the message names the node.
    """
    where = f"graph {name!r}"
    index: dict[str, int] = {}
    shapes: list[Shape] = []
    symbols: dict[str, float] = {}
    for given in inputs:
        _new_name(given.name, f"input {given.name!r}", index)
        shapes.append(given.shape)
    for node in nodes:
        place = f"node {node.name!r}"
        _new_name(node.name, place, index)
        shapes.append(_checked_shape(node, shapes, place))
        _collect_symbol(node, symbols, place)
    if not inputs:
        raise GraphError(where, "expected at least one input but got none")
    if not outputs:
        raise GraphError(where, "expected at least one output but got none")
    for output in outputs:
        if not 0 <= output < len(shapes):
            raise GraphError(
                where, f"expected an output index below {len(shapes)} but got {output}"
            )
    return Graph(
        name=name,
        declaration=declaration,
        sizes=MappingProxyType(dict(sizes)),
        inputs=tuple(inputs),
        nodes=tuple(nodes),
        outputs=tuple(outputs),
        symbols=MappingProxyType(symbols),
        _index=MappingProxyType(index),
    )


def graph_to_json(graph: Graph) -> dict[str, object]:
    """The graph as a JSON value; `parse_graph` reads it back as an equal graph."""

    def params(node: Node) -> dict[str, object]:
        out: dict[str, object] = {}
        if node.params.c is not None:
            out["c"] = node.params.c.value
            if node.params.c.symbol is not None:
                out["symbol"] = node.params.c.symbol
        if node.params.axis is not None:
            out["axis"] = node.params.axis
        if node.params.perm is not None:
            out["perm"] = list(node.params.perm)
        if node.params.index is not None:
            out["index"] = list(node.params.index)
        return out

    return {
        "schema": SCHEMA,
        "name": graph.name,
        **({"declaration": graph.declaration} if graph.declaration else {}),
        "sizes": dict(graph.sizes),
        "inputs": [{"name": i.name, "shape": list(i.shape)} for i in graph.inputs],
        "nodes": [
            {
                "op": n.op,
                "args": list(n.args),
                "params": params(n),
                "shape": list(n.shape),
                "name": n.name,
            }
            for n in graph.nodes
        ],
        "outputs": list(graph.outputs),
    }


def _new_name(name: str, place: str, index: dict[str, int]) -> None:
    if name in index:
        raise GraphError(
            place, f"expected a name of its own but value {index[name]} has it already"
        )
    index[name] = len(index)


def _checked_shape(node: Node, shapes: list[Shape], place: str) -> Shape:
    op = OPS.get(node.op)
    if op is None:
        raise GraphError(
            place, f"expected one of the operations {', '.join(OPS)} but got {node.op!r}"
        )
    if len(node.args) != op.arity:
        raise GraphError(
            place, f"expected {op.arity} arguments of {op.name} but got args={list(node.args)}"
        )
    for arg in node.args:
        if not 0 <= arg < len(shapes):
            raise GraphError(
                place, f"expected arguments among the {len(shapes)} values before it but got {arg}"
            )
    given = {k for k in _PARAMETERS if getattr(node.params, k) is not None}
    if given != op.parameters:
        raise GraphError(
            place,
            f"expected the parameters {sorted(op.parameters)} of {op.name} but got {sorted(given)}",
        )
    try:
        shape = op.shape(tuple(shapes[a] for a in node.args), node.params, node.shape)
    except ShapeMismatch as error:
        raise GraphError(place, f"{op.name}: {error}") from error
    if shape != node.shape:
        raise GraphError(place, f"expected shape {list(shape)} but it declares {list(node.shape)}")
    return shape


def _collect_symbol(node: Node, symbols: dict[str, float], place: str) -> None:
    constant = node.params.c
    if constant is None:
        return
    if not math.isfinite(constant.value):
        raise GraphError(place, f"expected a finite constant but got c={constant.value}")
    if constant.symbol is not None:
        known = symbols.setdefault(constant.symbol, constant.value)
        if known != constant.value:
            raise GraphError(
                place,
                f"expected {constant.symbol}={known}, as before, but got c={constant.value}",
            )


def _input(value: object, position: int) -> Input:
    where = f"input {position}"
    fields = _object(value, where, ("name", "shape"))
    name = _text(fields["name"], where, "name")
    return Input(name, _shape(fields["shape"], f"input {name!r}"))


def _node(value: object, position: int) -> Node:
    named = value.get("name") if isinstance(value, dict) else None
    where = f"node {named!r}" if isinstance(named, str) else f"node {position}"
    fields = _object(value, where, _NODE_KEYS)
    return Node(
        name=_text(fields["name"], where, "name"),
        op=_text(fields["op"], where, "op"),
        args=tuple(
            _integer(v, where, "an argument", 0) for v in _array(fields["args"], where, "args")
        ),
        params=_params(fields["params"], where),
        shape=_shape(fields["shape"], where),
    )


def _params(value: object, where: str) -> Params:
    if not isinstance(value, dict):
        raise GraphError(where, f"expected params to be an object but got {value!r:.80}")
    unknown = sorted(set(value) - {"symbol", *_PARAMETERS})
    if unknown:
        known = ", ".join(("symbol", *_PARAMETERS))
        raise GraphError(where, f"expected params among {known} but got {unknown}")
    constant = None
    if "c" in value:
        symbol = _text(value["symbol"], where, "symbol") if "symbol" in value else None
        constant = Constant(_number(value["c"], where, "c"), symbol)
    elif "symbol" in value:
        raise GraphError(
            where, f"expected a value c of the symbol {value['symbol']!r} but got none"
        )
    axis = _integer(value["axis"], where, "axis", 0) if "axis" in value else None
    perm = None
    if "perm" in value:
        perm = tuple(_integer(v, where, "an axis", 0) for v in _array(value["perm"], where, "perm"))
    index = None
    if "index" in value:
        listed = _array(value["index"], where, "index")
        index = tuple(_integer(v, where, "an index", -1) for v in listed)
    return Params(constant, axis, perm, index)


def _object(
    value: object, where: str, keys: tuple[str, ...], may_lack: tuple[str, ...] = ()
) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise GraphError(where, f"expected an object but got {value!r:.80}")
    missing = [k for k in keys if k not in value]
    if missing:
        raise GraphError(where, f"expected the keys {list(keys)} but {missing} are missing")
    known = (*keys, *may_lack)
    unknown = sorted(str(k) for k in value if k not in known)
    if unknown:
        raise GraphError(where, f"expected only the keys {list(known)} but got {unknown} too")
    return dict(value)


def _array(value: object, where: str, what: str) -> list[object]:
    if not isinstance(value, list):
        raise GraphError(where, f"expected {what} to be an array but got {value!r:.80}")
    return value


def _text(value: object, where: str, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise GraphError(where, f"expected {what} to be a non-empty text but got {value!r:.80}")
    return value


def _integer(value: object, where: str, what: str, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise GraphError(where, f"expected {what} to be an integer ≥ {least} but got {value!r:.80}")
    return value


def _number(value: object, where: str, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise GraphError(where, f"expected {what} to be a number but got {value!r:.80}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise GraphError(where, f"expected {what} to be finite but got {value!r:.80}")
    return number


def _shape(value: object, where: str) -> Shape:
    return tuple(_integer(v, where, "a length in shape", 1) for v in _array(value, where, "shape"))
