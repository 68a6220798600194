"""Identities of a graph in its first input alone, with the others fixed.

That input is called x: the tokens of a block, the rows of LayerNorm.  Source:
``lean/PostNorm/Graph/Compose.lean``, `Graph.derivHead` and `Graph.adjoint_head`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from numeric.instances.case import Case
from numeric.interpret.interpreter import Trace
from numeric.interpret.per_instance import dot, largest_everywhere
from numeric.interpret.perturbation import Perturbation
from numeric.judge.measurement import Measurement
from numeric.judge.tolerance import Sides, identity, screened
from numeric.ops import Array

__all__ = ["first_backprop_is_adjoint", "first_backprop_is_zero", "first_derivative_is_zero"]

FloatArray = npt.NDArray[np.float64]


def first_backprop_is_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, in the first input alone; with J v by forward
    mode, and the exact one (dual numbers, then the complex step), so that two wrong rules cannot
    agree.

    Σ|terms| is the sum over all paths of absolute products, its natural size that over the paths
    from all inputs.  Where ε ≤ 0 both may be the rules' conventions √x' = 0 and 1/x = 0 at 0, which
    the complex step follows.
    """
    name = _first(case)

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        tangent, cotangent = {name: at.tangents()[name]}, at.cotangent()
        trace = at.run(perturbation)
        pulled = dot(tangent[name], at.program.vjp(trace, cotangent, perturbation)[name])
        pushed = at.program.jvp(trace, tangent, perturbation)
        (stepped,) = at.derivative([tangent], perturbation)
        left = [dot(d, cotangent) for d in (pushed, stepped)]
        if perturbation is not None:
            return [Sides.moved(one, pulled) for one in left]
        return weighed(at, trace, left, pulled)

    def quick(at: Case) -> list[Sides]:
        tangent, cotangent, trace = {name: at.tangents()[name]}, at.cotangent(), at.run()
        pulled = dot(tangent[name], at.program.vjp(trace, cotangent)[name])
        (exact,) = at.tangents_of([tangent])
        left = [dot(d, cotangent) for d in (at.program.jvp(trace, tangent), exact)]
        return weighed(at, trace, left, pulled)

    def weighed(at: Case, trace: Trace, left: Sequence[Array], right: Array) -> list[Sides]:
        flow = at.program.vjp_magnitude(trace, at.cotangent())
        sizes = {n: dot(np.abs(t), flow[n]) for n, t in at.tangents().items()}
        together = np.sum(list(sizes.values()), axis=0)
        return [Sides.of(one, right, sizes[name], together) for one in left]

    parts = [
        f"backprop to {name} against {way}" for way in ("forward mode", "the exact derivative")
    ]
    if case.refuting:  # the quick way never rejects
        return identity(parts, case, sides)
    # Only the complex step rejects where e^score times the step is below the smallest float.
    return screened(parts, case, quick, sides)


def first_derivative_is_zero(case: Case, *, forward: bool) -> Measurement:
    """The derivative in the first input is 0, entry by entry, along a random direction.

    Σ|terms| is that of the JVP along it.

    Args:
        forward: whether to measure forward mode's too, in addition to the complex step of the
            evaluation.
    """
    name = _first(case)
    ways = ["the complex step", *(["forward mode"] if forward else [])]

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        tangent = {name: at.tangents()[name]}
        trace = at.run(perturbation)
        terms = at.program.jvp_magnitude(trace, tangent)
        found: list[Array] = [at.derivative([tangent], perturbation)[0]]
        if forward:
            found.append(at.program.jvp(trace, tangent, perturbation))
        return [_zero(d, terms) for d in found]

    return identity([f"derivative in {name} by {way} against 0" for way in ways], case, sides)


def first_backprop_is_zero(case: Case) -> Measurement:
    """Backprop sends nothing to the first input: every entry is 0, for a random cotangent.

    Σ|terms| is that of the VJP.
    """
    name = _first(case)

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        cotangent, trace = at.cotangent(), at.run(perturbation)
        pulled = at.program.vjp(trace, cotangent, perturbation)[name]
        return [_zero(pulled, at.program.vjp_magnitude(trace, cotangent)[name])]

    return identity([f"backprop to {name} against 0"], case, sides)


def _first(case: Case) -> str:
    return case.program.graph.inputs[0].name


def _zero(found: Array, terms: FloatArray) -> Sides:
    return Sides.of(found, np.zeros_like(found), terms, largest_everywhere(terms))
