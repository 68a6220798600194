"""The graphs that checks request, written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from bridge.checking import Check, GraphRequest, graph_requests
from numeric.graph import Graph
from tests.numeric.block_graphs import written
from tests.numeric.graphs import layer_norm


def graphs_for(checks: Iterable[Check]) -> dict[GraphRequest, Graph]:
    found = {}
    for request in graph_requests(checks):
        sizes = dict(request.sizes)
        if request.name == "layerNormGraph":
            found[request] = layer_norm(sizes["seqLen"], sizes["dModel"])
        else:
            found[request] = written(request.name, sizes)
    return found


SLOW_NODES = 40
"""Tests that run checks on larger graphs, whole blocks and models, are marked slow."""


def slow_if_large(
    graphs: Mapping[GraphRequest, Graph], name: str
) -> tuple[pytest.MarkDecorator, ...]:
    """The marks of a test that runs every check of a graph, or a whole check on it."""
    nodes = max(len(g.nodes) for r, g in graphs.items() if r.name == name)
    return (pytest.mark.slow,) if nodes > SLOW_NODES else ()


def hypotheses_of(key: str, checks: dict[str, Check]) -> list[Check]:
    declaration = key.rpartition(":")[0]
    return [
        c
        for k, c in checks.items()
        if k.rpartition(":")[0] == declaration and not k.endswith(":conclusion")
    ]
