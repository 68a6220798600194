"""The picture of a captured graph: every value is shown, apart from the others, below its
arguments; the marked node is the one where a difference begins."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from bridge.report.captured import CapturedForm, CapturedLayer
from bridge.report.html import render_html
from bridge.report.html.graph_layout import HEIGHT, WIDTH, arrange
from bridge.report.html.graph_picture import LETTERS, draw
from numeric.graph import Graph, graph_to_json
from tests.numeric.block_graphs import block, written
from tests.report.parts import EVIL
from tests.report.sample_models import layer, model

ENCODER = {"seqLen": 4, "dModel": 8, "numHeads": 2, "headDim": 4, "dFF": 16, "depth": 4}
GRAPHS = [block(), written("encoderGraph", ENCODER)]


def picture(graph: Graph, **more: object) -> ElementTree.Element:
    given: dict[str, object] = {"origins": {}, "marks": {}, **more}
    return ElementTree.fromstring(str(draw(graph, "g-1", "A graph", **given)))  # type: ignore[arg-type]


def boxes(svg: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {g.attrib["data-value"]: g for g in svg.iter("g")}


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda g: f"{len(g.nodes)} nodes")
def test_every_value_has_a_box_with_its_operation_and_shape(graph: Graph) -> None:
    found = boxes(picture(graph))
    assert list(found) == [i.name for i in graph.inputs] + [n.name for n in graph.nodes]
    for node in graph.nodes:
        first, _ = found[node.name].findall("text")
        shape = "×".join(str(k) for k in node.shape)
        assert "".join(first.itertext()) == f"{node.op} {shape}"
    for given in graph.inputs:
        assert "given" in found[given.name].attrib["class"].split()


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda g: f"{len(g.nodes)} nodes")
def test_boxes_are_apart_and_below_what_they_are_computed_from(graph: Graph) -> None:
    layout = arrange(graph)
    for k, (x, y) in enumerate(layout.boxes):
        assert 0 <= x <= layout.width - WIDTH
        assert 0 <= y <= layout.height - HEIGHT
        for other_x, other_y in layout.boxes[:k]:
            assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT
    count = len(graph.inputs)
    for position, node in enumerate(graph.nodes):
        for arg in node.args:
            assert layout.boxes[arg][1] + HEIGHT < layout.boxes[count + position][1]
    drawn = {(start, end) for start, end, _ in layout.lines}
    assert drawn == {(a, count + k) for k, n in enumerate(graph.nodes) for a in n.args}
    for start, end, points in layout.lines:
        assert points[0] == (layout.boxes[start][0] + WIDTH / 2, layout.boxes[start][1] + HEIGHT)
        assert points[-1] == (layout.boxes[end][0] + WIDTH / 2, layout.boxes[end][1])


def test_no_line_runs_through_a_box() -> None:
    """A line that passes a layer has its own place in it."""
    layout = arrange(block())
    for start, end, points in layout.lines:
        for (x0, y0), (x1, y1) in zip(points[1::2], points[2::2], strict=False):
            assert x0 == x1, "within a layer it is upright"
            assert y1 - y0 == HEIGHT
            for box, (x, y) in enumerate(layout.boxes):
                if box not in (start, end) and y == y0:
                    assert not x <= x0 <= x + WIDTH


def test_the_same_graph_is_drawn_in_the_same_way() -> None:
    assert arrange(block()) == arrange(block())


def test_the_code_of_a_node_is_shown() -> None:
    where = "bert/modeling_bert.py:177 in forward, module attention.self.query"
    svg = picture(block(), origins={"mha.q": where})
    box = boxes(svg)["mha.q"]
    assert "".join(box.findall("text")[1].itertext()) == "attention.self.query  177"
    title = box.findtext("title")
    assert title == f"mha.q: matmul, 4×8; of x, Wq; {where}"
    assert box.attrib["aria-label"] == title
    long = picture(block(), origins={"mha.q": f"a.py:1 in f, module {'layer.' * 20}q"})
    shown = "".join(boxes(long)["mha.q"].findall("text")[1].itertext())
    assert len(shown) == LETTERS
    assert shown.startswith("…")


def test_the_picture_says_what_it_shows() -> None:
    svg = picture(block(), marks={"mha.scaled": "the difference begins here"})
    assert svg.attrib["aria-labelledby"] == svg.find("title").attrib["id"]  # type: ignore[union-attr]
    assert svg.attrib["aria-describedby"] == svg.find("desc").attrib["id"]  # type: ignore[union-attr]
    assert svg.findtext("title") == "A graph"
    assert svg.findtext("desc") == (
        "66 operations on 13 inputs, from top to bottom. the difference begins here: mha.scaled."
    )


def test_the_marked_node_is_the_one_where_a_difference_begins() -> None:
    marks = {"norm1.var": "the difference begins here", "Wq": "its gradient differs"}
    found = boxes(picture(block(), marks=marks))
    begins = [n for n, g in found.items() if "begins" in g.attrib["class"].split()]
    apart = [n for n, g in found.items() if "apart" in g.attrib["class"].split()]
    assert (begins, apart) == (["norm1.var"], ["Wq"])
    assert "▶" in "".join(found["norm1.var"].itertext()), "not by colour alone"


def test_names_from_a_model_are_text() -> None:
    graph = block()
    nodes = (replace(graph.nodes[0], name=EVIL), *graph.nodes[1:])
    svg = picture(replace(graph, nodes=nodes), origins={EVIL: EVIL}, marks={EVIL: EVIL})
    assert {e.tag for e in svg.iter()} <= {
        "svg", "title", "desc", "path", "g", "rect", "text", "tspan",
    }  # fmt: skip


def test_the_page_shows_the_graph_of_a_layer_with_a_link_to_the_difference() -> None:
    graph = block()
    report = model()
    assert report.model is not None
    mark = ("mha.scaled", "the difference begins here")
    wrong = CapturedLayer(form="graph 1", nodes=66, inputs=13, marks=(mark,))
    layers = (replace(layer("block.0"), captured=wrong), *report.model.layers[1:])
    form = CapturedForm("graph 1", graph_to_json(graph), {"mha.scaled": "a.py:3 in f, module h"})
    page = render_html(replace(report, model=replace(report.model, layers=layers, forms=(form,))))
    svg = ElementTree.fromstring(
        page[page.index('<svg class="graph"') :].partition("</svg>")[0] + "</svg>"
    )
    (marked,) = [n for n, g in boxes(svg).items() if "begins" in g.attrib["class"].split()]
    assert marked == "mha.scaled"
    own = boxes(svg)["mha.scaled"].attrib["id"]
    assert f'<a href="#{own}">' in page
    assert "66 operations, run by" in page
    right = replace(wrong, marks=())
    layers = (replace(layers[0], captured=right), *layers[1:])
    page = render_html(replace(report, model=replace(report.model, layers=layers, forms=(form,))))
    assert '<svg class="graph"' in page
    assert 'class="box begins"' not in page
