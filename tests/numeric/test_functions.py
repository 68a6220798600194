"""Functions of one number that the block with tanh-GELU lacks: value, radius and ball."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from numeric.closed_forms.activations import GELU, RELU, TANH_GELU, Activation
from numeric.graph import Graph, graph_to_json, parse_graph
from numeric.interpret.balls import enclose
from numeric.interpret.enclosure import radii
from numeric.interpret.interpreter import Interpreter

FloatArray = npt.NDArray[np.float64]
POINTS = np.array([-40.0, -8.5, -3.0, -0.5, -1e-9, 0.0, 1e-9, 0.5, 3.0, 8.5, 40.0])
PHI = {0.0: 0.5, 1.0: 0.8413447460685429, -1.0: 0.15865525393145707, -8.0: 6.220960574271785e-16}
"""From tables of the normal distribution."""


def function(op: str) -> Graph:
    shape = [len(POINTS)]
    return parse_graph(
        {
            "schema": "obligations-graph/1",
            "name": f"{op}Alone",
            "declaration": f"PostNorm.{op}Alone",
            "sizes": {},
            "inputs": [{"name": "x", "shape": shape}],
            "nodes": [
                # x + 0.1 has a rounding error, so the function receives a ball and not a point
                {"op": "addConst", "args": [0], "params": {"c": 0.1}, "shape": shape, "name": "z"},
                {"op": op, "args": [1], "params": {}, "shape": shape, "name": "y"},
            ],
            "outputs": [2],
        }
    )


def test_the_distribution_function_is_that_of_the_tables() -> None:
    x = np.array([list(PHI)]) - 0.1
    graph = function("normalCdf")
    padded = np.zeros((1, len(POINTS)))
    padded[:, : x.shape[1]] = x
    found = Interpreter(graph).evaluate({"x": padded}).output[0, : x.shape[1]]
    np.testing.assert_allclose(found, list(PHI.values()), rtol=1e-12)


@pytest.mark.parametrize("op", ["normalCdf", "relu", "sigmoid", "log"])
def test_radius_and_ball_hold_the_exact_value(op: str) -> None:
    graph = function(op)
    points = np.abs(POINTS) if op == "log" else POINTS
    trace = Interpreter(graph).evaluate({"x": points[None]})
    radius = radii(trace)[2][0]
    ball = enclose(graph, {"x": points}, {}, 0.0, "y")
    for value, around, exact in zip(trace.output[0], radius, ball.entries, strict=True):
        assert float(abs(exact - float(value)).upper()) <= around * (1 + 1e-9) + 1e-300
        assert around < 2e-14  # 16 units in the last place of the largest


def test_log_is_not_known_where_its_argument_may_not_be_positive() -> None:
    graph = function("log")
    radius = radii(Interpreter(graph).evaluate({"x": POINTS[None]}))[2][0]
    ball = enclose(graph, {"x": POINTS}, {}, 0.0, "y")
    np.testing.assert_array_equal(np.isfinite(radius), POINTS + 0.1 > 0)
    np.testing.assert_array_equal([b.is_finite() for b in ball.entries], POINTS + 0.1 > 0)


@pytest.mark.parametrize("op", ["place", "gather"])
def test_places_move_numbers_radii_and_balls_and_put_zero(op: str) -> None:
    value = graph_to_json(function("exp"))
    length = len(POINTS)
    index = [length - 1, -1, 0, 0]
    value["nodes"].append(  # type: ignore[attr-defined]
        {
            "op": op,
            "args": [2],
            "params": {"axis": 0, "index": index},
            "shape": [4],
            "name": "p",
        }
    )
    if op == "gather":
        del value["nodes"][-1]["params"]["axis"]  # type: ignore[index]
    graph = parse_graph({**value, "outputs": [3]})
    assert parse_graph(graph_to_json(graph)) == graph
    trace = Interpreter(graph).evaluate({"x": POINTS[None] / 40})
    found, radius = trace.values[3][0], radii(trace)
    expected = [0.0 if k < 0 else trace.values[2][0, k] for k in index]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(radius[3][0] > 0, [k >= 0 for k in index])
    ball = enclose(graph, {"x": POINTS / 40}, {}, 0.0, "p")
    for value_, entry in zip(found, ball.entries, strict=True):
        assert float(abs(entry - float(value_)).upper()) < 1e-14
    assert ball.least() == 0.0


@pytest.mark.parametrize("op", ["normalCdf", "relu", "sigmoid"])
def test_a_wide_ball_holds_the_value_at_its_ends(op: str) -> None:
    graph = function(op)
    ball = enclose(graph, {"x": POINTS}, {}, 0.25, "y")
    for end in (-0.249, 0.0, 0.249):
        values = Interpreter(graph).evaluate({"x": POINTS[None] + end}).output[0]
        for value, entry in zip(values, ball.entries, strict=True):
            assert float(entry.lower()) - 1e-15 <= value <= float(entry.upper()) + 1e-15
    assert ball.least() >= 0.0


@pytest.mark.parametrize("activation", [GELU, RELU, TANH_GELU], ids=lambda a: a.name)
def test_an_activation_has_the_derivative_that_it_says(activation: Activation) -> None:
    x, step = POINTS[np.abs(POINTS) > 1e-3], 1e-6
    slope = (activation.forward(x + step) - activation.forward(x - step)) / (2 * step)
    np.testing.assert_allclose(activation.derivative(x), slope, atol=1e-8)


def test_exact_gelu_is_not_its_approximation() -> None:
    x = np.linspace(-4, 4, 81)
    apart = np.abs(GELU.forward(x) - TANH_GELU.forward(x)).max()
    assert 1e-4 < apart < 1e-3
    assert GELU.forward(np.array([1.0]))[0] == pytest.approx(
        0.5 * (1 + math.erf(math.sqrt(0.5))), rel=1e-15
    )
