"""Exported graphs: the data, and the parser that validates them."""

from __future__ import annotations

from numeric.errors import GraphError
from numeric.graph.cut import piece
from numeric.graph.model import Graph, Input, Node, last_uses
from numeric.graph.parse import SCHEMA, build_graph, graph_to_json, parse_graph, parse_graph_text

__all__ = [
    "SCHEMA",
    "Graph",
    "GraphError",
    "Input",
    "Node",
    "build_graph",
    "graph_to_json",
    "last_uses",
    "parse_graph",
    "parse_graph_text",
    "piece",
]
