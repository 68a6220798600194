"""The rules of one operation: its shape, its value, its derivative and how it rounds.

All arrays carry one leading batch axis: a value of shape ``s`` is an array ``(B, *s)``.  Axes in
parameters count without it.  The derivative of an operation with respect to its k-th argument is a
linear map; an entry defines it (`Partial.push`) and its transpose (`Partial.pull`), so that

    jvp = Σₖ pushₖ(tangentₖ)        cotangentₖ = pullₖ(cotangent)

and a test can compare each with the other and with the complex step.  The rules for enclosures, by
radii, by Arb's balls and by balls of 106 bits, are written separately, and so is the tangent for
dual numbers: none is derived from another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from numeric.arithmetic.ball import Ball
from numeric.arithmetic.wide import Wide
from numeric.ops.arrays import NUMPY, Array, Arrays, Index, Shape

__all__ = [
    "NO_INDEX",
    "Array",
    "BallNode",
    "Binding",
    "Constant",
    "FloatArray",
    "Op",
    "Params",
    "Partial",
    "Radii",
    "Radius",
    "Shape",
    "ShapeMismatch",
    "Tangent",
    "Values",
    "WidePull",
    "WideStep",
    "same_shape",
    "sized_by_result",
]

Values: TypeAlias = tuple[Array, ...]
FloatArray: TypeAlias = npt.NDArray[np.float64]
NO_INDEX: Index = np.zeros(0, dtype=np.intp)
"""For an operation that takes none."""


class ShapeMismatch(ValueError):
    """The shapes of an operation's arguments do not fit; the text says what was expected and what
    was found."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant of a graph; with a ``symbol`` it can be rebound per instance."""

    value: float
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of a node, as in the graph."""

    c: Constant | None = None
    axis: int | None = None
    perm: tuple[int, ...] | None = None
    index: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """The parameters of a node, ready to compute with.

    ``c`` has one value per instance, shaped to broadcast against ``(B, *shape)``; ``axis`` and
    ``perm`` count the batch axis; ``shape`` is the shape of the result and ``operand`` that of the
    first argument, both without it.  ``index`` says which entry along the axis goes where, −1 for
    none.  ``xp`` has the functions of the arrays that it is applied to.
    """

    shape: Shape
    operand: Shape
    c: Array
    axis: int = 0
    perm: tuple[int, ...] = ()
    index: Index = field(default_factory=lambda: NO_INDEX)
    xp: Arrays = NUMPY


@dataclass(frozen=True, slots=True)
class Partial:
    """The derivative with respect to one argument, and its transpose.

    Both take the arguments, the result, the binding, and a tangent of that argument (``push``) or a
    cotangent of the result (``pull``).
    """

    push: Callable[[Values, Array, Binding, Array], Array]
    pull: Callable[[Values, Array, Binding, Array], Array]


def sized_by_result(args: Values, out: Array, binding: Binding) -> Array:
    """Rounding of an operation that computes each entry from one entry of each argument: u ·
    |result|."""
    return binding.xp.absolute(out)


Tangent: TypeAlias = Callable[[Values, Array, Binding, int, Array], Array]
"""From the arguments, the result, the binding, which argument, and its tangents ``(k, B, *s)``."""
Radii: TypeAlias = tuple[tuple[FloatArray, FloatArray], ...]
"""Numbers ``(B, *s)`` and how far the exact ones can be from them."""
Radius: TypeAlias = Callable[[Radii, FloatArray, Binding], FloatArray]
"""From the arguments and the computed result, how far the exact one can be from it."""


@dataclass(frozen=True, slots=True)
class BallNode:
    """A node that runs on the balls of one instance, without a batch axis.

    Attributes:
        arb: makes a ball from a number.
        params: as in the graph; axes count from the first axis of the instance.
        shape: of the result.
        c: the constant, as a ball; None if the operation takes none.
        square: whether both arguments are one value.
    """

    arb: Any
    params: Params
    shape: Shape
    c: Any | None
    square: bool


@dataclass(frozen=True, slots=True)
class WideStep:
    """One node on the way back: its arguments, its parameters, its result and its cotangent."""

    args: tuple[Wide, ...]
    binding: Binding
    out: Wide
    cotangent: Wide


WidePull: TypeAlias = Callable[[WideStep], Wide]
"""The cotangent of one argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation.

    Attributes:
        shape: the result's shape from those of the arguments, the parameters and the declared
            shape; raises `ShapeMismatch`.
        evaluate: the value, for float64 and complex128 arguments.
        partials: one per argument; their number is the arity.
        tangent: the same derivative along many directions at once, for `numeric.interpret.dual`.
        radius: how far the exact value can be from the computed one, given how far the arguments
            are from theirs, for `numeric.interpret.enclosure`.
        ball: the value in Arb's balls, for `numeric.interpret.balls`.
        wide: the value in balls of 106 bits, and
        wide_pulls: the cotangent of each argument in them, for `numeric.interpret.adjoint_balls`.
        terms: Σ|terms| of each entry of the result, which bounds its own rounding error in units of
            u; None for an operation that only moves numbers and so rounds nothing.
        parameters: the names of parameters that the node must give, and no others.
        bounded: whether it is finite at some infinity, as 1/∞ = 0: then the result alone does not
            show that something overflowed.
        entrywise: whether each entry of the result comes from that entry of the arguments alone.
    """

    name: str
    shape: Callable[[tuple[Shape, ...], Params, Shape], Shape]
    evaluate: Callable[[Values, Binding], Array]
    partials: tuple[Partial, ...]
    tangent: Tangent
    radius: Radius
    ball: Callable[[BallNode, tuple[Ball, ...]], Ball]
    wide: Callable[[tuple[Wide, ...], Binding], Wide]
    wide_pulls: tuple[WidePull, ...]
    terms: Callable[[Values, Array, Binding], Array] | None = sized_by_result
    parameters: frozenset[str] = frozenset()
    bounded: bool = False
    entrywise: bool = True

    def __post_init__(self) -> None:
        if len(self.wide_pulls) != len(self.partials):
            raise AssertionError(f"{self.name} needs one rule for each argument")

    @property
    def arity(self) -> int:
        """How many arguments the operation takes."""
        return len(self.partials)


def same_shape(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    """All arguments have one shape, and the result has it too."""
    for other in args[1:]:
        if other != args[0]:
            raise ShapeMismatch(f"expected arguments of one shape but got {args[0]} and {other}")
    return args[0]
