"""Small graphs as a capture writes them."""

from __future__ import annotations

from typing import Any

from numeric.graph import Graph, parse_graph


class Writer:
    """Writes an ``obligations-graph/1`` object, value by value; arguments by name."""

    def __init__(self, **inputs: tuple[int, ...]) -> None:
        self.inputs = [{"name": n, "shape": list(s)} for n, s in inputs.items()]
        self.nodes: list[dict[str, Any]] = []
        self._at = {n: i for i, n in enumerate(inputs)}

    def node(self, name: str, op: str, *args: str, shape: tuple[int, ...], **params: Any) -> str:
        self.nodes.append(
            {
                "op": op,
                "args": [self._at[a] for a in args],
                "params": params,
                "shape": list(shape),
                "name": name,
            }
        )
        self._at[name] = len(self._at)
        return name

    def json(self, output: str, name: str = "a layer") -> dict[str, Any]:
        return {
            "schema": "obligations-graph/1",
            "name": name,
            "declaration": name,
            "sizes": {},
            "inputs": self.inputs,
            "nodes": self.nodes,
            "outputs": [self._at[output]],
        }

    def graph(self, output: str, name: str = "a layer") -> Graph:
        return parse_graph(self.json(output, name))


def masked_softmax() -> Writer:
    """exp(x) · keep, divided by its sum: the remaining condition is that each row keeps
    something."""
    w = Writer(x=(3, 5), keep=(3, 5))
    w.node("e", "exp", "x", shape=(3, 5))
    w.node("kept", "mul", "e", "keep", shape=(3, 5))
    w.node("total", "sum", "kept", shape=(3,), axis=1)
    w.node("inv", "inv", "total", shape=(3,))
    w.node("invB", "broadcast", "inv", shape=(3, 5), axis=1)
    w.node("out", "mul", "kept", "invB", shape=(3, 5))
    return w


def normalized(eps: float = 1e-5) -> Writer:
    """RMSNorm: the only remaining condition is that its constant is positive."""
    w = Writer(x=(3, 5))
    w.node("sq", "mul", "x", "x", shape=(3, 5))
    w.node("mean", "mean", "sq", shape=(3,), axis=1)
    w.node("shifted", "addConst", "mean", shape=(3,), c=eps)
    w.node("std", "sqrt", "shifted", shape=(3,))
    w.node("inv", "inv", "std", shape=(3,))
    w.node("invB", "broadcast", "inv", shape=(3, 5), axis=1)
    w.node("out", "mul", "x", "invB", shape=(3, 5))
    return w
