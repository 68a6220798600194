"""What is measured of this project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bridge.checks.measures import backprop_is_right
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.interpret import dual
from numeric.interpret.interpreter import Interpreter
from numeric.judge.identities import backprop_is_adjoint
from numeric.judge.measurement import Measurement, Outcome
from numeric.ops import OPS, Partial

__all__ = [
    "along_each",
    "audited",
    "directions",
    "finds",
    "full",
    "runs",
    "screening",
    "with_wrong_gelu",
]


def _fresh(case: Case) -> Case:
    """The same instances with nothing computed yet."""
    return Case(case.program, case.batch)


def full(cases: Sequence[Case]) -> list[Measurement]:
    """Forward, VJP, an exact derivative along each of the 13 inputs, and the verdict on
    ⟨J v, s⟩ = ⟨v, Jᵀ s⟩ for each input, by rules A and B."""
    return [backprop_is_adjoint(_fresh(c)) for c in cases]


def audited(cases: Sequence[Case]) -> list[Measurement]:
    """What an audit measures for the block's backpropagation: `full`, and every entry of the VJP
    against the closed form's."""
    return [backprop_is_right(_fresh(c)) for c in cases]


def screening(cases: Sequence[Case]) -> list[float]:
    """Forward, VJP, and one exact directional derivative, along all inputs at once."""
    return [_disagreement(c, [c.tangents()]) for c in map(_fresh, cases)]


def along_each(cases: Sequence[Case]) -> list[float]:
    """Forward, VJP, and one exact directional derivative along each of the 13 inputs."""
    return [
        _disagreement(c, [{name: t} for name, t in c.tangents().items()])
        for c in map(_fresh, cases)
    ]


def _disagreement(case: Case, directions: Sequence[dict[str, Any]]) -> float:
    """The largest |⟨J v, s⟩ − ⟨v, Jᵀ s⟩| relative to Σ|v·Jᵀ s|."""
    trace, cotangent = case.run(), case.cotangent()
    pulled = case.program.vjp(trace, cotangent)
    pushed = dual.derivatives(trace, directions)
    flat = cotangent.reshape(len(case), -1)
    left = np.einsum("kbi,bi->kb", pushed.reshape(*pushed.shape[:2], -1), flat)
    worst = 0.0
    for row, direction in zip(left, directions, strict=True):
        products = [(t * pulled[name]).reshape(len(case), -1) for name, t in direction.items()]
        right = sum(p.sum(axis=1) for p in products)
        size = sum(np.abs(p).sum(axis=1) for p in products)
        worst = max(worst, float((np.abs(row - right) / (size + 1e-300)).max()))
    return worst


def directions(cases: Sequence[Case]) -> list[tuple[dict[str, Any], Any]]:
    """Tangents and cotangents for `runs`."""
    return [(c.tangents(), c.cotangent()) for c in cases]


def runs(cases: Sequence[Case], drawn: Sequence[tuple[dict[str, Any], Any]]) -> None:
    """Forward, JVP along all inputs, and VJP: what counts against the rate of dgemm."""
    for case, (tangents, cotangent) in zip(cases, drawn, strict=True):
        trace = case.program.evaluate(case.batch.inputs, case.constants)
        case.program.jvp(trace, tangents)
        case.program.vjp(trace, cotangent)


def with_wrong_gelu(cases: Sequence[Case]) -> list[Case]:
    """The same instances with a derivative of GELU in the VJP that is too large by 1e-3.

    GELU is half · shifted with half = x/2, so that 2e-3 more on the way to half is 1e-3 more on the
    way to x.
    """
    return [Case(_wrong(c.program.graph), c.batch) for c in cases]


def _wrong(graph: Graph) -> Interpreter:
    right = OPS["mul"].partials[0]

    def pull(args: Any, out: Any, binding: Any, s: Any) -> Any:
        return right.pull(args, out, binding, s) + 2e-3 * s

    op = replace(OPS["mul"], partials=(Partial(right.push, pull), OPS["mul"].partials[1]))
    return Interpreter(graph, {"ffn.hiddenAct.y": op})


def finds(found: Sequence[Measurement]) -> bool:
    """Whether every instance fails."""
    return all(m.count(Outcome.FAILS) == len(m) for m in found)
