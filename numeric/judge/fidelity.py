"""A graph against the closed form of its name, saved tensor by saved tensor.

The output of a whole block may agree by chance, or differ without showing where.  Here every tensor
that both have is compared in the graph's order, and the first that differs is named. `fidelity`
continues with the output, the derivatives, and PyTorch's layer if there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from numeric.closed_forms.catalogue import Arguments, closed_form
from numeric.closed_forms.details import between
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.interpret.chunks import chunk_of
from numeric.interpret.interpreter import Trace
from numeric.interpret.per_instance import largest, spread
from numeric.interpret.perturbation import Perturbation
from numeric.judge import torch_block
from numeric.judge.identities import backprop_matches, jvp_matches, value_matches
from numeric.judge.measurement import Measurement, Outcome, combine
from numeric.judge.tolerance import Sides, identities
from numeric.ops import Array

__all__ = [
    "TORCH_INSTANCES",
    "Fidelity",
    "TensorMatch",
    "compare",
    "fidelity",
    "same_function",
    "torch_remark",
]

FloatArray = npt.NDArray[np.float64]
TORCH_INSTANCES = 8
"""PyTorch runs on this many first instances of each family: a layer is made for each."""


@dataclass(frozen=True, slots=True)
class TensorMatch:
    """One saved tensor on a batch of instances.

    Attributes:
        measurement: None if the graph has no such tensor, or one of another shape; the ``problem``
            then says which.
    """

    name: str
    measurement: Measurement | None
    problem: str = ""

    @property
    def differs(self) -> bool:
        """Whether the graph has a different value there on at least one instance."""
        found = self.measurement
        return found is None or found.count(Outcome.FAILS) > 0


@dataclass(frozen=True, slots=True)
class Fidelity:
    """All saved tensors that a graph and its closed form should have in common, in order."""

    graph: str
    tensors: tuple[TensorMatch, ...]

    @property
    def first_difference(self) -> TensorMatch | None:
        """The first tensor that differs; None if all agree.  All before it are right."""
        return next((t for t in self.tensors if t.differs), None)

    def describe(self) -> str:
        """A sentence for a report."""
        first = self.first_difference
        if first is None:
            return f"all {len(self.tensors)} saved tensors agree with the closed form"
        if first.measurement is None:
            return f"{first.name}: {first.problem}"
        row = int(np.argmax(first.measurement.outcome == Outcome.FAILS))
        return (
            f"{first.name} is the first saved tensor that differs: residual "
            f"{first.measurement.residual[row]:.3g} > tolerance "
            f"{first.measurement.tolerance[row]:.3g} on {first.measurement.count(Outcome.FAILS)} "
            f"of {len(first.measurement)} instances"
        )


def compare(case: Case, *, closely: bool = False) -> Fidelity:
    """Compare every saved tensor by rules A and B, Σ|terms| its running error bound.

    The graph may be any with the name, inputs and sizes of one that has a closed form; constants
    that it has lost keep the values of the instance in the closed form.  The scale of the attention
    is 1/√head_dim in the closed form, regardless of the graph's.

    Args:
        case: the instances.
        closely: compare also the tensors between the closed form's, as far as the graph has them; a
            graph without them may still be right.

    Raises:
        GraphError: the graph's name has no closed form.
    """
    graph = case.program.graph
    at = _arguments(case)
    expected = case.once("saved tensors", lambda: closed_form(graph).run(at))
    problems = {name: _problem(graph, name, y) for name, y in expected.items()}
    if closely:
        further = {n: y for n, y in between(at, expected).items() if not _problem(graph, n, y)}
        everything = {**further, **expected}
        there = [n for n in everything if not problems.get(n)]
        order = sorted(there, key=graph.index)
        expected = {n: everything[n] for n in (*order, *(n for n in expected if problems[n]))}
        problems = {name: problems.get(name, "") for name in expected}
    names = [name for name, problem in problems.items() if not problem]
    places = {name: graph.index(name) for name in names}
    rows = {int(i): r for r, i in enumerate(case.batch.indices)}

    def sides(some: Case, perturbation: Perturbation | None) -> list[Sides]:
        trace = some.run(perturbation)
        chosen = [rows[int(i)] for i in some.batch.indices]
        if perturbation is not None:
            return [Sides.moved(trace.values[places[n]], expected[n][chosen]) for n in names]
        magnitudes = some.program.value_magnitudes(trace)
        return [_sides(trace, places[n], expected[n][chosen], magnitudes[places[n]]) for n in names]

    most = max(1, chunk_of(graph) // 4)  # the expected values are in memory as well
    found = dict(zip(names, identities(names, case, sides, most), strict=True)) if names else {}
    return Fidelity(graph.name, tuple(TensorMatch(n, found.get(n), problems[n]) for n in expected))


def _arguments(case: Case) -> Arguments:
    """The closed form's values on the instances."""
    constants = {s: value for s, value in case.batch.constants.items() if s != "scale"}
    return Arguments(case.batch.inputs, constants, case.program.graph.sizes)


def _problem(graph: Graph, name: str, expected: Array) -> str:
    """Why a tensor cannot be compared; empty where it can."""
    known = {i.name for i in graph.inputs} | {n.name for n in graph.nodes}
    if name not in known:
        return f"the graph {graph.name} has no saved tensor of this name"
    shape = graph.shape_of(graph.index(name))
    if shape != expected.shape[1:]:
        return f"expected the shape {list(expected.shape[1:])} but it is {list(shape)}"
    return ""


def _sides(trace: Trace, place: int, expected: Array, terms: FloatArray) -> Sides:
    """Every entry, whose natural size is the largest entry of its instance; for a sum or
    difference, also of its operands."""
    found = trace.values[place]
    size = largest(np.abs(found) + np.abs(expected))
    inputs = len(trace.graph.inputs)
    if place >= inputs and (node := trace.graph.nodes[place - inputs]).op in ("add", "sub"):
        size = np.max([size, *(largest(np.abs(trace.values[a])) for a in node.args)], axis=0)
    return Sides.of(found, expected, terms, spread(size, terms))


def fidelity(case: Case) -> Measurement:
    """The graph is its closed form: every saved tensor, the output, the JVP and the VJP, by rules A
    and B; and it is PyTorch's layer, value and gradients, if torch is installed and has one.

    For an instance that fails, the part is the first that is wrong in this order, so that it names
    the first saved tensor that differs.

    Raises:
        GraphError: the graph's name has no closed form.
    """
    tensors = compare(case).tensors
    judged = first_failure([_named(t, case) for t in tensors])
    failing = judged.outcome == Outcome.FAILS
    if case.refuting and failing.any():
        return judged
    if failing.any():
        judged = _go_on(judged, case, failing, _closely, first=True)
    judged = _go_on(judged, case, ~failing, partial(_function, tensors[-1].name))
    if not torch_block.fits(case.program.graph) or torch_block.version() is None:
        return judged
    early = case.batch.indices < TORCH_INSTANCES
    return _go_on(judged, case, early & (judged.outcome != Outcome.FAILS), _torch)


def same_function(case: Case) -> Measurement:
    """The graph computes what the closed form of its name does: the output, the JVP along random
    tangents of all inputs and the VJP of a random cotangent, entry by entry, by rules A and B, with
    Σ|terms| from running magnitudes; and if torch is installed and has such a layer, its output and
    gradients.  Intermediate values and names of nodes do not matter.

    Raises:
        GraphError: the graph's name has no closed form.
    """
    graph = case.program.graph
    form = closed_form(graph)
    with np.errstate(all="ignore"):
        expected = form.forward(_arguments(case)).shape[1:]
    if graph.shape_of(graph.outputs[0]) != expected:
        return _fails(f"output, which should have the shape {list(expected)}", case)
    value = value_matches(
        "value against the closed form", case, lambda some: form.forward(_arguments(some))
    )
    if case.refuting and value.count(Outcome.FAILS):
        return value
    judged = first_failure([value, *_derivatives(case)])
    if not torch_block.fits(graph) or torch_block.version() is None:
        return judged
    early = case.batch.indices < TORCH_INSTANCES
    return _go_on(judged, case, early & (judged.outcome != Outcome.FAILS), _torch)


def torch_remark(graph: str) -> str:
    """Whether PyTorch is part of this graph's fidelity, in words; empty if it has no such layer."""
    if graph not in torch_block.GRAPHS:
        return ""
    version = torch_block.version()
    if version is None:
        return "PyTorch is not installed and took no part"
    return (
        f"PyTorch {version} took part on the first {TORCH_INSTANCES} instances of each family "
        "with d_model = num_heads · head_dim"
    )


def first_failure(measurements: Sequence[Measurement]) -> Measurement:
    """All parts must hold; the part that decides an instance is the first that fails, otherwise the
    tightest."""
    together = combine(measurements)
    outcomes = np.stack([m.outcome for m in measurements])
    failing = outcomes == Outcome.FAILS
    first = np.argmax(failing, axis=0)
    rows = np.arange(len(together))
    offsets = np.cumsum([0, *(len(m.parts) for m in measurements)])
    part = np.stack([m.part + at for m, at in zip(measurements, offsets[:-1], strict=True)])
    some = failing.any(axis=0)
    return replace(
        together,
        residual=np.where(
            some, np.stack([m.residual for m in measurements])[first, rows], together.residual
        ),
        tolerance=np.where(
            some, np.stack([m.tolerance for m in measurements])[first, rows], together.tolerance
        ),
        part=np.where(some, part[first, rows], together.part),
    )


def _named(match: TensorMatch, case: Case) -> Measurement:
    """A saved tensor's measurement under a name that a report can print; all instances fail if the
    graph has no such tensor."""
    found = match.measurement
    if found is not None:
        agree = "the closed form, those before it agree"
        return replace(found, parts=(f"saved tensor {match.name} against {agree}",))
    return _fails(f"saved tensor {match.name}, {match.problem}", case)


def _fails(part: str, case: Case) -> Measurement:
    size = len(case)
    return Measurement(
        residual=np.full(size, np.inf),
        tolerance=np.zeros(size),
        outcome=np.full(size, Outcome.FAILS, dtype=np.int8),
        part=np.zeros(size, dtype=np.int64),
        parts=(part,),
    )


def _closely(case: Case) -> list[Measurement]:
    """Every saved tensor, and the tensors between them."""
    return [_named(t, case) for t in compare(case, closely=True).tensors]


def _function(last: str, case: Case) -> list[Measurement]:
    """The output, unless it is the tensor ``last``, which was compared; then JVP and VJP."""
    graph = case.program.graph
    parts = []
    if graph.outputs[0] != graph.index(last):
        part = f"output, which is not {last}, against the closed form"
        if graph.shape_of(graph.outputs[0]) != graph.shape_of(graph.index(last)):
            return [_fails(part, case)]
        model = closed_form(graph)
        parts = [value_matches(part, case, lambda some: model.forward(_arguments(some)))]
    return [*parts, *_derivatives(case)]


def _derivatives(case: Case) -> list[Measurement]:
    """JVP and VJP."""
    model = closed_form(case.program.graph)

    def pushed(some: Case, tangents: dict[str, FloatArray]) -> Array:
        return some.once("jvp", lambda: model.jvp(_arguments(some), tangents))

    def pulled(some: Case, cotangent: FloatArray) -> dict[str, Array]:
        # A mutant may have another output.
        name = ("vjp", cotangent.shape)
        return some.once(name, lambda: model.vjp(_arguments(some), cotangent))

    form = "the closed form"
    return [jvp_matches(form, case, pushed), backprop_matches(form, case, pulled)]


def _torch(case: Case) -> list[Measurement]:
    """Value and VJP against PyTorch's."""
    name = "PyTorch's nn.TransformerEncoderLayer"
    return [
        value_matches(f"value against {name}", case, torch_block.forward),
        backprop_matches(name, case, torch_block.vjp),
    ]


def _go_on(
    judged: Measurement,
    case: Case,
    where: npt.NDArray[np.bool_],
    more: Callable[[Case], list[Measurement]],
    *,
    first: bool = False,
) -> Measurement:
    """The judged measurement, with further parts on some of the instances, or in front of it."""
    rows = np.flatnonzero(where)
    if not len(rows):
        return judged
    # No copy if all continue: it would be run again.
    found = first_failure(more(case if len(rows) == len(case) else case.take(rows)))
    size = len(judged)
    residual, tolerance = np.zeros(size), np.full(size, np.inf)
    outcome = np.full(size, Outcome.HOLDS, dtype=np.int8)
    part = np.zeros(size, dtype=np.int64)
    residual[rows], tolerance[rows] = found.residual, found.tolerance
    outcome[rows], part[rows] = found.outcome, found.part
    further = replace(found, residual=residual, tolerance=tolerance, outcome=outcome, part=part)
    return first_failure([further, judged] if first else [judged, further])
