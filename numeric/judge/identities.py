"""Identities of a graph and its derivatives, measured on any graph.

Each compares two computations that share as little as possible; see `judge.tolerance` for when
two sides count as equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from numeric.instances.case import Case
from numeric.interpret.derivative import STEP, taylor_remainder
from numeric.interpret.per_instance import dot, largest, largest_everywhere, spread
from numeric.interpret.perturbation import Perturbation
from numeric.interpret.questions import (
    Terms,
    adjoint,
    adjoint_terms,
    backprop,
    derivatives,
    tangent,
    value,
)
from numeric.judge.measurement import Measurement, Outcome, combine
from numeric.judge.tolerance import RULE_A, Sides, identities, identity, screened
from numeric.ops import Array

__all__ = [
    "backprop_is_adjoint",
    "backprop_matches",
    "jvp_is_derivative",
    "jvp_is_linear",
    "jvp_matches",
    "operations",
    "operations_are_right",
    "remainder_vanishes",
    "value_matches",
]

FloatArray = npt.NDArray[np.float64]
TAYLOR_LIMIT = 1e-3
SHRUNK, TINY = -0.75, 2.0**-40
"""Factors of a direction."""
STEP_LOST = 1e-109
"""Where a tanh is saturated its derivative times the step is below the smallest float: the complex
step is off by up to 2⁻¹⁰⁷⁴/1e-200 = 5e-124 there, which rule A tolerates for terms of at least this
size."""


def value_matches(part: str, case: Case, model: Callable[[Case], Array]) -> Measurement:
    """The graph's first output is ``model(case)``, entry by entry.

    Σ|terms| is its running error bound, its natural size the largest entry.
    """

    def against(at: Case, computed: Terms) -> list[Sides]:
        found, expected = computed.found, model(at)
        size = np.abs(found) + np.abs(expected)
        return [Sides.of(found, expected, computed.terms, largest_everywhere(size))]

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        trace = at.run(perturbation)
        if perturbation is not None:
            return [Sides.moved(trace.output, model(at))]
        return against(at, value(at.program, trace))

    return _measured([part], case, lambda at: against(at, at.ask(value)), sides)


def jvp_is_derivative(case: Case) -> Measurement:
    """The graph's JVP is its derivative, entry by entry, along each input separately: by dual
    numbers where these accept, otherwise by complex step."""
    names = tuple(case.batch.inputs)

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        tangents = at.tangents()
        alone = [{name: tangents[name]} for name in names]
        trace = at.run(perturbation)
        exact = at.derivative(alone, perturbation)
        pushed = [at.program.jvp(trace, tangent, perturbation) for tangent in alone]
        if perturbation is not None:
            return [Sides.moved(*both) for both in zip(pushed, exact, strict=True)]
        sizes = [at.program.jvp_magnitude(trace, tangent) for tangent in alone]
        together = np.sum(sizes, axis=0)
        return [
            Sides.of(found, derivative, size, together)
            for found, derivative, size in zip(pushed, exact, sizes, strict=True)
        ]

    def quick(at: Case) -> list[Sides]:
        tangents = at.tangents()
        pushed, exact, sizes = at.ask(derivatives, tangents)
        together = np.sum(sizes, axis=0)
        return [
            Sides.of(found, derivative, size, together)
            for found, derivative, size in zip(pushed, exact, sizes, strict=True)
        ]

    return screened(
        [f"JVP along {n} against the exact derivative" for n in names], case, quick, sides
    )


def jvp_is_linear(case: Case) -> Measurement:
    """The graph's JVP J is a bounded linear map, entry by entry.

    J(u + v) = Ju + Jv and J(cu) = c Ju for random u, the point itself as v and c = −3/4; and
    |Jh| ≤ C r for h = 2⁻⁴⁰ u, whose largest entry is r, with C the sum over all paths of absolute
    products.
    """
    parts = ("J(u + v) against Ju + Jv", "J(c u) against c Ju", "|J h| against C r")

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        u = at.tangents()
        v = {name: np.asarray(at.batch.inputs[name], np.float64) for name in u}
        trace = at.run(perturbation)

        def pushed(factor: float, other: float = 0.0) -> Array:
            direction = {name: factor * u[name] + other * v[name] for name in u}
            return at.program.jvp(trace, direction, perturbation)

        ju, jv, jh = pushed(1.0), pushed(0.0, 1.0), np.abs(pushed(TINY))
        size = at.program.jvp_magnitude(trace, {name: np.ones_like(x) for name, x in u.items()})
        entries = np.concatenate([np.abs(x).reshape(len(x), -1) for x in u.values()], axis=1)
        limit = TINY * size * entries.max(axis=1).reshape(-1, *(1,) * (size.ndim - 1))
        both = (
            (pushed(1.0, 1.0), ju + jv),
            (pushed(SHRUNK), SHRUNK * ju),
            (np.maximum(jh, limit), limit),
        )
        if perturbation is not None:
            return [Sides.moved(*pair) for pair in both]
        terms = at.program.jvp_magnitude(trace, u) + at.program.jvp_magnitude(trace, v)
        sizes = (terms, terms, limit)
        return [Sides.of(*pair, terms) for pair, terms in zip(both, sizes, strict=True)]

    return identity(parts, case, sides)


def operations_are_right(case: Case) -> Measurement:
    """Every operation's derivative is right: see `operations`."""
    return combine(operations(case))


def operations(case: Case) -> list[Measurement]:
    """Each operation's tangent, at the values that the graph has there, is its own derivative by
    complex step, entry by entry, along random directions of its arguments.

    The part names the wrong operation's saved tensor.
    """
    graph = case.program.graph

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        trace = at.run(perturbation)
        found: list[Sides] = []
        for position, node in enumerate(graph.nodes):
            args = tuple(trace.values[a] for a in node.args)
            same = {a: at.batch.streams.child("step", node.name, a) for a in node.args}
            # As large as the values, or the step would underflow where these are huge.
            tangents = tuple(
                same[a].normal(graph.shape_of(a)) * np.maximum(np.abs(v), 1.0)
                for a, v in zip(node.args, args, strict=True)
            )
            shifted = tuple(a + 1j * STEP * t for a, t in zip(args, tangents, strict=True))
            step = at.program.step(trace, position, shifted).imag / STEP
            terms = at.program.step_jvp(trace, position, tangents, magnitude=True) + STEP_LOST
            claimed = at.program.step_jvp(trace, position, tangents)
            natural = largest_everywhere(terms)
            found.append(Sides.of(claimed, np.broadcast_to(step, claimed.shape), terms, natural))
        return found

    return identities([f"derivative of the operation {n.name}" for n in graph.nodes], case, sides)


def jvp_matches(
    part: str, case: Case, model: Callable[[Case, dict[str, FloatArray]], Array]
) -> Measurement:
    """The graph's JVP along random tangents of all inputs is ``model(case, tangents)``, entry by
    entry; the natural size is that of the largest one."""

    def against(at: Case, found: Array, terms: Array) -> list[Sides]:
        return [Sides.of(found, model(at, at.tangents()), terms, largest_everywhere(terms))]

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        tangents, trace = at.tangents(), at.run(perturbation)
        found = at.program.jvp(trace, tangents, perturbation)
        if perturbation is not None:
            return [Sides.moved(found, model(at, tangents))]
        return against(at, found, at.program.jvp_magnitude(trace, tangents))

    def quick(at: Case) -> list[Sides]:
        return against(at, *at.ask(tangent, at.tangents()))

    return _measured([f"JVP against {part}"], case, quick, sides)


def backprop_is_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for each input separately, J v by dual numbers where these accept,
    otherwise by complex step: no JVP rule is used."""
    names = tuple(case.batch.inputs)

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        tangents, cotangent = at.tangents(), at.cotangent()
        alone = [{name: tangents[name]} for name in names]
        trace = at.run(perturbation)
        pulled = at.program.vjp(trace, cotangent, perturbation)
        exact = at.derivative(alone, perturbation)
        left = [dot(derivative, cotangent) for derivative in exact]
        right = [dot(tangents[name], pulled[name]) for name in names]
        if perturbation is not None:
            return [Sides.moved(*both) for both in zip(left, right, strict=True)]
        # Σ|terms| is the same forward and backward, so one backward pass computes it for all
        # inputs.
        flow = at.program.vjp_magnitude(trace, cotangent)
        sizes = [dot(np.abs(tangents[name]), flow[name]) for name in names]
        together = np.sum(sizes, axis=0)
        return [
            Sides.of(one, other, size, together)
            for one, other, size in zip(left, right, sizes, strict=True)
        ]

    def quick(at: Case) -> list[Sides]:
        tangents, cotangent = at.tangents(), at.cotangent()
        left, right, sizes = (np.array(a) for a in at.ask(adjoint, tangents, cotangent))
        # Σ|v·Jᵀ s| is at most Σ|terms|, and already computed: an instance that satisfies a
        # tenth of rule A against it needs no backward pass for Σ|terms|, and its residual is
        # overestimated.
        clear = np.all(np.abs(left - right) <= 0.1 * RULE_A * sizes, axis=0)
        if len(rest := np.flatnonzero(~clear)):
            fewer = {name: t[rest] for name, t in tangents.items()}
            sizes[:, rest] = at.take(rest).ask(adjoint_terms, fewer, cotangent[rest])
        together = sizes.sum(axis=0)
        return [
            Sides(*(a[:, None] for a in (left[k], right[k], sizes[k], together)))
            for k in range(len(names))
        ]

    parts = [f"backprop to {n} against the exact derivative" for n in names]
    return screened(parts, case, quick, sides)


def backprop_matches(
    part: str, case: Case, model: Callable[[Case, FloatArray], dict[str, Array]]
) -> Measurement:
    """The graph's backprop of a random cotangent is ``model(case, cotangent)``, entry by entry."""
    names = tuple(case.batch.inputs)

    def against(at: Case, found: dict[str, Array], terms: dict[str, Array]) -> list[Sides]:
        expected = model(at, at.cotangent())
        most = np.max([largest(terms[name]) for name in names], axis=0)
        return [Sides.of(found[n], expected[n], terms[n], spread(most, terms[n])) for n in names]

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        cotangent, trace = at.cotangent(), at.run(perturbation)
        found = at.program.vjp(trace, cotangent, perturbation)
        if perturbation is not None:
            expected = model(at, cotangent)
            return [Sides.moved(found[n], expected[n]) for n in names]
        return against(at, found, at.program.vjp_magnitude(trace, cotangent))

    def quick(at: Case) -> list[Sides]:
        return against(at, *at.ask(backprop, at.cotangent()))

    return _measured([f"backprop to {n} against {part}" for n in names], case, quick, sides)


def _measured(
    parts: Sequence[str],
    case: Case,
    quick: Callable[[Case], list[Sides]],
    sides: Callable[[Case, Perturbation | None], list[Sides]],
) -> Measurement:
    """By numpy; if a backend answers quickly, by numpy only what the backend leaves open."""
    if case.asks_a_backend:
        return screened(parts, case, quick, sides)
    return identity(parts, case, sides)


def remainder_vanishes(case: Case) -> Measurement:
    """f(x + hv) − f(x − hv) − 2h·Jv is o(h) in real arithmetic, with Jv the graph's JVP.

    A sanity check of the complex step itself.  It holds where the relative remainder gets below
    1e-3, and is undecided elsewhere: the other parts decide whether the derivative is wrong or
    rounding is large.
    """
    tangents = case.tangents()
    trace = case.run()
    scale = case.program.jvp_magnitude(trace, tangents)
    found = taylor_remainder(
        lambda at: np.asarray(case.output(at), np.float64),
        case.batch.inputs,
        tangents,
        np.asarray(case.program.jvp(trace, tangents), np.float64),
        np.where(scale > 0, scale, 1.0),
    )
    outcome = np.where(found <= TAYLOR_LIMIT, Outcome.HOLDS, Outcome.UNDECIDED).astype(np.int8)
    return Measurement(
        residual=found,
        tolerance=np.full(len(found), TAYLOR_LIMIT),
        outcome=outcome,
        part=np.zeros(len(found), dtype=np.int64),
        parts=("Taylor remainder",),
        undecided_because="no step resolves the Taylor remainder" if outcome.any() else "",
    )
