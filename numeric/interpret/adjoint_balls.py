"""Value and backprop in ball arithmetic: each with a radius that encloses the exact one.

The walk is that of `Interpreter.vjp`: from the output back, each operation pulls the cotangent of
its result back to its arguments, at the values that the forward run saved.  Here the saved values
and the cotangents are balls, so the result encloses what the same walk gives over the real numbers.
For a captured graph, Lean proves that this is the adjoint of the Fréchet derivative where its side
conditions hold; they are checked elsewhere.

Inputs, constants and the cotangent of the output are assumed exact.  Where a derivative may not
exist, as that of ReLU around 0, the ball contains 0 and 1 and nothing more is claimed.
The rules of each operation are with the operation (`numeric.ops`).
Source: `numeric.arithmetic.wide`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numeric.arithmetic.rounding import standard_arithmetic
from numeric.arithmetic.wide import Wide
from numeric.errors import EvaluationError
from numeric.interpret.interpreter import Trace
from numeric.ops import OPS, WideStep

__all__ = ["Enclosed", "pulled_back"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Enclosed:
    """Enclosures of a run and of backprop over the real numbers.

    Attributes:
        values: of the graph, inputs first, each ``(B, *shape)``.
        gradients: of every input, by name.
        open: the first node, forward and then back, with an unknown value; empty if there is none.
    """

    values: tuple[Wide, ...]
    gradients: Mapping[str, Wide]
    open: str = ""


def pulled_back(trace: Trace, cotangent: FloatArray) -> Enclosed:
    """Enclose the values of a graph and the backprop of a cotangent of its first output.

    Args:
        trace: a run in float64: its inputs and constants are taken.
        cotangent: of the first output, ``(B, *shape)``, exact.

    Raises:
        EvaluationError: the run is complex, python-flint is not installed, or the platform does not
            round as the bounds assume.
    """
    standard_arithmetic()
    graph = trace.graph
    count = len(graph.inputs)
    given = trace.values[:count]
    if any(np.iscomplexobj(v) for v in given):
        raise EvaluationError("expected a run in real numbers but got complex128")
    values = [Wide.exactly(v) for v in given]
    flow: dict[int, Wide] = {graph.outputs[0]: Wide.exactly(cotangent)}
    unknown = ""
    with np.errstate(all="ignore"):
        for node, binding in zip(graph.nodes, trace.bindings, strict=True):
            found = OPS[node.op].wide(tuple(values[a] for a in node.args), binding)
            if not unknown and not np.isfinite(found.radius).all():
                unknown = f"{node.name} ({node.op})"
            values.append(found)
        for position in reversed(range(len(graph.nodes))):
            arriving = flow.pop(count + position, None)
            if arriving is None:
                continue
            node = graph.nodes[position]
            args = tuple(values[a] for a in node.args)
            step = WideStep(args, trace.bindings[position], values[count + position], arriving)
            for arg, pull in zip(node.args, OPS[node.op].wide_pulls, strict=True):
                pulled = pull(step)
                if not unknown and not np.isfinite(pulled.radius).all():
                    unknown = f"the way back through {node.name} ({node.op})"
                flow[arg] = flow[arg] + pulled if arg in flow else pulled
    gradients = {
        g.name: flow[i] if i in flow else Wide.exactly(np.zeros(given[i].shape))
        for i, g in enumerate(graph.inputs)
    }
    return Enclosed(tuple(values), gradients, unknown)
