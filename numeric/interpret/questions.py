"""Questions about a run, as functions over any arrays: whole programs for compiling backends.

Each takes a program, its run and further arrays ``(B, …)``, and returns such arrays; see
`numeric.backends.Backend.ask`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from numeric.interpret import dual
from numeric.interpret.interpreter import Interpreter, Trace
from numeric.ops import Array

__all__ = [
    "Adjoint",
    "Terms",
    "adjoint",
    "adjoint_terms",
    "backprop",
    "derivatives",
    "tangent",
    "value",
]


class Terms(NamedTuple):
    """A computed value, and its Σ|terms|, entry by entry; in dicts of arrays by input, or lists by
    direction, if there are several."""

    found: Array
    terms: Array


class Adjoint(NamedTuple):
    """Both sides of ⟨J v, s⟩ = ⟨v, Jᵀ s⟩ for each input, and Σ|v·Jᵀ s|, ``(B,)`` each."""

    left: list[Array]
    right: list[Array]
    products: list[Array]


def value(program: Interpreter, trace: Trace) -> Terms:
    """The first output, with its running error bound."""
    return Terms(trace.output, program.value_magnitudes(trace)[trace.graph.outputs[0]])


def tangent(program: Interpreter, trace: Trace, tangents: Mapping[str, Array]) -> Terms:
    """The JVP along all tangents together."""
    return Terms(program.jvp(trace, tangents), program.jvp_magnitude(trace, tangents))


def backprop(
    program: Interpreter, trace: Trace, cotangent: Array
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The VJP by input, and Σ|terms| of it."""
    return program.vjp(trace, cotangent), program.vjp_magnitude(trace, cotangent)


def derivatives(
    program: Interpreter, trace: Trace, tangents: Mapping[str, Array]
) -> tuple[list[Array], list[Array], list[Array]]:
    """Along each input separately: the JVP, the exact derivative by dual numbers, and Σ|terms|."""
    alone = [{name: t} for name, t in tangents.items()]
    return (
        [program.jvp(trace, one) for one in alone],
        list(dual.derivatives(trace, alone)),
        list(dual.magnitudes(trace, alone)),
    )


def adjoint(
    program: Interpreter, trace: Trace, tangents: Mapping[str, Array], cotangent: Array
) -> Adjoint:
    """Both sides of the adjoint's identity, J v by dual numbers."""
    xp = program.xp
    pulled = program.vjp(trace, cotangent)
    pushed = dual.derivatives(trace, [{name: t} for name, t in tangents.items()])
    products = [t * pulled[name] for name, t in tangents.items()]
    return Adjoint(
        [xp.dot(derivative, cotangent) for derivative in pushed],
        [xp.total(p) for p in products],
        [xp.total(xp.absolute(p)) for p in products],
    )


def adjoint_terms(
    program: Interpreter, trace: Trace, tangents: Mapping[str, Array], cotangent: Array
) -> list[Array]:
    """Σ|terms| of the adjoint's identity for each input, ``(B,)``: the same forward and backward,
    so one backward pass computes it for all."""
    flow = program.vjp_magnitude(trace, cotangent)
    return [program.xp.dot(program.xp.absolute(t), flow[name]) for name, t in tangents.items()]
