"""A graph as inline SVG: every value a box with its operation, its shape and its place in the
model's code; the place where a difference begins is marked, in words too.

Colours come from the page's style sheet by class, so that the picture is light or dark with it.
Each box is a separate image with a title, for screen readers and as a tooltip.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from bridge.report.escaping import one_line
from bridge.report.html.graph_layout import HEIGHT, WIDTH, Point, arrange
from numeric.graph import Graph

__all__ = ["draw"]

LETTERS = 32
"""This many letters fit in a box."""


def draw(
    graph: Graph,
    anchor: str,
    title: str,
    origins: Mapping[str, str],
    marks: Mapping[str, str],
) -> Markup:
    """The picture.

    Args:
        graph: the graph to draw.
        anchor: unique on the page; the prefix of the parts' identifiers.
        title: the picture's title.
        origins: nodes' lines in the model's code, and descriptions of inputs, by name.
        marks: the values where a difference begins, with its description.
    """
    layout = arrange(graph)
    names = [i.name for i in graph.inputs] + [n.name for n in graph.nodes]
    ops = ["input"] * len(graph.inputs) + [n.op for n in graph.nodes]
    found: dict[str, list[str]] = {}
    for name in names:
        if name in marks:
            found.setdefault(marks[name], []).append(name)
    said = f"{len(graph.nodes)} operations on {len(graph.inputs)} inputs, from top to bottom."
    said += "".join(f" {what}: {', '.join(where)}." for what, where in found.items())
    lines = Markup("").join(
        Markup('<path class="{}" d="{}"/>').format(
            "line begins" if names[end] in marks else "line", _path(points)
        )
        for _, end, points in layout.lines
    )
    boxes = Markup("").join(
        _box(
            layout.boxes[k],
            ops[k],
            graph,
            k,
            names,
            origins.get(name, ""),
            marks.get(name, ""),
            f"{anchor}-value-{k}",
        )
        for k, name in enumerate(names)
    )
    return Markup(
        '<svg class="graph" width="{w:.0f}" height="{h:.0f}" viewBox="0 0 {w:.0f} {h:.0f}" '
        'role="group" aria-labelledby="{a}-title" aria-describedby="{a}-desc">'
        '<title id="{a}-title">{title}</title><desc id="{a}-desc">{said}</desc>{lines}{boxes}</svg>'
    ).format(
        w=layout.width,
        h=layout.height,
        a=anchor,
        title=one_line(title),
        said=one_line(said),
        lines=lines,
        boxes=boxes,
    )


def _box(
    at: Point,
    op: str,
    graph: Graph,
    index: int,
    names: Sequence[str],
    origin: str,
    mark: str,
    own: str,
) -> Markup:
    name = names[index]
    shape = "×".join(str(k) for k in graph.shape_of(index)) or "number"
    full = [f"{name}: {op}, {shape}"]
    given = index < len(graph.inputs)
    if not given:
        args = graph.nodes[index - len(graph.inputs)].args
        full.append(f"of {', '.join(names[a] for a in args)}")
    full += [origin] if origin else []
    full += [mark] if mark else []
    css = ["box", *(["given"] if given else [])]
    css += ["output"] if index in graph.outputs else []
    css += [] if not mark else ["apart" if given else "begins"]
    x, y = at
    return Markup(
        '<g id="{own}" class="{css}" role="img" aria-label="{full}" data-value="{name}">'
        "<title>{full}</title>"
        '<rect x="{x:.1f}" y="{y:.1f}" width="{w}" height="{h}" rx="6"/>'
        '<text x="{tx:.1f}" y="{t1:.1f}"><tspan class="op">{op}</tspan> '
        '<tspan class="shape">{shape}</tspan></text>'
        '<text class="from" x="{tx:.1f}" y="{t2:.1f}">{second}</text></g>'
    ).format(
        own=own,
        css=" ".join(css),
        full=one_line("; ".join(full)),
        name=one_line(name),
        x=x,
        y=y,
        w=WIDTH,
        h=HEIGHT,
        tx=x + 10,
        t1=y + 18,
        t2=y + 35,
        op=op if not mark or given else f"▶ {op}",
        shape=shape,
        second=_short(origin or name),
    )


def _short(origin: str) -> str:
    """A text that fits in a box: the end of a place in code, the module before the line."""
    place, comma, module = one_line(origin).partition(", module ")
    line = place.partition(" in ")[0].rpartition("/")[2]
    text = f"{module}  {line.rpartition(':')[2]}" if comma else line
    return text if len(text) <= LETTERS else f"…{text[1 - LETTERS :]}"


def _path(points: Sequence[Point]) -> str:
    """A curve from layer to layer."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        middle = (y0 + y1) / 2
        parts.append(f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
    return "".join(parts)
