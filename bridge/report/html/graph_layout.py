"""The layout of boxes and lines in a graph's picture: layers from top to bottom.

The usual steps: a layer for each value by the longest path to it, an order within the layers with
few crossings, by the mean position of the neighbours, and then positions as near to the neighbours
as others allow.  Lines that pass layers take a place in each.  Same graph, same picture.

Source: K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system
structures", IEEE Transactions on Systems, Man, and Cybernetics 11 (1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numeric.graph import Graph

__all__ = ["HEIGHT", "WIDTH", "Layout", "Point", "arrange"]

WIDTH, HEIGHT = 236, 44
GAP, ROW, LANE, MARGIN = 20, 74, 14, 16
SWEEPS = 12
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture's geometry.

    Attributes:
        boxes: the upper left corner of each value's box, inputs first.
        lines: for each argument of each node its two values and the points that the line passes.
        width, height: of the whole.
    """

    boxes: tuple[Point, ...]
    lines: tuple[tuple[int, int, tuple[Point, ...]], ...]
    width: float
    height: float


@dataclass(slots=True)
class _Dot:
    """A box, or the place of a line in a layer that it passes."""

    width: float
    up: list[int]
    down: list[int]
    x: float = 0.0


def arrange(graph: Graph) -> Layout:
    """Lay out all values of a graph, inputs too."""
    ranks = _ranks(graph)
    dots = [_Dot(WIDTH, [], []) for _ in ranks]
    rows: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
    for value, rank in enumerate(ranks):
        rows[rank].append(value)
    paths: list[tuple[int, int, list[int]]] = []
    passing: dict[tuple[int, int], int] = {}  # lines from one value share their way
    count = len(graph.inputs)
    for position, node in enumerate(graph.nodes):
        for arg in dict.fromkeys(node.args):
            end, last, path = count + position, arg, []
            for rank in range(ranks[arg] + 1, ranks[end]):
                dot = passing.get((arg, rank))
                if dot is None:
                    dot = passing[arg, rank] = len(dots)
                    dots.append(_Dot(LANE, [last], []))
                    dots[last].down.append(dot)
                    rows[rank].append(dot)
                path.append(dot)
                last = dot
            dots[last].down.append(end)
            dots[end].up.append(last)
            paths.append((arg, end, path))
    _order(rows, dots)
    _spread(rows, dots)
    left = min(dot.x for dot in dots)
    for each in dots:
        each.x += MARGIN - left
    y = {dot: MARGIN + rank * ROW for rank, row in enumerate(rows) for dot in row}
    lines = tuple((a, e, _points(a, e, path, dots, y)) for a, e, path in paths)
    return Layout(
        boxes=tuple((dots[v].x, float(y[v])) for v in range(len(ranks))),
        lines=lines,
        width=max(dot.x + dot.width for dot in dots) + MARGIN,
        height=2.0 * MARGIN + (len(rows) - 1) * ROW + HEIGHT,
    )


def _ranks(graph: Graph) -> list[int]:
    """The layer of each value: below its arguments; a value that depends only on weights goes right
    above its first reader, so that a bias is next to its addition."""
    count = len(graph.inputs)
    readers: list[list[int]] = [[] for _ in range(count + len(graph.nodes))]
    for position, node in enumerate(graph.nodes):
        for arg in dict.fromkeys(node.args):
            readers[arg].append(count + position)
    stream = max(range(count), key=lambda i: len(readers[i]))
    of_stream = {stream}
    ranks = [0] * len(readers)
    for position, node in enumerate(graph.nodes):
        ranks[count + position] = 1 + max(ranks[a] for a in node.args)
        if of_stream & set(node.args):
            of_stream.add(count + position)
    for value in reversed(range(len(readers))):
        if value not in of_stream and readers[value]:
            ranks[value] = min(ranks[r] for r in readers[value]) - 1
    first = min(ranks)
    return [rank - first for rank in ranks]


def _order(rows: list[list[int]], dots: Sequence[_Dot]) -> None:
    """Sort each layer by the mean position of its neighbours, alternately downwards and upwards."""
    place = {dot: float(k) for row in rows for k, dot in enumerate(row)}
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for row in rows if downwards else reversed(rows):
            wanted = {}
            for dot in row:
                near = dots[dot].up if downwards else dots[dot].down
                wanted[dot] = sum(place[n] for n in near) / len(near) if near else place[dot]
            row.sort(key=lambda dot: wanted[dot])
            for k, dot in enumerate(row):
                place[dot] = k - (len(row) - 1) / 2


def _spread(rows: Sequence[Sequence[int]], dots: Sequence[_Dot]) -> None:
    """Give each dot an x near its neighbours', in the order of its layer."""
    for row in rows:
        at = -sum(dots[d].width + GAP for d in row) / 2
        for d in row:
            dots[d].x = at
            at += dots[d].width + GAP
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for row in rows if downwards else reversed(rows):
            wanted = []
            for d in row:
                near = dots[d].up if downwards else dots[d].down
                near = near or dots[d].up or dots[d].down
                middle = sum(dots[n].x + dots[n].width / 2 for n in near) / max(1, len(near))
                wanted.append(middle - dots[d].width / 2 if near else dots[d].x)
            _fit(row, wanted, dots)


def _fit(row: Sequence[int], wanted: Sequence[float], dots: Sequence[_Dot]) -> None:
    """The positions nearest to those wanted, without overlap: groups that would overlap move
    together to the mean of their wanted positions (pool adjacent violators)."""
    groups: list[tuple[float, int, float]] = []  # the sum of shifted places, how many, the mean
    offsets, at = [], 0.0
    for k, d in enumerate(row):
        offsets.append(at)
        at += dots[d].width + GAP
        total, size = wanted[k] - offsets[k], 1
        while groups and groups[-1][2] >= total / size:
            before = groups.pop()
            total, size = total + before[0], size + before[1]
        groups.append((total, size, total / size))
    places = [mean for _, size, mean in groups for _ in range(size)]
    for d, place, offset in zip(row, places, offsets, strict=True):
        dots[d].x = place + offset


def _points(
    start: int, end: int, path: Sequence[int], dots: Sequence[_Dot], y: dict[int, int]
) -> tuple[Point, ...]:
    def middle(dot: int) -> float:
        return dots[dot].x + dots[dot].width / 2

    found: list[Point] = [(middle(start), y[start] + HEIGHT)]
    for dot in path:
        found += [(middle(dot), y[dot]), (middle(dot), y[dot] + HEIGHT)]
    return (*found, (middle(end), float(y[end])))
