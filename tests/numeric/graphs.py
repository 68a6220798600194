"""Graphs written by hand for tests, as Lean would export them."""

from __future__ import annotations

from typing import Any

from numeric.graph import Graph, parse_graph


def layer_norm_json(seq_len: int = 4, d_model: int = 8, eps: float = 1e-5) -> dict[str, Any]:
    """LayerNorm as 14 nodes."""
    full, rows = [seq_len, d_model], [seq_len]

    def node(
        name: str, op: str, args: list[int], shape: list[int], **params: Any
    ) -> dict[str, Any]:
        return {"op": op, "args": args, "params": params, "shape": shape, "name": name}

    return {
        "schema": "obligations-graph/1",
        "name": "layerNormGraph",
        "declaration": "PostNorm.layerNormGraph",
        "sizes": {"seqLen": seq_len, "dModel": d_model},
        "inputs": [
            {"name": "x", "shape": full},
            {"name": "gamma", "shape": [d_model]},
            {"name": "beta", "shape": [d_model]},
        ],
        "nodes": [
            node("mean", "mean", [0], rows, axis=1),
            node("meanBroadcast", "broadcast", [3], full, axis=1),
            node("centered", "sub", [0, 4], full),
            node("square", "mul", [5, 5], full),
            node("var", "mean", [6], rows, axis=1),
            node("varEps", "addConst", [7], rows, c=eps, symbol="eps"),
            node("std", "sqrt", [8], rows),
            node("invStd", "inv", [9], rows),
            node("invStdBroadcast", "broadcast", [10], full, axis=1),
            node("normalized", "mul", [5, 11], full),
            node("gammaBroadcast", "broadcast", [1], full, axis=0),
            node("scaled", "mul", [12, 13], full),
            node("betaBroadcast", "broadcast", [2], full, axis=0),
            node("y", "add", [14, 15], full),
        ],
        "outputs": [16],
    }


def layer_norm(seq_len: int = 4, d_model: int = 8) -> Graph:
    """The parsed graph."""
    return parse_graph(layer_norm_json(seq_len, d_model))
