"""The radii hold against the same graph run with 60 decimal digits, in every family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from numeric.closed_forms import layer_norm
from numeric.errors import EvaluationError
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES, Family, sizes_of
from numeric.interpret.enclosure import radii
from numeric.interpret.interpreter import Interpreter
from numeric.ops import OPS
from tests.numeric.block_graphs import block

DIGITS = 60
Objects = npt.NDArray[Any]


def _each(function: Callable[[Decimal], Decimal]) -> Callable[[Objects], Objects]:
    return np.vectorize(function, otypes=[object])


def _tanh(x: Decimal) -> Decimal:
    e = (-2 * abs(x)).exp()
    t = (1 - e) / (1 + e)
    return t if x >= 0 else -t


_FUNCTIONS: Mapping[str, Callable[[Objects], Objects]] = {
    "exp": _each(lambda x: x.exp()),
    "tanh": _each(_tanh),
    "inv": _each(lambda x: 1 / x if x else x),
    "sqrt": _each(lambda x: max(x, Decimal(0)).sqrt()),
}


def exactly(graph: Graph, case: Case) -> list[Objects]:
    """All values of one instance, to 60 digits, by operations written for numbers of any kind."""
    values = [_each(Decimal)(case.batch.inputs[i.name][0].astype(object)) for i in graph.inputs]
    for node in graph.nodes:
        args = [values[a] for a in node.args]
        c = None
        if node.params.c is not None:
            named = case.batch.constants.get(node.params.c.symbol or "")
            c = Decimal(node.params.c.value if named is None else float(named[0]))
        axis = node.params.axis
        out: Any
        if node.op in _FUNCTIONS:
            out = _FUNCTIONS[node.op](args[0])
        elif node.op == "matmul":
            out = np.matmul(*args)
        elif node.op in ("add", "sub", "mul"):
            out = {"add": np.add, "sub": np.subtract, "mul": np.multiply}[node.op](*args)
        elif node.op == "scale":
            out = args[0] * c
        elif node.op == "addConst":
            out = args[0] + c
        elif node.op == "sum":
            out = args[0].sum(axis=axis)
        elif node.op == "mean":
            out = args[0].sum(axis=axis) / Decimal(args[0].shape[axis or 0])
        elif node.op == "broadcast":
            out = np.broadcast_to(np.expand_dims(args[0], axis or 0), node.shape)
        elif node.op == "transpose":
            out = np.transpose(args[0], node.params.perm)
        else:
            out = args[0].reshape(node.shape)
        values.append(np.asarray(out, dtype=object))
    return values


def instance(family: Family, index: int) -> Case:
    graph = block(**dict(zip(("seq_len", "heads", "head_dim", "d_ff"), sizes(family), strict=True)))
    batch = draw(family, graph, seed=2, key="enclosure", indices=[index])
    return Case(Interpreter(graph), batch)


def sizes(family: Family) -> list[int]:
    return [n for _, n in sizes_of(family, ("seqLen", "numHeads", "headDim", "dFF"))]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)
def test_the_exact_value_is_within_the_radius(family: Family) -> None:
    case = instance(family, 0)
    graph, trace = case.program.graph, case.run()
    bounds = radii(trace)
    with localcontext(prec=DIGITS):
        exact = exactly(graph, case)
        names = [i.name for i in graph.inputs] + [n.name for n in graph.nodes]
        for name, truth, value, bound in zip(names, exact, trace.values, bounds, strict=True):
            for t, v, r in zip(truth.flat, value[0].flat, bound[0].flat, strict=True):
                if np.isinf(r):
                    continue
                assert abs(t - Decimal(float(v))) <= Decimal(float(r)), name
        for norm, prefix in (("attnResidual", "norm1"), ("ffnResidual", "norm2")):
            at = graph.index(norm)
            symbol = "eps" + prefix[-1]
            rows = np.asarray(trace.values[at], np.float64)
            sign = layer_norm.var_eps(rows, case.batch.constants[symbol], bounds[at])
            truths = exact[graph.index(f"{prefix}.varEps")]
            bools = zip(sign.positive[0], sign.nonpositive[0], strict=True)
            rows_of = zip(truths, sign.low[0], sign.high[0], bools, strict=True)
            for truth, low, high, (yes, no) in rows_of:
                slack = Decimal("1e-40")
                assert not (yes and truth < -slack)
                assert not (no and truth > slack)
                assert Decimal(float(low)) - slack <= truth <= Decimal(float(high)) + slack


def test_radii_are_not_much_too_large() -> None:
    case = instance(FAMILIES["generic"], 1)
    trace = case.run()
    bounds = radii(trace)
    scale = np.abs(trace.output).max()
    assert bounds[case.program.graph.outputs[0]].max() < 1e-9 * scale


def test_exact_values_have_radius_zero() -> None:
    case = instance(FAMILIES["eps 0, constant row"], 0)
    graph, trace = case.program.graph, case.run()
    bounds = radii(trace)
    for name in ("attnResidual", "ffnResidual"):
        assert bounds[graph.index(name)].max() == 0.0


def test_a_prefix_is_enough() -> None:
    case = instance(FAMILIES["generic"], 0)
    graph, trace = case.program.graph, case.run()
    last = graph.index("attnResidual")
    some = radii(trace, last)
    assert len(some) == last + 1
    np.testing.assert_array_equal(some[-1], radii(trace)[last])


def test_a_complex_run_is_refused() -> None:
    case = instance(FAMILIES["generic"], 0)
    complex_inputs = {n: v + 0j for n, v in case.batch.inputs.items()}
    trace = case.program.evaluate(complex_inputs)
    with pytest.raises(EvaluationError, match="real numbers but got complex128"):
        radii(trace)


def test_every_operation_is_exercised() -> None:
    by_itself = {
        "normalCdf",
        "relu",
        "sigmoid",
        "log",
        "place",
        "gather",
    }  # in tests/numeric/test_functions.py
    assert {n.op for n in block().nodes} | by_itself == set(OPS)
