"""The graphs that checks run on: as Lean exports them, validated."""

from __future__ import annotations

from bridge.checking import GraphRequest as CheckGraphRequest
from bridge.errors import InvalidInputError
from bridge.lean.library import Library
from numeric.errors import GraphError
from numeric.graph import Graph, parse_graph

__all__ = ["parse_graphs"]


def parse_graphs(library: Library) -> tuple[dict[CheckGraphRequest, Graph], dict[str, str]]:
    """The library's exported graphs, validated, and by name the reason why a graph is missing.

    Raises:
        InvalidInputError: a graph is malformed.
    """
    graphs: dict[CheckGraphRequest, Graph] = {}
    for request, value in library.graphs.members.items():
        try:
            graphs[CheckGraphRequest(request.name, request.sizes)] = parse_graph(value)
        except GraphError as e:
            raise InvalidInputError(
                f"the exported graph {request.name} is malformed: {e}",
                remedy="correct its GraphFamily in the Lean sources",
            ) from e
    return graphs, {r.name: reason for r, reason in library.graphs.refused.items()}
