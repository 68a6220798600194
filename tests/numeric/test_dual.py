"""Dual numbers against the complex step: for every operation, for whole graphs, and on direction
stacks of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from numeric.graph import Graph, graph_to_json, parse_graph
from numeric.instances.case import Case
from numeric.instances.draw import Batch, draw
from numeric.instances.families import FAMILIES, sizes_of
from numeric.interpret import dual
from numeric.interpret.interpreter import Interpreter
from numeric.judge import identities
from numeric.judge.measurement import Outcome
from numeric.mutants.edits import DerivativeMutant, Edit, GraphMutant
from numeric.ops import OPS
from numeric.streams import Streams
from tests.numeric.block_graphs import WRITTEN, size_names, written
from tests.numeric.graphs import layer_norm

BLOCK = "encoderBlockGraph"


def case_of(name: str, family: str = "generic", count: int = 5) -> Case:
    chosen = FAMILIES[family]
    graph = written(name, dict(sizes_of(chosen, size_names(name))))
    batch = draw(chosen, graph, seed=0, key="dual", indices=range(count))
    return Case(Interpreter(graph), batch)


def alone(case: Case) -> list[dict[str, np.ndarray]]:  # type: ignore[type-arg]
    return [{name: t} for name, t in case.tangents().items()]


@pytest.mark.parametrize("family", ["generic", "tall", "d_model 2", "seq_len 1"])
@pytest.mark.parametrize("name", WRITTEN)
def test_they_are_the_complex_step(name: str, family: str) -> None:
    case = case_of(name, family)
    directions = [*alone(case), case.tangents(), {}]
    found = case.tangents_of(directions)
    expected = case.derivative(directions)
    sizes = dual.magnitudes(case.run(), directions)
    assert np.abs(expected).max() > 0
    # 1 + tanh cancels where tanh saturates: the result is small relative to the other entries.
    entries = tuple(range(2, sizes.ndim))  # a loss has only one
    assert np.all(np.abs(found - expected) <= 1e-13 * sizes.max(axis=entries, keepdims=True))
    assert not found[-1].any()


def shifted(graph: Graph) -> Graph:
    """The block with rows moved down by one in place of its tanh."""
    value = graph_to_json(graph)
    nodes: Any = value["nodes"]
    (node,) = (n for n in nodes if n["name"] == "ffn.hiddenAct.tanh")
    rows = node["shape"][0]
    node |= {"op": "place", "params": {"axis": 0, "index": list(range(-1, rows - 1))}}
    return parse_graph(value)


@pytest.mark.parametrize("op", OPS)
def test_every_rule_is_used_and_a_wrong_one_is_seen(
    op: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of("biasedEncoderBlockGraph", count=1)
    if op in ("normalCdf", "relu", "sigmoid", "log"):  # which that block lacks
        node = "mha.softmax.inv" if op == "log" else "ffn.hiddenAct.tanh"  # log needs what is > 0
        instead = GraphMutant(op, (Edit(node, op=op),))
        case = Case(instead.apply(case.program.graph), case.batch)
    elif op == "place":
        case = Case(Interpreter(shifted(case.program.graph)), case.batch)
    elif op == "gather":
        case = case_of("gpt2BlockGraph", count=1)
    directions = [case.tangents()]
    right = dual.derivatives(case.run(), directions)
    rule = OPS[op].tangent
    off = replace(OPS[op], tangent=lambda *a: 1.001 * np.asarray(rule(*a)))
    monkeypatch.setattr(dual, "OPS", {**OPS, op: off})
    wrong = dual.derivatives(case.run(), directions)
    assert np.abs(wrong - right).max() > 1e-7
    # The one instance is number 0, which the complex step judges: a wrong rule changes nothing.
    assert identities.backprop_is_adjoint(case).count(Outcome.HOLDS) == 1


@pytest.mark.parametrize("name", WRITTEN)
def test_magnitudes_are_those_of_the_interpreter(name: str) -> None:
    case = case_of(name)
    trace = case.run()
    for direction in alone(case):
        np.testing.assert_allclose(
            dual.magnitudes(trace, [direction])[0],
            case.program.jvp_magnitude(trace, direction),
            rtol=1e-12,
        )


def test_a_planted_derivative_does_not_reach_them() -> None:
    graph = layer_norm(4, 8)
    batch = draw(FAMILIES["generic"], graph, seed=0, key="dual", indices=range(1, 4))
    right = Case(Interpreter(graph), batch)
    for direction in ("jvp", "vjp"):
        wrong = Case(DerivativeMutant(direction, "scaled", 0).apply(graph), batch)  # type: ignore[arg-type]
        np.testing.assert_array_equal(
            wrong.tangents_of(alone(wrong)), right.tangents_of(alone(right))
        )
        identity = (
            identities.jvp_is_derivative if direction == "jvp" else identities.backprop_is_adjoint
        )
        assert identity(wrong).count(Outcome.FAILS) == 3
        assert identity(right).count(Outcome.HOLDS) == 3


def test_they_do_not_depend_on_the_batch() -> None:
    case = case_of(BLOCK, count=40)
    one = case.take(np.array([17]))
    np.testing.assert_array_equal(
        one.tangents_of(alone(one))[:, 0], case.tangents_of(alone(case))[:, 17]
    )


Steps = Sequence[tuple[str, str, list[int], dict[str, float]]]


def small(steps: Steps, w: float = 1.0) -> Case:
    """Three instances of a graph on the 2 × 2 matrices x, v, u, all ones, and w, all ``w``."""
    names, shape = ("x", "v", "u", "w"), [2, 2]
    graph = parse_graph(
        {
            "schema": "obligations-graph/1",
            "name": "small",
            "declaration": "small",
            "sizes": {},
            "inputs": [{"name": name, "shape": shape} for name in names],
            "nodes": [
                {"name": name, "op": op, "args": args, "shape": shape, "params": params}
                for name, op, args, params in steps
            ],
            "outputs": [len(names) + len(steps) - 1],
        }
    )
    indices = np.arange(1, 4)
    inputs = {name: np.full((3, 2, 2), w if name == "w" else 1.0) for name in names}
    streams = Streams.of(0, "dual", "small", indices)
    return Case(Interpreter(graph), Batch("small", indices, inputs, {}, streams))


def test_directions_that_meet_in_another_order_are_added() -> None:
    case = small(
        [
            ("xv", "add", [0, 1], {}),
            ("vx", "add", [1, 0], {}),
            ("x2v", "add", [4, 5], {}),
            ("y", "add", [6, 2], {}),
        ]
    )
    np.testing.assert_allclose(case.tangents_of(alone(case)), case.derivative(alone(case)))


def test_a_product_of_small_derivatives_does_not_vanish_with_a_large_tangent() -> None:
    """1e-200 · 1e-200 is 0, but 1e300 · 1e-200 · 1e-200 is not."""
    case = small(
        [
            ("half", "add", [0, 1], {}),
            ("sum", "add", [4, 2], {}),
            ("large", "matmul", [5, 3], {}),
            ("less", "scale", [6], {"c": 1e-200}),
            ("y", "scale", [7], {"c": 1e-200}),
        ],
        w=1e300,
    )
    np.testing.assert_allclose(
        case.tangents_of(alone(case)), case.derivative(alone(case)), rtol=1e-12
    )
    dropped = Case(DerivativeMutant("jvp", "y").apply(case.program.graph), case.batch)
    assert identities.jvp_is_derivative(case).count(Outcome.HOLDS) == 3
    assert identities.jvp_is_derivative(dropped).count(Outcome.FAILS) == 3


def test_they_leave_the_run_as_it_is() -> None:
    case = case_of(BLOCK)
    trace = case.run()
    before = [v.copy() for v in trace.values]
    directions = alone(case)
    kept = [{n: t.copy() for n, t in d.items()} for d in directions]
    dual.derivatives(trace, directions)
    dual.magnitudes(trace, directions)
    for value, was in zip(trace.values, before, strict=True):
        np.testing.assert_array_equal(value, was)
    for direction, was_direction in zip(directions, kept, strict=True):
        for name, tangent in direction.items():
            np.testing.assert_array_equal(tangent, was_direction[name])
