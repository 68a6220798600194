"""A graph whose softmax subtracts the largest score of each row before the exponential.

A softmax written as e^x · (Σ e^x)⁻¹ overflows where a score exceeds 709, and divides by 0 where all
are below −745.  With e^(x − m), m the largest score of the row, value and derivative are the same
in exact arithmetic: m is constant, since the quotient does not depend on it.  The rounding error of
x − m is corrected, so that the result is as accurate as another exponential.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from numeric.graph import Graph, Node
from numeric.interpret.interpreter import Interpreter
from numeric.ops import OPS, Array, Binding

__all__ = ["shifted"]


def shifted(graph: Graph) -> Interpreter:
    """An interpreter of the graph, with e^(x − m) instead of e^x in every softmax: where e^x is
    summed along an axis, unchanged or with masking factors, and multiplied by that sum's inverse.

    Args:
        graph: a validated graph.  Values of those exponentials, and of their sums, differ from the
            graph's by the factor e^−m.
    """
    overrides = {
        node.name: replace(OPS["exp"], evaluate=_shifted_exp(axis + 1))
        for place, node in enumerate(graph.nodes, len(graph.inputs))
        if node.op == "exp" and (axis := _summed(graph, place)) is not None
    }
    return Interpreter(graph, overrides)


def _summed(graph: Graph, place: int) -> int | None:
    """The axis along which a value is summed in its softmax, and the sum that divides it; None if
    it is not part of a softmax, or if anything else reads it."""
    readers = _readers(graph, place)
    sums = [k for k in readers if _node(graph, k).op == "sum"]
    products = [k for k in readers if _node(graph, k).op == "mul"]
    if len(products) != 1 or len(sums) + 1 != len(readers):
        return None
    if not sums:  # the masking factors
        return _summed(graph, products[0])
    divided = sums[0]
    for op in ("inv", "broadcast", "mul"):
        following = _readers(graph, divided)
        if len(following) != 1 or _node(graph, following[0]).op != op:
            return None
        divided = following[0]
    return _node(graph, sums[0]).params.axis if divided == products[0] else None


def _node(graph: Graph, place: int) -> Node:
    return graph.nodes[place - len(graph.inputs)]


def _readers(graph: Graph, place: int) -> list[int]:
    return [k for k, n in enumerate(graph.nodes, len(graph.inputs)) if place in n.args]


def _shifted_exp(axis: int) -> Callable[[tuple[Array, ...], Binding], Array]:
    def evaluate(args: tuple[Array, ...], binding: Binding) -> Array:
        (x,) = args
        most = x.real.max(axis=axis, keepdims=True)
        less = x.real - most
        # Knuth's two-sum: the error of the subtraction; at most u·|x − m|, which e^… multiplies.
        back = less - x.real
        lost = (x.real - (less - back)) - (most + back)
        found: Array = np.exp(less) * (1.0 + np.where(np.isfinite(lost), lost, 0.0))
        return found * np.exp(1j * x.imag) if np.iscomplexobj(x) else found

    return evaluate
