"""How many instances of a graph to run at once.

All saved tensors of a chunk should stay in a core's cache: that is what makes small graphs fast,
and what bounds the memory of a run of a million instances.
"""

from __future__ import annotations

from math import prod

from numeric.graph import Graph

__all__ = ["CHUNK_BYTES", "MOST_INSTANCES", "chunk_of", "saved_bytes"]

CHUNK_BYTES = 16 << 20
MOST_INSTANCES = 1024


def saved_bytes(graph: Graph) -> int:
    """The size of all inputs and saved tensors of one instance in float64."""
    return 8 * sum(prod(graph.shape_of(i)) for i in range(len(graph.inputs) + len(graph.nodes)))


def chunk_of(graph: Graph) -> int:
    """Instances per chunk, at least one.  Depends only on the graph, so that results do too."""
    return max(1, min(MOST_INSTANCES, CHUNK_BYTES // saved_bytes(graph)))
