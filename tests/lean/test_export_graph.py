"""Graphs made from definitions compute the same as Python; the project itself contains the refused
definitions, with their messages (``#guard_msgs``)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from bridge.engine import Engine
from bridge.lean.exporter import add_exporter
from bridge.lean.graphs import ExportedGraphs
from bridge.lean.library import read_library
from bridge.lean.project import find_project
from bridge.lean.requests import GraphRequest
from numeric.graph import parse_graph
from numeric.interpret.interpreter import Interpreter

pytestmark = pytest.mark.lean

HERE = Path(__file__).parent
FloatArray = npt.NDArray[np.float64]
Inputs = Mapping[str, FloatArray]


def softmax(z: FloatArray) -> FloatArray:
    powers = np.exp(z)
    return powers / powers.sum(axis=-1, keepdims=True)


def layer(i: Inputs) -> FloatArray:
    return np.tanh(np.einsum("bij,bj->bi", i["W"], i["x"]) + i["b"])


def step(i: Inputs, eta: float) -> FloatArray:
    residual = i["w"] * i["x"] - i["y"]
    return i["w"] - eta * 2 * i["x"] * residual


def smooth(i: Inputs) -> FloatArray:
    x = i["x"]
    return np.sqrt(x**2 + 1) ** 5 - np.log(1 + np.exp(-x)) / 3 + 0.25 * np.tanh(x)


def rates(i: Inputs, eta: float) -> FloatArray:
    x = i["x"]
    return eta**3 + x / eta - (1 - eta) * (1 / x - eta) + (eta - 2) / 4


def rows(i: Inputs, eps: float) -> FloatArray:
    x = i["x"]
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps)


def corner(i: Inputs) -> FloatArray:
    return i["a"][:, 0, 2] - (1 + i["a"][:, :, 1].sum(-1)) / 2


COMPUTED: dict[str, Callable[[Inputs], FloatArray]] = {
    "step": lambda i: step(i, 0.25),
    "smooth": smooth,
    "rates": lambda i: rates(i, -2.0),
    "softmax": lambda i: softmax(i["z"]),
    "layer": layer,
    "twoLayers": lambda i: i["x"] + softmax(np.einsum("bij,bj->bi", i["V"], layer(i))),
    "rows": lambda i: rows(i, 1e-5),
    "scores": lambda i: np.tanh(np.einsum("bjd,bid->bij", i["q"], i["k"])),
    "ones": lambda i: 2 + i["x"].shape[-1] * i["x"],
    "corner": corner,
    "cut": lambda i: 2 * i["x"],
}
SIZES = {
    "softmax": {"n": 5},
    "layer": {"m": 3, "n": 3},
    "twoLayers": {"m": 4, "n": 3},
    "rows": {"n": 4, "m": 3},
    "scores": {"n": 3, "m": 2},
    "ones": {"n": 3},
    "cut": {"a": 5, "b": 3},
}
OTHER = GraphRequest("twoLayers", (("m", 2), ("n", 7)))
EMPTY = GraphRequest("softmax", (("n", 0),))
UNKNOWN = GraphRequest("softmax", (("rows", 2),))


@pytest.fixture(scope="module")
def graphs(lean: Engine, tmp_path_factory: pytest.TempPathFactory) -> ExportedGraphs:
    """The exports of a project without a line of JSON in Lean."""
    root = tmp_path_factory.mktemp("graphs") / "graphs"
    shutil.copytree(HERE / "graphs", root)
    for name in ("Mathlib", "PostNorm"):
        shutil.copy(HERE / "reals" / f"{name}.lean", root)
    shutil.copy(HERE.parents[1] / "lean-toolchain", root)
    add_exporter(root)
    wanted = [*(GraphRequest(name) for name in COMPUTED), OTHER, EMPTY, UNKNOWN]
    return read_library(find_project(root), lean, graphs=wanted).graphs


def computed(exported: Mapping[str, object], name: str, scale: float) -> None:
    """The graph and Python compute the same from the same numbers."""
    graph = parse_graph(exported)
    stream = np.random.default_rng(3)
    inputs = {n: scale * stream.standard_normal((6, *s)) for n, s in graph.input_shapes.items()}
    found = Interpreter(graph).evaluate(inputs).output
    expected = COMPUTED[name](inputs)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", COMPUTED)
def test_a_graph_computes_its_definition(graphs: ExportedGraphs, name: str) -> None:
    exported = graphs.members[GraphRequest(name)]
    assert parse_graph(exported).sizes == SIZES.get(name, {})
    computed(exported, name, 1.0)
    computed(exported, name, 3.0)


def test_other_sizes_are_to_be_had(graphs: ExportedGraphs) -> None:
    computed(graphs.members[OTHER], "twoLayers", 1.0)
    assert "a length of Fin 0 → ℝ is 0" in graphs.refused[EMPTY]
    assert "no size called rows" in graphs.refused[UNKNOWN]


def test_a_constant_is_the_instances_to_choose(graphs: ExportedGraphs) -> None:
    graph = parse_graph(graphs.members[GraphRequest("rates")])
    assert graph.symbols == {"eta": -2.0}
    inputs = {"x": np.array([0.5, -3.0])}
    found = Interpreter(graph).evaluate(inputs, {"eta": np.array([0.1, 0.1])}).output
    np.testing.assert_allclose(found, rates(inputs, 0.1), rtol=1e-12)


def test_every_graph_follows_from_its_definition(graphs: ExportedGraphs) -> None:
    families = {f.short: f for f in graphs.families}
    assert set(COMPUTED) == set(families)
    assert all(f.follows for f in families.values())
    parts = families["twoLayers"].parts
    assert parts == {"Demo.softmax", "Demo.layer", "Demo.twoLayers"}


def test_nodes_have_the_names_of_definitions(graphs: ExportedGraphs) -> None:
    nodes = parse_graph(graphs.members[GraphRequest("step")]).nodes
    assert [n.name for n in nodes] == ["mul1", "sub1", "mul2", "slope", "scale1", "step"]
    assert "root" in {n.name for n in parse_graph(graphs.members[GraphRequest("smooth")]).nodes}
