"""The graphs that a page draws: those that a model runs, and the given one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bridge.report.captured import CapturedForm
from bridge.report.html.anchors import anchor
from bridge.report.html.graph_picture import draw
from bridge.report.layers import LayerReport, ModelReport
from bridge.report.model import Report
from numeric.graph import parse_graph

__all__ = ["Picture", "given_picture", "pictures"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A captured graph, the layers that run it, and the nodes where these begin to differ from it:
    in words, each with the identifier of its box."""

    anchor: str
    name: str
    layers: tuple[str, ...]
    nodes: int
    svg: Markup
    marked: tuple[tuple[str, str], ...]


def pictures(model: ModelReport) -> tuple[Picture, ...]:
    """The captured graphs of a model, each once."""
    return tuple(_picture(model, form) for form in model.forms)


def _picture(model: ModelReport, form: CapturedForm) -> Picture:
    running = [(la, la.captured) for la in model.layers if la.captured is not None]
    own = [(la, captured) for la, captured in running if captured.form == form.name]
    marks: dict[str, str] = {}
    for layer, captured in own:
        for name, what in captured.marks:
            marks.setdefault(name, f"{what} in {layer.name}")
    name = form.name
    return _drawn(name, f"The captured graph {name}", form.graph, form.origins, marks, own=own)


def given_picture(report: Report) -> Picture | None:
    """The graph of ``--graph FILE``."""
    if report.graph_data is None:
        return None
    marks = dict(report.graph_marks)
    return _drawn(report.graph, f"The graph in {report.graph}", report.graph_data, {}, marks)


def _drawn(
    name: str,
    title: str,
    data: Mapping[str, object],
    origins: Mapping[str, str],
    marks: Mapping[str, str],
    own: Sequence[tuple[LayerReport, object]] = (),
) -> Picture:
    graph = parse_graph(data)
    at = anchor("g", name)
    return Picture(
        anchor=at,
        name=name,
        layers=tuple(layer.name for layer, _ in own),
        nodes=len(graph.nodes),
        svg=draw(graph, at, title, origins, marks),
        marked=tuple(
            (f"{n.name}: {marks[n.name]}", f"{at}-value-{k}")
            for k, n in enumerate(graph.nodes, len(graph.inputs))
            if n.name in marks
        ),
    )
