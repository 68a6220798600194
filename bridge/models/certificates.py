"""Rigorous bounds on the distance of what a layer returned from the exact value and gradients.

The captured graph is run in 106 bits with a radius around every value, forward and back
(`numeric.interpret.adjoint_balls`), at exactly the weights, inputs and cotangent of the layer's own
run.  Those are short floats, or float64, and are exact here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bridge.report.captured import CapturedLayer, FormProof, Supposed
from bridge.report.certificate import Bound, GradientCertificate, Least
from bridge.verdict import Verdict
from numeric.arithmetic.wide import Wide
from numeric.errors import EvaluationError
from numeric.interpret.adjoint_balls import Enclosed, pulled_back
from numeric.interpret.interpreter import Trace

__all__ = ["enclose_gradients", "held_against"]

FloatArray = npt.NDArray[np.float64]


def enclose_gradients(
    trace: Trace,
    cotangent: FloatArray,
    returned: Mapping[str, FloatArray],
    named: Callable[[Wide, Mapping[str, Wide]], Mapping[str, Wide]],
    dtype: str,
) -> GradientCertificate:
    """Bounds on the error of what a layer returned.

    Args:
        trace: the run of the captured graph at the layer's weights and inputs.
        cotangent: the cotangent that the layer pulled back, in the shape of the graph's output.
        returned: the layer's output and gradients, by their names in the model.
        named: maps the enclosed output and gradients of the graph's inputs to those names; what
            is shared adds up.
        dtype: the dtype in which the layer computed.

    Returns:
        A bound for everything that was returned, or the reason why there is none.
    """
    try:
        found = pulled_back(trace, cotangent[None])
    except EvaluationError as e:
        return GradientCertificate(dtype, reason=str(e))
    output = found.values[trace.graph.outputs[0]]
    exact = named(output, found.gradients)
    missing = sorted(set(returned) - set(exact))
    if missing:
        return GradientCertificate(dtype, reason=f"no gradient of {', '.join(missing)} is enclosed")
    bounds = tuple(_bound(name, value, exact[name]) for name, value in returned.items())
    unknown = next((b for b in bounds if not b.most < np.inf), None)
    if unknown is not None:
        return GradientCertificate(dtype, reason=_why(unknown, returned, found))
    return GradientCertificate(dtype, bounds, least=_least(found, trace))


def _bound(name: str, returned: FloatArray, exact: Wide) -> Bound:
    most, least = exact.distance(returned.reshape(exact.hi.shape))
    size = float(exact.least.max(initial=0.0))
    return Bound(
        what="output" if name == "output" else f"gradient of {name}",
        most=most,
        least=least,
        relative=most / size * (1.0 + 2.0**-50) if size > 0 else np.inf,
        radius=float(exact.radius.max(initial=0.0)),
    )


def _why(bound: Bound, returned: Mapping[str, FloatArray], found: Enclosed) -> str:
    name = bound.what.removeprefix("gradient of ")
    if not np.isfinite(returned[name]).all():
        return f"the {bound.what} that the model returned is not finite"
    return f"the enclosure is not bounded, from {found.open or 'an overflow'} on"


def _least(found: Enclosed, trace: Trace) -> dict[str, Least]:
    graph = trace.graph
    names = [i.name for i in graph.inputs] + [n.name for n in graph.nodes]
    least = {}
    for name, ball in zip(names, found.values, strict=True):
        size = ball.least
        entry = np.where(ball.hi > 0, size, -np.inf)
        least[name] = Least(float(entry.min()), float(size.min()))
    return least


def held_against(layer: CapturedLayer, proof: FormProof) -> CapturedLayer:
    """The layer with Lean's answer about its graph; the theorem's hypotheses must be enclosed too.

    Only then may the certificate speak of the derivative: without the side conditions there may be
    none.
    """
    proof, made = proof.of(layer.masks), layer.certificate
    if made is None or not made.complete:
        return replace(layer, proof=proof)
    open_ = [c for c in layer.conditions if c.verdict is not Verdict.HOLDS]
    reasons = [f"it is not shown that {c.what}, at {c.node} ({c.origin})" for c in open_]
    shown = [_shown(asked, made.least) for asked in proof.asks]
    shown += [False] * (len(proof.supposes) - len(shown))
    reasons += [
        f"it is not shown that {word}"
        for word, yes in zip(proof.supposes, shown, strict=True)
        if not yes
    ]
    if reasons:
        made = replace(made, bounds=(), reason="; ".join(dict.fromkeys(reasons)))
    return replace(layer, proof=proof, certificate=made)


def _shown(asked: Supposed, least: Mapping[str, Least]) -> bool:
    if not asked.value:
        return asked.constant > 0 if asked.positive else asked.constant != 0
    found = least.get(asked.value)
    if found is None:
        return False
    return (found.entry if asked.positive else found.size) > 0
