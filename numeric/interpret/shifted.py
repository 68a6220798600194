"""A graph whose softmax takes the largest score of each row away before the exponential.

A softmax e^x · (Σ e^x)⁻¹ written so overflows where a score exceeds 709, and divides by 0 where
all are below −745.  With e^(x − m), m the largest score of the row, value and derivative are the
same in exact arithmetic: m is taken as constant, since the quotient does not depend on it.  What
x − m loses to rounding counts, so that the result is as near to e^(x − m) as another exponential.
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
    """What runs the graph, with e^(x − m) in the place of e^x in every softmax: where it is added
    up along an axis, as it is or with factors that hide, and multiplied with that sum's inverse.

    Args:
        graph: a checked graph.  Values of those exponentials, and of their sums, are others than
            the graph's: by the factor e^−m.
    """
    overrides = {
        node.name: replace(OPS["exp"], evaluate=_shifted_exp(axis + 1))
        for place, node in enumerate(graph.nodes, len(graph.inputs))
        if node.op == "exp" and (axis := _summed(graph, place)) is not None
    }
    return Interpreter(graph, overrides)


def _summed(graph: Graph, place: int) -> int | None:
    """The axis along which a value is added up in its softmax, and by which sum it is divided; None
    where it is not, or where anything else reads it."""
    readers = _readers(graph, place)
    sums = [k for k in readers if _node(graph, k).op == "sum"]
    products = [k for k in readers if _node(graph, k).op == "mul"]
    if len(products) != 1 or len(sums) + 1 != len(readers):
        return None
    if not sums:  # the factors that hide
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
        # Knuth's two-sum: what the subtraction lost; at most u·|x − m|, which e^… multiplies.
        back = less - x.real
        lost = (x.real - (less - back)) - (most + back)
        found: Array = np.exp(less) * (1.0 + np.where(np.isfinite(lost), lost, 0.0))
        return found * np.exp(1j * x.imag) if np.iscomplexobj(x) else found

    return evaluate
