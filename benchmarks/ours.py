"""The tasks of this project that are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bridge.checks.measures import backprop_is_right
from numeric.backends import Backend
from numeric.backends.backend import Question
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.interpret import dual
from numeric.interpret.interpreter import Interpreter, Trace
from numeric.interpret.questions import Adjoint, adjoint
from numeric.judge.identities import backprop_is_adjoint
from numeric.judge.measurement import Measurement, Outcome
from numeric.ops import OPS, Array, Partial

__all__ = [
    "along_all",
    "along_each",
    "audited",
    "directions",
    "finds",
    "full",
    "on",
    "run",
    "runs",
    "screening",
    "with_wrong_gelu",
]


def on(cases: Sequence[Case], backend: Backend | None) -> list[Case]:
    """The same instances on a backend, or on numpy, with nothing computed yet."""
    return [Case(c.program, c.batch, backend=backend) for c in cases]


def _fresh(case: Case) -> Case:
    return Case(case.program, case.batch, backend=case.backend)


def full(cases: Sequence[Case]) -> list[Measurement]:
    """Forward, VJP, an exact derivative along each of the 13 inputs, and the verdict on
    ⟨J v, s⟩ = ⟨v, Jᵀ s⟩ for each input, by rules A and B."""
    return [backprop_is_adjoint(_fresh(c)) for c in cases]


def audited(cases: Sequence[Case]) -> list[Measurement]:
    """What an audit measures for the block's backpropagation: `full`, and every entry of the VJP
    against the closed form's; for a large graph on one instance in `COMPARED`."""
    return [backprop_is_right(_fresh(c)) for c in cases]


def screening(cases: Sequence[Case]) -> list[float]:
    """Forward, VJP, and one exact directional derivative, along all inputs at once."""
    return [_disagreement(c, along_all) for c in map(_fresh, cases)]


def along_each(cases: Sequence[Case]) -> list[float]:
    """Forward, VJP, and one exact directional derivative along each of the 13 inputs."""
    return [_disagreement(c, adjoint) for c in map(_fresh, cases)]


def along_all(
    program: Interpreter, trace: Trace, tangents: Mapping[str, Array], cotangent: Array
) -> Adjoint:
    """Both sides of ⟨J v, s⟩ = ⟨v, Jᵀ s⟩ for all inputs together."""
    xp = program.xp
    pulled = program.vjp(trace, cotangent)
    (pushed,) = dual.derivatives(trace, [tangents])
    products = [t * pulled[name] for name, t in tangents.items()]
    right = sum(xp.total(p) for p in products[1:]) + xp.total(products[0])
    size = sum(xp.total(xp.absolute(p)) for p in products[1:]) + xp.total(xp.absolute(products[0]))
    return Adjoint([xp.dot(pushed, cotangent)], [right], [size])


def _disagreement(case: Case, question: Question) -> float:
    """The largest |⟨J v, s⟩ − ⟨v, Jᵀ s⟩| relative to Σ|v·Jᵀ s|."""
    sides = case.ask(question, case.tangents(), case.cotangent())
    left, right, size = (np.array(a) for a in sides)
    return float((np.abs(left - right) / (size + 1e-300)).max())


def directions(cases: Sequence[Case]) -> list[tuple[dict[str, Any], Any]]:
    """Tangents and cotangents for `runs`."""
    return [(c.tangents(), c.cotangent()) for c in cases]


def runs(cases: Sequence[Case], drawn: Sequence[tuple[dict[str, Any], Any]]) -> None:
    """Forward, JVP along all inputs, and VJP: what is compared with the rate of dgemm."""
    for case, (tangents, cotangent) in zip(map(_fresh, cases), drawn, strict=True):
        case.ask(run, tangents, cotangent)


def run(
    program: Interpreter, trace: Trace, tangents: Mapping[str, Array], cotangent: Array
) -> tuple[Array, Array, dict[str, Array]]:
    """Value, JVP along all inputs, and VJP."""
    return trace.output, program.jvp(trace, tangents), program.vjp(trace, cotangent)


def with_wrong_gelu(cases: Sequence[Case]) -> list[Case]:
    """The same instances with a derivative of GELU in the VJP that is too large by 1e-3.

    GELU is half · shifted with half = x/2, so that 2e-3 more on the way to half is 1e-3 more on the
    way to x.
    """
    return [Case(_wrong(c.program.graph), c.batch, backend=c.backend) for c in cases]


def _wrong(graph: Graph) -> Interpreter:
    right = OPS["mul"].partials[0]

    def pull(args: Any, out: Any, binding: Any, s: Any) -> Any:
        return right.pull(args, out, binding, s) + 2e-3 * s

    op = replace(OPS["mul"], partials=(Partial(right.push, pull), OPS["mul"].partials[1]))
    return Interpreter(graph, {"ffn.hiddenAct.y": op})


def finds(found: Sequence[Measurement]) -> bool:
    """Whether every instance fails."""
    return all(m.count(Outcome.FAILS) == len(m) for m in found)
