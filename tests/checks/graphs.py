"""The graphs that checks ask for, written by hand."""

from __future__ import annotations

from collections.abc import Iterable

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


def hypotheses_of(key: str, checks: dict[str, Check]) -> list[Check]:
    declaration = key.rpartition(":")[0]
    return [
        c
        for k, c in checks.items()
        if k.rpartition(":")[0] == declaration and not k.endswith(":conclusion")
    ]
