"""Every operation that an exported graph may use: a file each, with all its rules.

A new operation is one file and its line in the list below.  The parser, everything that runs graphs
(`numeric.interpret`), and the tests then include it; the tests fail until it is exercised.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from numeric.ops.add import ADD
from numeric.ops.add_constant import ADD_CONSTANT
from numeric.ops.arrays import NUMPY, Arrays
from numeric.ops.broadcast import BROADCAST
from numeric.ops.exp import EXP
from numeric.ops.gather import GATHER
from numeric.ops.inv import INV
from numeric.ops.log import LOG
from numeric.ops.matmul import MATMUL
from numeric.ops.mean import MEAN
from numeric.ops.mul import MUL
from numeric.ops.normal_cdf import NORMAL_CDF
from numeric.ops.place import PLACE
from numeric.ops.relu import RELU
from numeric.ops.reshape import RESHAPE
from numeric.ops.rule import (
    NO_INDEX,
    Array,
    BallNode,
    Binding,
    Constant,
    Op,
    Params,
    Partial,
    Shape,
    ShapeMismatch,
    WideStep,
)
from numeric.ops.scale import SCALE
from numeric.ops.sigmoid import SIGMOID
from numeric.ops.sqrt import SQRT
from numeric.ops.sub import SUB
from numeric.ops.sum import SUM
from numeric.ops.tanh import TANH
from numeric.ops.transpose import TRANSPOSE

__all__ = [
    "NO_INDEX",
    "NUMPY",
    "OPS",
    "Array",
    "Arrays",
    "BallNode",
    "Binding",
    "Constant",
    "Op",
    "Params",
    "Partial",
    "Shape",
    "ShapeMismatch",
    "WideStep",
]

_ALL = (
    ADD, SUB, MUL, EXP, INV, TANH, NORMAL_CDF, SIGMOID, LOG, RELU, SQRT, SCALE, ADD_CONSTANT,
    MATMUL, SUM, MEAN, BROADCAST, TRANSPOSE, RESHAPE, PLACE, GATHER,
)  # fmt: skip

OPS: Mapping[str, Op] = MappingProxyType({op.name: op for op in _ALL})
"""The operations, by their names in the JSON."""

if len(OPS) != len(_ALL):
    raise AssertionError("two operations have the same name")
