"""The interpreter: values, derivatives, magnitudes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from numeric.closed_forms import layer_norm as closed_form
from numeric.errors import EvaluationError, GraphError
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.interpreter import Interpreter
from numeric.mutants.edits import DerivativeMutant
from numeric.ops import OPS, Array
from tests.numeric.graphs import layer_norm

FloatArray = npt.NDArray[np.float64]
GRAPH = layer_norm(4, 8)


def case(count: int = 6, family: str = "generic") -> Case:
    batch = draw(FAMILIES[family], GRAPH, seed=0, key="test", indices=range(count))
    return Case(Interpreter(GRAPH), batch)


def test_values_are_those_of_the_closed_form() -> None:
    c = case()
    b = c.batch.inputs
    expected = closed_form.forward(b["x"], b["gamma"], b["beta"], c.batch.constants["eps"])
    trace = c.run()
    np.testing.assert_allclose(trace.output, expected, rtol=1e-12)
    np.testing.assert_allclose(trace["var"], b["x"].var(axis=-1))


def test_constants_are_rebound_per_instance_and_have_defaults() -> None:
    c = case(3)
    x = dict(c.batch.inputs)
    default = c.program.evaluate(x)["varEps"] - c.program.evaluate(x)["var"]
    np.testing.assert_allclose(default, 1e-5, rtol=1e-6)
    eps = np.array([0.0, 1.0, 2.0])
    bound = c.program.evaluate(x, {"eps": eps})
    np.testing.assert_allclose(bound["varEps"] - bound["var"], np.tile(eps[:, None], 4), atol=1e-14)


def test_jvp_is_the_derivative_and_vjp_its_adjoint() -> None:
    c = case()
    tangents, cotangent = c.tangents(), c.cotangent()
    trace = c.run()
    jvp = c.program.jvp(trace, tangents)
    np.testing.assert_allclose(jvp, c.derivative([tangents])[0], rtol=1e-11, atol=1e-13)
    pulled = c.program.vjp(trace, cotangent)
    right = sum((tangents[n] * pulled[n]).sum() for n in tangents)
    np.testing.assert_allclose((jvp * cotangent).sum(), right)


def test_magnitudes_bound_values_and_agree_from_both_ends() -> None:
    c = case()
    tangents, cotangent = c.tangents(), c.cotangent()
    trace = c.run()
    for value, size in zip(trace.values, c.program.value_magnitudes(trace), strict=True):
        assert np.all(size >= np.abs(value) * (1 - 1e-12))
    forward = c.program.jvp_magnitude(trace, tangents)
    assert np.all(forward >= np.abs(c.program.jvp(trace, tangents)) * (1 - 1e-12))
    backward = c.program.vjp_magnitude(trace, cotangent)
    right = sum((np.abs(tangents[n]) * backward[n]).sum() for n in tangents)
    np.testing.assert_allclose((forward * np.abs(cotangent)).sum(), right)


RUNS: dict[str, Callable[[Case], Array]] = {
    "value": lambda c: c.run().output,
    "perturbed value": lambda c: c.run(c.perturbation(0)).output,
    "complex step": lambda c: c.derivative([c.tangents()])[0],
    "perturbed complex step": lambda c: c.derivative([c.tangents()] * 3, c.perturbation(1))[2],
    "perturbed backprop": lambda c: c.program.vjp(c.run(), c.cotangent(), c.perturbation(0))["x"],
}


@pytest.mark.parametrize("name", RUNS)
def test_results_do_not_depend_on_the_batch(name: str) -> None:
    c = case(40)
    alone = c.take(np.array([17]))
    np.testing.assert_array_equal(RUNS[name](alone)[0], RUNS[name](c)[17])


def test_a_perturbed_run_moves_by_rounding_only() -> None:
    c = case()
    plain, moved = c.run().output, c.run(c.perturbation(0)).output
    assert np.any(plain != moved)
    np.testing.assert_allclose(moved, plain, rtol=1e-12, atol=1e-13)
    assert np.any(moved != c.run(c.perturbation(1)).output)


def test_an_override_applies_to_its_node_only() -> None:
    wrong = DerivativeMutant("vjp", "scaled", 0).apply(GRAPH)
    c = case()
    broken = Case(wrong, c.batch)
    np.testing.assert_array_equal(broken.run().output, c.run().output)
    np.testing.assert_array_equal(
        wrong.jvp(broken.run(), c.tangents()), c.program.jvp(c.run(), c.tangents())
    )
    pulled = wrong.vjp(broken.run(), c.cotangent())
    assert not pulled["x"].any()
    assert pulled["gamma"].any()
    with pytest.raises(GraphError, match="expected a value named 'nowhere'"):
        Interpreter(GRAPH, {"nowhere": OPS["add"]})


def test_mismatched_arguments_are_refused() -> None:
    c = case(3)
    x = dict(c.batch.inputs)
    run = c.program
    with pytest.raises(EvaluationError, match="expected inputs .* but got \\['gamma', 'x'\\]"):
        run.evaluate({k: v for k, v in x.items() if k != "beta"})
    with pytest.raises(
        EvaluationError, match="expected 'x' of shape \\(3, 4, 8\\), batch axis first"
    ):
        run.evaluate({**x, "x": x["x"][:, :2]})
    with pytest.raises(EvaluationError, match="expected constants among \\['eps'\\] .* got 'eps1'"):
        run.evaluate(x, {"eps1": np.zeros(3)})
    with pytest.raises(EvaluationError, match="expected eps of shape \\(3,\\) but got \\(2,\\)"):
        run.evaluate(x, {"eps": np.zeros(2)})
    trace = run.evaluate(x)
    with pytest.raises(EvaluationError, match="expected directions of inputs but got \\['y'\\]"):
        run.jvp(trace, {"y": x["x"]})
    with pytest.raises(EvaluationError, match="expected a direction of 'gamma' of shape"):
        run.jvp(trace, {"gamma": x["x"]})


def test_every_part_of_a_case_keeps_the_graph_to_compare_with() -> None:
    c = case(3)
    pair = Case(c.program, c.batch, c.program)
    assert pair.take(np.arange(2)).beside is c.program
    assert pair.reruns([0])[0].beside is c.program
