"""What the checks measure, for any graph that has a closed form.

A check is a theorem's sentence as a docstring, with one of these measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from bridge.checking.registry import Measure
from numeric.closed_forms.catalogue import Arguments, closed_form
from numeric.instances.case import Case
from numeric.interpret.chunks import saved_bytes
from numeric.judge.identities import (
    backprop_is_adjoint,
    backprop_matches,
    jvp_is_derivative,
    jvp_is_linear,
    jvp_matches,
    operations_are_right,
    remainder_vanishes,
    value_matches,
)
from numeric.judge.measurement import Measurement, Outcome, combine
from numeric.ops import Array

__all__ = [
    "CLOSED_FORM",
    "backprop_is_right",
    "derivative_is_right",
    "every_operation_is_right",
    "pack_derivative_is_linear",
    "pack_is_differentiable",
    "value_is_right",
    "where_it_exists",
    "with_zeros_is_the_other",
]

FloatArray = npt.NDArray[np.float64]
CLOSED_FORM = "the closed form"
LARGE_BYTES = 1 << 20
"""A graph whose saved tensors take more, for one instance, is a large one."""
COMPARED = 16
"""Derivatives of a large graph are compared with the closed form's on one in this many
instances."""
NO_DERIVATIVE = 0.25


def _arguments(case: Case) -> Arguments:
    return Arguments(case.batch.inputs, case.batch.constants, case.program.graph.sizes)


def _forward(case: Case) -> Array:
    form = closed_form(case.program.graph)
    return case.once("value", lambda: form.forward(_arguments(case)))


def _jvp(case: Case, tangents: dict[str, FloatArray]) -> Array:
    form = closed_form(case.program.graph)
    return case.once("jvp", lambda: form.jvp(_arguments(case), tangents))


def _backprop(case: Case, cotangent: FloatArray) -> dict[str, Array]:
    form = closed_form(case.program.graph)
    name = ("vjp", cotangent.shape)  # a mutant may have another output
    return case.once(name, lambda: form.vjp(_arguments(case), cotangent))


def _jvp_is_right(case: Case) -> Measurement | None:
    return _on_some(case, lambda some: jvp_matches(CLOSED_FORM, some, _jvp))


def _backprop_is_right(case: Case) -> Measurement | None:
    return _on_some(case, lambda some: backprop_matches(CLOSED_FORM, some, _backprop))


def _on_some(case: Case, measure: Measure) -> Measurement | None:
    """A comparison with the closed form on the instances that it is made for: all of a small graph,
    one in `COMPARED` of a large one, each family's first among them; None where that is no
    instance.  Which ones follows from their numbers alone.  Where a failure is looked for, all."""
    every = case.refuting or saved_bytes(case.program.graph) <= LARGE_BYTES
    rows = np.flatnonzero(every | (case.batch.indices % COMPARED == 0))
    if len(rows) == len(case):
        return measure(case)
    if not len(rows):
        return None
    found = measure(case.take(rows))
    return Measurement(
        residual=np.zeros(len(case)),
        tolerance=np.full(len(case), np.inf),
        outcome=np.full(len(case), Outcome.HOLDS, dtype=np.int8),
        part=np.zeros(len(case), dtype=np.int64),
        parts=found.parts,
    ).replaced(rows, found)


def _all(case: Case, *measures: Callable[[Case], Measurement | None]) -> Measurement:
    """Each measure must hold.  The cheapest comes first: if only a failure is sought, the
    first one ends the search.  One that is not made for these instances says nothing."""
    found: list[Measurement] = []
    for measure in measures:
        if (measured := measure(case)) is None:
            continue
        found.append(measured)
        if case.refuting and found[-1].count(Outcome.FAILS):
            break
    return combine(found)


def value_is_right(case: Case) -> Measurement:
    """The graph's value is the closed form's, entry by entry, by rules A and B.

    Σ|terms| is the graph's running error bound.  The closed form shares no code with the
    interpreter.
    """
    return value_matches(f"value against {CLOSED_FORM}", case, _forward)


def derivative_is_right(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes.

    Along a random direction of each input the JVP is held against the exact derivative (dual
    numbers, then the complex step), and along all of them against the closed form's JVP, entry by
    entry, by rules A and B with Σ|terms| from running magnitudes; of a graph whose saved tensors
    take more than 1 MiB, on one instance in 16.  The Taylor remainder must get below 1e-3 of
    Σ|terms| in real arithmetic.
    """
    return _all(case, _jvp_is_right, jvp_is_derivative, remainder_vanishes)


def every_operation_is_right(case: Case) -> Measurement:
    """Each operation's tangent map is its derivative at the values that the graph has there, by
    complex step (h = 1e-200), and so is the whole graph's JVP, by dual numbers, then the complex
    step: by rules A and B."""
    return _all(case, operations_are_right, jvp_is_derivative)


def pack_is_differentiable(case: Case, end: str, start: str | None = None) -> Measurement:
    """The part of the graph that ends at the saved tensor ``end`` has the derivative that its JVP
    claims: along each of its inputs, and ``start`` where it is given, against the exact derivative
    (dual numbers, then the complex step); and the Taylor remainder in real arithmetic gets below
    1e-3 of Σ|terms|.
    """
    part = case.piece(end, start)
    return _all(part, jvp_is_derivative, remainder_vanishes)


def pack_derivative_is_linear(case: Case, end: str, start: str | None = None) -> Measurement:
    """The JVP of the part of the graph that ends at the saved tensor ``end`` is a bounded linear
    map of the directions of its inputs, and of ``start`` where it is given."""
    return jvp_is_linear(case.piece(end, start))


def backprop_is_right(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for each input by itself.

    J v is the exact derivative of the graph's evaluation (dual numbers, then the complex step): no
    JVP rule takes part; Σ|terms| is the sum over all paths of absolute products.  Every entry of
    backprop is also held against the closed form's; of a graph whose saved tensors take more than
    1 MiB, on one instance in 16.
    """
    return _all(case, _backprop_is_right, backprop_is_adjoint)


def with_zeros_is_the_other(case: Case, zeroed: Sequence[str]) -> Measurement:
    """With the inputs ``zeroed`` at 0 the graph's value is that of the graph next to it, which
    lacks them, entry by entry, by rules A and B."""
    inputs = {n: np.zeros_like(x) if n in zeroed else x for n, x in case.batch.inputs.items()}
    zeros = replace(case, batch=replace(case.batch, inputs=inputs))

    def other(at: Case) -> Array:
        assert at.beside is not None  # the check names it
        own, symbols = at.beside.graph.input_shapes, at.beside.graph.symbols
        return at.beside.evaluate(
            {n: x for n, x in at.batch.inputs.items() if n in own},
            {n: c for n, c in at.batch.constants.items() if n in symbols},
        ).output

    return value_matches("value against the other graph", zeros, other)


def where_it_exists(measure: Measure) -> Measure:
    """A measure of derivatives for points where there may be none.

    The complex step follows the conventions √x' = 0 and 1/x = 0 at 0 as the rules do, so that both
    agree where there is no derivative at all.  In real arithmetic f(x + hv) − f(x − hv) tells:
    where no step brings the remainder below a quarter of Σ|terms|, there is none, and the
    conclusion fails; between that and 1e-3 it is undecided.
    """
    return partial(_where_it_exists, measure=measure)


def _where_it_exists(case: Case, *, measure: Measure) -> Measurement:
    taylor = remainder_vanishes(case)
    gone = np.where(taylor.residual >= NO_DERIVATIVE, Outcome.FAILS, taylor.outcome)
    return combine([measure(case), replace(taylor, outcome=gone.astype(np.int8))])
