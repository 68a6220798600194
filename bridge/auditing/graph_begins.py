"""Where a user's graph begins to differ from a library graph, found by values.

Names decide nothing: a saved tensor of the library's is in the file if a node has its entries.
Another way to compute the same values is no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numeric.graph import Graph
from numeric.interpret.interpreter import Trace
from numeric.ops import Array

__all__ = ["Place", "alike", "where_it_begins"]

FloatArray = npt.NDArray[np.float64]
CLOSE = 1e-9
"""Relative to the largest entry: two right computations of generic instances differ by 1e-14."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place where a difference begins.

    Attributes:
        share: how many of the library's saved tensors the file has, from 0 to 1.
        node: a node of the file; empty if none can be determined.
        text: a clause for a report.
    """

    share: float
    node: str
    text: str


def alike(left: Array, right: Array) -> bool:
    """Whether two tensors have the same entries in row-major order, up to rounding."""
    if left.size != right.size:
        return False
    a, b = left.reshape(-1), right.reshape(-1)
    with np.errstate(all="ignore"):
        return bool(np.abs(a - b).max() <= CLOSE * max(np.abs(a).max(), np.abs(b).max()))


def where_it_begins(trace: Trace, saved: Mapping[str, Array], member: Graph) -> Place:
    """Compare a run of the file with the tensors that the closed form saved on the same instance.

    Args:
        trace: the run of the file.
        saved: tensors by the library's names.
        member: the library's graph at any sizes, to see what its tensors are computed from.
    """
    graph = trace.graph
    count = len(graph.inputs)
    place: dict[str, int] = {}
    for name, value in saved.items():
        for index in range(count, len(trace.values)):
            if alike(trace.values[index], value):
                place[name] = index
                break
    ours = {n.name: k for k, n in enumerate(member.nodes, len(member.inputs))}
    fine = _before(member, [ours[n] for n in place if n in ours])
    missing = [n for n in saved if n not in place and ours.get(n, -1) not in fine]
    share = len(place) / max(1, len(saved))
    if not missing:
        return Place(share, "", "its saved tensors agree with the library's")
    right = _before(graph, list(place.values()))
    known = right | set(range(count))
    first = next(
        (n for k, n in enumerate(graph.nodes, count) if k not in right and set(n.args) <= known
         and _reaches(graph, k)),
        None,
    )  # fmt: skip
    lacks = f"no node has the entries of {member.name}'s {missing[0]}"
    if first is None:
        return Place(share, "", f"the difference begins where {lacks}")
    text = f"the difference begins at the node {first.name} ({first.op}) or right after it: {lacks}"
    return Place(share, first.name, text)


def _before(graph: Graph, ends: Sequence[int]) -> set[int]:
    """These values and all that they are computed from."""
    found, todo = set(ends), list(ends)
    count = len(graph.inputs)
    while todo:
        index = todo.pop()
        for arg in graph.nodes[index - count].args if index >= count else ():
            if arg not in found:
                found.add(arg)
                todo.append(arg)
    return found


def _reaches(graph: Graph, index: int) -> bool:
    """Whether the first output depends on a value."""
    return index in _before(graph, [graph.outputs[0]])
