"""A graph against the closed form of its name, saved tensor by saved tensor.

What a whole block computes may agree by luck, or differ without a hint where from.  Here every
tensor that both have is compared in the graph's order, and the first that differs is named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numeric.case import Case
from numeric.closed_forms import Arguments, closed_form
from numeric.interpreter import Perturbation
from numeric.measurement import Measurement, Outcome
from numeric.ops import Array
from numeric.tolerance import Sides, identity

__all__ = ["Fidelity", "TensorMatch", "compare"]


@dataclass(frozen=True, slots=True)
class TensorMatch:
    """One saved tensor on a batch of instances.

    Attributes:
        measurement: None where the graph has no such tensor, or one of another shape; the
            ``problem`` then says which.
    """

    name: str
    measurement: Measurement | None
    problem: str = ""

    @property
    def differs(self) -> bool:
        """Whether the graph has something else there on at least one instance."""
        found = self.measurement
        return found is None or found.count(Outcome.FAILS) > 0


@dataclass(frozen=True, slots=True)
class Fidelity:
    """All saved tensors that a graph and its closed form should have in common, in order."""

    graph: str
    tensors: tuple[TensorMatch, ...]

    @property
    def first_difference(self) -> TensorMatch | None:
        """The first tensor that differs; None where all agree.  What comes before it is right."""
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


def compare(case: Case) -> Fidelity:
    """Compare every saved tensor by rules A and B, Σ|terms| its running error bound.

    The graph may be any with the name, inputs and sizes of one that has a closed form; constants
    that it has lost keep the values of the instance in the closed form.

    Raises:
        GraphError: the graph's name has no closed form.
    """
    graph = case.program.graph
    at = Arguments(case.batch.inputs, case.batch.constants, graph.sizes)
    expected = closed_form(graph).run(at)
    return Fidelity(graph.name, tuple(_match(case, name, y) for name, y in expected.items()))


def _match(case: Case, name: str, expected: Array) -> TensorMatch:
    graph = case.program.graph
    known = {i.name for i in graph.inputs} | {n.name for n in graph.nodes}
    if name not in known:
        return TensorMatch(name, None, f"the graph {graph.name} has no saved tensor of this name")
    index = graph.index(name)
    if graph.shape_of(index) != expected.shape[1:]:
        shapes = f"{list(expected.shape[1:])} but it is {list(graph.shape_of(index))}"
        return TensorMatch(name, None, f"expected the shape {shapes}")
    rows = {int(i): r for r, i in enumerate(case.batch.indices)}

    def sides(some: Case, perturbation: Perturbation | None) -> list[Sides]:
        trace = some.run(perturbation)
        terms = some.program.value_magnitudes(trace)[index]
        right = expected[[rows[int(i)] for i in some.batch.indices]]
        largest = (np.abs(trace.values[index]) + np.abs(right)).reshape(len(some), -1).max(axis=1)
        natural = np.broadcast_to(largest.reshape(-1, *(1 for _ in terms.shape[1:])), terms.shape)
        return [Sides.of(trace.values[index], right, terms, natural)]

    return TensorMatch(name, identity([name], case, sides))
