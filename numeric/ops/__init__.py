"""Every operation that an exported graph may use, one entry each.

Add an operation by writing its entry next to its kin (`elementwise`, `axes`, `products`); it is
then known to the parser, the interpreter and the tests, which fail until the new entry is
exercised.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from numeric.ops.arrays import NUMPY, Arrays
from numeric.ops.axes import AXES
from numeric.ops.elementwise import ELEMENTWISE
from numeric.ops.products import PRODUCTS
from numeric.ops.rule import (
    NO_INDEX,
    Array,
    Binding,
    Constant,
    Op,
    Params,
    Partial,
    Shape,
    ShapeMismatch,
)

__all__ = [
    "NO_INDEX",
    "NUMPY",
    "OPS",
    "Array",
    "Arrays",
    "Binding",
    "Constant",
    "Op",
    "Params",
    "Partial",
    "Shape",
    "ShapeMismatch",
]

OPS: Mapping[str, Op] = MappingProxyType({op.name: op for op in (*ELEMENTWISE, *PRODUCTS, *AXES)})
"""The vocabulary, by the name that stands in the JSON."""

if len(OPS) != len(ELEMENTWISE) + len(PRODUCTS) + len(AXES):
    raise AssertionError("two operations have the same name")
