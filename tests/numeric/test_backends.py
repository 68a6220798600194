"""torch and JAX against numpy: the same numbers to rounding, the same verdicts, errors included."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bridge.checks.measures import backprop_is_right, derivative_is_right, value_is_right
from numeric.backends import BACKENDS, Backend, backend_named
from numeric.errors import BackendError
from numeric.instances.case import Case
from numeric.instances.draw import Batch, draw
from numeric.instances.families import FAMILIES, Region, families_of, sizes_of
from numeric.interpret import questions
from numeric.interpret.interpreter import Interpreter, Trace
from numeric.judge import tolerance
from numeric.judge.measurement import Outcome
from numeric.mutants.edits import plant
from numeric.mutants.planted import PLANTED, mutants_of
from numeric.ops import OPS
from numeric.streams import Streams
from tests.capture.every_operation import every_operation
from tests.numeric.block_graphs import WRITTEN, size_names, written
from tests.numeric.graphs import layer_norm

BLOCK = "encoderBlockGraph"
ULPS = 64.0
DOMAIN = [f.name for f in FAMILIES.values() if f.region is Region.DOMAIN]


def needs(name: str) -> Any:
    missing = importlib.util.find_spec(name) is None
    return pytest.mark.skipif(missing, reason=f"{name} is not installed")


def mostly_slow(names: Iterable[str], but: str) -> list[Any]:
    """All as parameters; those that need not run at each change are marked."""
    return [n if n == but else pytest.param(n, marks=pytest.mark.slow) for n in names]


def chosen(name: str) -> Backend:
    found = backend_named("torch:cpu" if name == "torch" else name)
    assert found is not None
    return found


def case_of(name: str, family: str = "generic", count: int = 6) -> Case:
    some = FAMILIES[family]
    graph = written(name, dict(sizes_of(some, size_names(name))))
    batch = draw(some, graph, seed=0, key="backends", indices=range(1, count + 1))
    return Case(Interpreter(graph), batch)


def everything(
    program: Interpreter, trace: Trace, tangents: dict[str, Any], cotangent: Any
) -> dict[str, Any]:
    """All questions in one run, so that it is compiled once."""
    value = questions.value(program, trace)
    tangent = questions.tangent(program, trace, tangents)
    pulled, pulled_terms = questions.backprop(program, trace, cotangent)
    pushed, exact, exact_terms = questions.derivatives(program, trace, tangents)
    return {
        "value": (value.found, value.terms),
        "JVP": (tangent.found, tangent.terms),
        **{f"VJP {n}": (pulled[n], pulled_terms[n]) for n in pulled},
        **{f"JVP {k}": pair for k, pair in enumerate(zip(pushed, exact_terms, strict=True))},
        **{f"exact {k}": pair for k, pair in enumerate(zip(exact, exact_terms, strict=True))},
    }


def compare(case: Case, backend: Backend) -> None:
    """Every number within a few roundings of its terms, the largest of its instance; in a deep
    graph one rounding per node."""
    roundings = max(ULPS, len(case.program.graph.nodes))
    given = (case.tangents(), case.cotangent())
    expected = everything(case.program, case.run(), *given)
    found, finite = backend.ask(everything, case.program, case.batch.inputs, case.constants, *given)
    np.testing.assert_array_equal(finite, case.finite())
    assert set(found) == set(expected)
    for name, (right, terms) in expected.items():
        scale = terms.reshape(len(case), -1).max(axis=1).reshape(-1, *(1 for _ in right.shape[1:]))
        for here, there in ((found[name][0], right), (found[name][1], terms)):
            assert here.dtype == np.float64
            assert here.shape == there.shape, name
            assert np.all(np.abs(here - there) <= roundings * 2.0**-53 * scale + 1e-300), name


@needs("torch")
@pytest.mark.parametrize("name", mostly_slow(WRITTEN, BLOCK))
def test_torch_computes_what_numpy_does(name: str) -> None:
    compare(case_of(name, families_of(name)[0].name), chosen("torch"))


def of_every_operation() -> Case:
    """Three instances of a small graph with each of the operations."""
    w = every_operation()
    w.node("flat2", "gather", "out", shape=(4,), index=[5, -1, 1, 5])
    w.node("least", "sum", "flat2", shape=(), axis=0)
    graph = w.graph("least")
    inputs = {
        given.name: np.random.default_rng(i).uniform(0.2, 1.0, size=(3, *given.shape))
        for i, given in enumerate(graph.inputs)
    }
    constants = {"eps": np.array([1e-5, 0.1, 2.0])}
    indices = np.arange(1, 4)
    streams = Streams.of(0, "backends", "every", indices)
    return Case(Interpreter(graph), Batch("every", indices, inputs, constants, streams))


@pytest.mark.parametrize("name", [pytest.param(n, marks=needs(n)) for n in ("torch", "jax")])
def test_every_operation_computes_what_numpy_does(name: str) -> None:
    case = of_every_operation()
    assert {node.op for node in case.program.graph.nodes} == set(OPS)
    compare(case, chosen(name))


class _Always:
    """A backend that also accepts few instances."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.asked = 0

    def takes(self, graph: object, instances: int) -> bool:
        return True

    def ask(self, *given: Any) -> Any:
        self.asked += 1
        return self._backend.ask(*given)


def on(name: str, case: Case) -> tuple[Case, _Always]:
    always = _Always(chosen(name))
    return replace(case, backend=always), always  # type: ignore[arg-type]


MEASURES = (value_is_right, derivative_is_right, backprop_is_right)


@needs("torch")
@pytest.mark.parametrize("family", mostly_slow(DOMAIN, "generic"))
def test_verdicts_are_the_same_on_torch(family: str) -> None:
    if FAMILIES[family] not in families_of(BLOCK):
        family = "generic"
    case = case_of(BLOCK, family, 5)
    there, always = on("torch", case)
    for measure in MEASURES:
        found, expected = measure(there), measure(case)
        np.testing.assert_array_equal(found.outcome, expected.outcome)
    assert always.asked >= len(MEASURES)


@needs("torch")
@pytest.mark.slow
@pytest.mark.parametrize("error", [p.mutant for p in PLANTED[BLOCK][::6]], ids=lambda e: e.name)
def test_torch_finds_the_planted_errors_that_numpy_finds(error: Any) -> None:
    right = case_of(BLOCK, "generic", 3)
    program, batch = plant(error, right.program.graph, right.batch)
    case = Case(program, batch)
    there, _ = on("torch", case)
    for measure in MEASURES:
        np.testing.assert_array_equal(measure(there).outcome, measure(case).outcome)


def of_layer_norm(error: Any = None) -> Case:
    graph = layer_norm(4, 8)
    batch = draw(FAMILIES["generic"], graph, seed=0, key="backends", indices=range(1, 4))
    program = Interpreter(graph)
    if error is not None:
        program, batch = plant(error, graph, batch)
    return Case(program, batch)


def _of(kind: str) -> Iterator[Any]:
    return iter(mutants_of("layerNormGraph", kind))


@needs("jax")
@pytest.mark.parametrize(
    "error", [None, next(_of("value")), next(_of("vjp"))], ids=["right", "graph", "derivative"]
)
def test_verdicts_are_the_same_on_jax(error: Any) -> None:
    case = of_layer_norm(error)
    there, always = on("jax", case)
    for measure in MEASURES:
        np.testing.assert_array_equal(measure(there).outcome, measure(case).outcome)
    assert always.asked >= len(MEASURES)


class _Wrong:
    """A backend whose every number is larger by a factor."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def takes(self, graph: object, instances: int) -> bool:
        return True

    def ask(self, question: Any, program: Any, inputs: Any, constants: Any, *given: Any) -> Any:
        trace = program.evaluate(inputs, constants)
        left, *others = question(program, trace, *given)
        scaled = (
            {n: x * self.factor for n, x in left.items()}
            if isinstance(left, dict)
            else [x * self.factor for x in left]
            if isinstance(left, list)
            else left * self.factor
        )
        return (scaled, *others), np.ones(len(next(iter(inputs.values()))), dtype=np.bool_)


class _Terms(_Wrong):
    """As `questions.Terms`, whose fields have names."""

    def ask(self, question: Any, *given: Any) -> Any:
        answer, finite = super().ask(question, *given)
        kinds = {questions.value: questions.Terms}
        return (kinds[question](*answer) if question in kinds else answer), finite


def test_a_backend_never_rejects() -> None:
    case = replace(of_layer_norm(), backend=_Terms(1.001))  # type: ignore[arg-type]
    for measure in MEASURES:
        assert measure(case).count(Outcome.HOLDS) == len(case)


@pytest.fixture
def every_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """numpy measures each, regardless of the backend."""
    monkeypatch.setattr(tolerance, "ARBITRATED", 1)


class _Flatters(_Wrong):
    """A backend that leaves planted errors out."""

    def ask(self, question: Any, program: Any, inputs: Any, constants: Any, *given: Any) -> Any:
        right = Interpreter(program.graph)
        trace = right.evaluate(inputs, constants)
        answer = question(right, trace, *given)
        return answer, np.ones(len(next(iter(inputs.values()))), dtype=np.bool_)


ERROR = next(p.mutant for p in PLANTED["layerNormGraph"] if p.mutant.name.startswith("vjp of"))


def test_a_backend_that_is_wrong_hides_an_error() -> None:
    """So that the next test is meaningful."""
    case = replace(of_layer_norm(ERROR), backend=_Flatters(1.0))  # type: ignore[arg-type]
    assert backprop_is_right(case).count(Outcome.FAILS) == 0


@pytest.mark.usefixtures("every_instance")
def test_a_backend_that_is_wrong_is_seen_by_numpy() -> None:
    case = replace(of_layer_norm(ERROR), backend=_Flatters(1.0))  # type: ignore[arg-type]
    assert backprop_is_right(case).count(Outcome.FAILS) == len(case)


@pytest.mark.parametrize("name", ["jaxx", "", "numpy:cpu", "Torch"])
def test_an_unknown_backend_is_refused(name: str) -> None:
    with pytest.raises(BackendError, match="expected a backend among numpy, jax, torch but got"):
        backend_named(name)


def test_numpy_needs_no_backend() -> None:
    assert BACKENDS[0] == "numpy"
    assert backend_named("numpy") is None


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(module: str) -> Any:
        raise ModuleNotFoundError(f"No module named {module!r}")

    monkeypatch.setattr(importlib, "import_module", gone)
    backend_named.cache_clear()
    with pytest.raises(BackendError, match=f"backend {name} is not installed") as caught:
        backend_named(name)
    assert caught.value.remedy == f"pip install 'lean-obligations[{name}]'"


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_an_unknown_device_is_refused(name: str) -> None:
    pytest.importorskip(name)
    with pytest.raises(BackendError, match=f"{name} has no device 'abacus'"):
        backend_named(f"{name}:abacus")
