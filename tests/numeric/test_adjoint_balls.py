"""Backprop in balls contains the result with 2500 bits, and a rule that is too tight is caught."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from numeric.arithmetic import rounding, wide
from numeric.arithmetic.wide import Wide
from numeric.errors import EvaluationError
from numeric.graph import Graph, Input, Node, build_graph
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES, Family, sizes_of
from numeric.interpret import adjoint_balls
from numeric.interpret.adjoint_balls import Enclosed, pulled_back
from numeric.interpret.enclosure import radii
from numeric.interpret.interpreter import Interpreter
from numeric.ops import OPS, Constant, Params
from tests.numeric.block_graphs import size_names, written
from tests.numeric.exact_backprop import exactly, outside

FloatArray = npt.NDArray[np.float64]
ROWS, INNER, COLUMNS = 3, 6, 4


def op_graph(op: str) -> Graph:
    """z = x·w, which may cancel; z² + 1/4 if the domain requires it; then the operation."""
    inputs = [Input("x", (ROWS, INNER)), Input("w", (INNER, COLUMNS))]
    z = Node("z", "matmul", (0, 1), Params(), (ROWS, COLUMNS))
    nodes, at = [z], 2
    if op in ("log", "sqrt", "inv"):
        nodes += [
            Node("square", "mul", (2, 2), Params(), z.shape),
            Node("more", "addConst", (3,), Params(c=Constant(0.25)), z.shape),
        ]
        at = 4
    return finished(op, inputs, nodes, at)


def finished(op: str, inputs: list[Input], nodes: list[Node], at: int) -> Graph:
    """The graph with the operation on one of its values as its output."""
    params = Params()
    shape: tuple[int, ...] = (ROWS, COLUMNS)
    args: tuple[int, ...] = (at,)
    if op in ("add", "sub", "mul"):
        args = (at, 0 if inputs[0].shape == (ROWS, COLUMNS) else at)
    if op == "matmul":
        nodes.append(Node("turned", "transpose", (at,), Params(perm=(1, 0)), (COLUMNS, ROWS)))
        args, shape = (at, len(inputs) + len(nodes) - 1), (ROWS, ROWS)
    if op in ("scale", "addConst"):
        params = Params(c=Constant(0.1))
    if op in ("sum", "mean"):
        params, shape = Params(axis=0), (COLUMNS,)
    if op == "broadcast":
        params, shape = Params(axis=1), (ROWS, 5, COLUMNS)
    if op == "transpose":
        params, shape = Params(perm=(1, 0)), (COLUMNS, ROWS)
    if op == "reshape":
        shape = (ROWS * COLUMNS,)
    if op == "place":
        params, shape = Params(axis=1, index=(0, 0, -1, 3, 0)), (ROWS, 5)
    if op == "gather":
        params, shape = Params(index=(0, 7, 7, -1, 7, 2)), (2, 3)
    nodes.append(Node("y", op, args, params, shape))
    return build_graph(
        name="g",
        declaration="g",
        sizes={},
        inputs=inputs,
        nodes=nodes,
        outputs=[len(inputs) + len(nodes) - 1],
    )


def cancelling(rng: np.random.Generator) -> dict[str, FloatArray]:
    """Rows whose product with w is about 1e-6 of its terms: it loses six digits."""
    x, w = rng.normal(size=(ROWS, INNER)), rng.normal(size=(INNER, COLUMNS))
    x[:, 0] *= 1e6
    x[:, 1], w[1] = -x[:, 0], w[0] * (1 + 1e-7 * rng.normal(size=COLUMNS))
    return {"x": x, "w": w}


def scattered(rng: np.random.Generator) -> dict[str, FloatArray]:
    """Subnormal, tiny, ordinary and large numbers in one product, and exact zeros."""
    sizes = np.array([5e-324, 1e-310, 1e-200, 1e-8, 1.0, 30.0, 0.0])
    x = rng.choice(sizes, size=(ROWS, INNER)) * rng.choice([-1.0, 1.0], size=(ROWS, INNER))
    w = rng.choice(sizes[2:], size=(INNER, COLUMNS)) * rng.normal(size=(INNER, COLUMNS))
    return {"x": x, "w": w}


def huge(rng: np.random.Generator) -> dict[str, FloatArray]:
    """Up to 1e160 against 1e-160 and subnormals."""
    x = 10.0 ** rng.uniform(-30, 155, size=(ROWS, INNER))
    w = 10.0 ** rng.uniform(-320, 3, size=(INNER, COLUMNS)) * rng.choice([-1.0, 1.0])
    return {"x": x, "w": w}


def generic(rng: np.random.Generator) -> dict[str, FloatArray]:
    return {"x": rng.normal(size=(ROWS, INNER)), "w": rng.normal(size=(INNER, COLUMNS))}


Draw = Callable[[np.random.Generator], dict[str, FloatArray]]
DRAWS: Sequence[Draw] = (generic, cancelling, scattered, huge)


def enclosed(
    graph: Graph, inputs: dict[str, FloatArray], rng: np.random.Generator
) -> tuple[Enclosed, FloatArray]:
    cotangent = rng.normal(size=graph.shape_of(graph.outputs[0]))
    trace = Interpreter(graph).evaluate({n: v[None] for n, v in inputs.items()})
    return pulled_back(trace, cotangent[None]), cotangent


def escapes(graph: Graph, inputs: dict[str, FloatArray], rng: np.random.Generator) -> int:
    """The number of entries of values and gradients that the balls do not contain."""
    found, cotangent = enclosed(graph, inputs, rng)
    values, gradients = exactly(graph, inputs, cotangent)
    count = sum(outside(exact, a) for exact, a in zip(values, found.values, strict=True))
    return count + sum(outside(exact, found.gradients[n]) for n, exact in gradients.items())


@pytest.mark.parametrize("op", sorted(OPS))
@pytest.mark.parametrize("draw_inputs", DRAWS, ids=lambda d: d.__name__)
def test_balls_hold_the_exact_gradient(op: str, draw_inputs: Draw) -> None:
    graph = op_graph(op)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        assert escapes(graph, draw_inputs(rng), rng) == 0


@pytest.mark.parametrize("op", sorted(OPS))
def test_balls_are_not_wide(op: str) -> None:
    """Otherwise they would be useless."""
    rng = np.random.default_rng(0)
    found, _ = enclosed(op_graph(op), generic(rng), rng)
    for a in found.gradients.values():
        assert a.radius.max() < 1e-26 * max(np.abs(a.hi).max(), 1.0)
    assert not found.open


def tightened(monkeypatch: pytest.MonkeyPatch, field: str, op: str) -> None:
    """A thousandth of the radius that one operation's rules return."""

    def tight(rule: Any) -> Any:
        def ruled(*args: Any) -> Wide:
            a = rule(*args)
            return Wide(a.hi, a.lo, 1e-3 * a.radius)

        return ruled

    own = getattr(OPS[op], field)
    changed = tuple(map(tight, own)) if isinstance(own, tuple) else tight(own)
    rules: dict[str, Any] = {field: changed}
    monkeypatch.setattr(adjoint_balls, "OPS", {**OPS, op: replace(OPS[op], **rules)})


def positive(seed: int, *names: str) -> dict[str, FloatArray]:
    rng = np.random.default_rng(seed)
    return {n: 0.1 + np.abs(rng.normal(size=(ROWS, COLUMNS))) for n in names}


@pytest.mark.parametrize("op", sorted(OPS))
def test_a_value_that_is_too_tight_is_caught(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tightened(monkeypatch, "wide", op)
    inputs = [Input("x", (ROWS, COLUMNS)), Input("w", (ROWS, COLUMNS))]
    z = Node("z", "mul", (0, 1), Params(), (ROWS, COLUMNS))
    cube = Node("cube", "mul", (2, 0), Params(), (ROWS, COLUMNS))  # more than 106 bits
    graph = finished(op, inputs, [z, cube], 3)
    found = [escapes(graph, positive(k, "x", "w"), np.random.default_rng(k)) for k in range(10)]
    assert sum(found) > 0


PASSES = {"add", "sub", "addConst"}
"""They pass the cotangent on unchanged."""


@pytest.mark.parametrize("op", sorted(set(OPS) - PASSES))
def test_a_pull_that_is_too_tight_is_caught(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operation is first, so nothing comes after its pull."""
    graph = finished(op, [Input("x", (ROWS, COLUMNS))], [], 0)
    last = len(graph.inputs) + len(graph.nodes) - 1
    shape = graph.nodes[-1].shape
    more = [
        Node("square", "mul", (last, last), Params(), shape),
        Node("fourth", "mul", (last + 1, last + 1), Params(), shape),
    ]
    graph = build_graph(
        name="g",
        declaration="g",
        sizes={},
        inputs=graph.inputs,
        nodes=[*graph.nodes, *more],
        outputs=[last + 2],
    )
    monkeypatch.undo()
    assert sum(escapes(graph, positive(k, "x"), np.random.default_rng(k)) for k in range(3)) == 0
    tightened(monkeypatch, "wide_pulls", op)  # for "mul" also the pulls of the nodes after it
    found = [escapes(graph, positive(k, "x"), np.random.default_rng(k)) for k in range(10)]
    assert sum(found) > 0


def test_forgetting_the_low_half_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    original = wide._product

    def halved(a: Wide, b: Wide) -> Any:
        high, low, off = original(a, b)
        return high, 0.0 * low, off

    monkeypatch.setattr(wide, "_product", halved)
    rng = np.random.default_rng(0)
    assert escapes(op_graph("exp"), cancelling(rng), rng) > 0


@pytest.mark.parametrize("inner", [1, 2, 7, 384, 1536, 5000])
def test_slices_multiply_exactly(inner: int) -> None:
    """Every product of two slices is a sum below 2^53 of integers, for all sizes."""
    rng = np.random.default_rng(inner)
    a = rng.normal(size=(2, inner)) * 10.0 ** rng.uniform(-12, 12, size=(2, inner))
    b = rng.normal(size=(inner, 2)) * 10.0 ** rng.uniform(-12, 12, size=(inner, 2))
    product = Wide.exactly(a) @ Wide.exactly(b)
    for i in range(2):
        for j in range(2):
            exact = sum(
                (Fraction(x) * Fraction(y) for x, y in zip(a[i], b[:, j], strict=True)), Fraction(0)
            )
            middle = Fraction(product.hi[i, j]) + Fraction(product.lo[i, j])
            assert abs(exact - middle) <= Fraction(product.radius[i, j])
            size = float(np.abs(a[i]).max() * np.abs(b[:, j]).max())
            assert product.radius[i, j] <= 1e-22 * size


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("name", ["biasedEncoderBlockGraph", "softmaxGraph"])
def test_every_family_of_the_block_is_enclosed(family: Family, name: str) -> None:
    """Saturated softmax, constant rows, variance 0, offsets of 1e8, ε < 0, …"""
    graph = written(name, dict(sizes_of(family, size_names(name))))
    batch = draw(family, graph, seed=3, key="adjoint balls", indices=[0])
    case = Case(Interpreter(graph), batch)
    inputs = {n: np.asarray(v[0]) for n, v in batch.inputs.items()}
    own = replace(graph, nodes=tuple(_bound(n, batch.constants) for n in graph.nodes))
    rng = np.random.default_rng(0)
    cotangent = rng.normal(size=graph.shape_of(graph.outputs[0]))
    found = pulled_back(case.run(), cotangent[None])
    if not all(np.isfinite(a.radius).all() for a in found.values):
        assert found.open or any(np.isinf(a.radius).any() for a in found.gradients.values())
        return  # after a division by a possible 0 there is no derivative and no claim
    _, gradients = exactly(own, inputs, cotangent)
    for n, exact in gradients.items():
        a = found.gradients[n]
        assert outside(exact, a) == 0, n


def _bound(node: Node, constants: Any) -> Node:
    c = node.params.c
    if c is None or c.symbol not in constants:
        return node
    value = Constant(float(constants[c.symbol][0]))
    return replace(node, params=replace(node.params, c=value))


def test_the_middle_is_what_the_interpreter_gives() -> None:
    graph = written(
        "biasedEncoderBlockGraph",
        dict(sizes_of(FAMILIES["generic"], size_names("biasedEncoderBlockGraph"))),
    )
    batch = draw(FAMILIES["generic"], graph, seed=4, key="adjoint balls", indices=[0, 1])
    program = Interpreter(graph)
    trace = program.evaluate(batch.inputs, batch.constants)
    cotangent = np.random.default_rng(0).normal(size=trace.output.shape)
    found, expected = pulled_back(trace, cotangent), program.vjp(trace, cotangent)
    for name, gradient in expected.items():
        np.testing.assert_allclose(found.gradients[name].hi, gradient, rtol=1e-9, atol=1e-9)


def test_a_division_by_what_may_be_0_is_not_known() -> None:
    """(a·b)·c − a·(b·c) is 0, which no precision can show."""
    names, shape = ("a", "b", "c"), (2,)
    steps = [("mul", 0, 1), ("mul", 3, 2), ("mul", 1, 2), ("mul", 0, 5), ("sub", 4, 6)]
    nodes = [Node(f"n{k}", op, (i, j), Params(), shape) for k, (op, i, j) in enumerate(steps)]
    nodes.append(Node("y", "inv", (7,), Params(), shape))
    graph = build_graph(
        name="g",
        declaration="g",
        sizes={},
        inputs=[Input(n, shape) for n in names],
        nodes=nodes,
        outputs=[8],
    )
    rng = np.random.default_rng(0)
    found, _ = enclosed(graph, {n: rng.normal(size=2) for n in names}, rng)
    assert found.open == "y (inv)"
    assert np.isinf(found.gradients["a"].radius).all()


def test_relu_around_0_holds_both_slopes() -> None:
    graph = op_graph("relu")
    rng = np.random.default_rng(0)
    inputs = {"x": np.zeros((ROWS, INNER)), "w": np.ones((INNER, COLUMNS))}
    found, cotangent = enclosed(graph, inputs, rng)
    a = found.gradients["x"]
    for slope in (0.0, 1.0):
        expected = slope * cotangent.sum(axis=1)[:, None] * np.ones((ROWS, INNER))
        assert (np.abs(expected - a.hi[0]) <= a.radius[0]).all()


def test_one_over_a_huge_number_keeps_its_radius() -> None:
    """|x|·(|x| − r) overflows; the radius was 0 and rounding for x = 1e200 ± 1e190."""
    inputs = [Input("a", (1,)), Input("b", (1,))]
    nodes = [
        Node("far", "add", (0, 1), Params(), (1,)),
        Node("y", "inv", (2,), Params(), (1,)),
    ]
    graph = build_graph(
        name="g", declaration="g", sizes={}, inputs=inputs, nodes=nodes, outputs=[3]
    )
    trace = Interpreter(graph).evaluate({"a": np.array([[1e200]]), "b": np.array([[1e184]])})
    bounds = radii(trace)
    assert bounds[2][0, 0] > 0
    exact_share = bounds[2][0, 0] / 1e200
    assert bounds[3][0, 0] >= exact_share * 1e-200


def test_underflow_of_one_factor_counts_where_the_other_is_huge() -> None:
    """γ·|b| underflows to 0 for b = 1e-310, and a = 1e300 brings it back."""
    inputs = [Input("a", (1,)), Input("b", (1,))]
    nodes = [Node("y", "mul", (0, 1), Params(), (1,))]
    graph = build_graph(
        name="g", declaration="g", sizes={}, inputs=inputs, nodes=nodes, outputs=[2]
    )
    a, b = 1.1e300, 3.3e-312
    given = {"a": np.array([a]), "b": np.array([b])}
    values, _ = exactly(graph, given, np.ones(1))
    trace = Interpreter(graph).evaluate({n: v[None] for n, v in given.items()})
    value, radius = trace.values[2], radii(trace)[2]
    assert outside(values[2], Wide(value, np.zeros(value.shape), radius)) == 0


def test_flushed_subnormals_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    original = np.array

    def flushing(x: Any, *args: Any, **kwargs: Any) -> Any:
        found = original(x, *args, **kwargs)
        found[np.abs(found) < 2.0**-1022] = 0.0
        return found

    monkeypatch.setattr(rounding.np, "array", flushing)
    with pytest.raises(EvaluationError, match="subnormal"):
        rounding.standard_arithmetic()
