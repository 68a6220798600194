"""The kinds of planted errors, by which tables count them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from numeric.mutants.edits import Change, ConstantMutant, DerivativeMutant, Edit, GraphMutant

__all__ = [
    "AXIS",
    "HEADS",
    "INSTANCE",
    "KINDS",
    "OTHER",
    "ROOT",
    "SCALE",
    "TRANSPOSED",
    "VARIANCE",
    "kind_of",
]

OPERAND = "an operand is another value"
REPLACED = "an operation is another one"
DROPPED = "an edge is dropped"
CONSTANT = "a constant is another one"
TRANSPOSED = "a matrix is transposed"
HEADS = "heads are split or merged wrongly"
AXIS = "softmax or norm over the wrong axis"
SCALE = "√head_dim is missing or wrong"
ROOT = "ε is outside the root"
VARIANCE = "the variance is another moment"
OTHER = "another error in the graph"
INSTANCE = "instances that violate a hypothesis"

_CHANGES: Mapping[Change, str] = MappingProxyType(
    {
        "drop": "derivative: a term is missing",
        "negate": "derivative: a sign is wrong",
        "transpose": "derivative: a transpose is missing",
        "one entry": "derivative: one entry is off by 1 %",
        "one percent": "derivative: a term is off by 1 %",
        "one in a million": "derivative: a term is off by 1e-6",
        "offset": "derivative: a term is off by 1",
    }
)

KINDS = (
    OPERAND, REPLACED, DROPPED, CONSTANT, TRANSPOSED, HEADS, AXIS, SCALE, ROOT, VARIANCE, OTHER,
    *_CHANGES.values(), INSTANCE,
)  # fmt: skip
"""Every kind, in the order of tables; those of an error that names its own kind come after them."""


def kind_of(mutant: object) -> str:
    """The kind of mistake: the one that the error names, otherwise the one that its edits imply."""
    if isinstance(mutant, DerivativeMutant):
        return _CHANGES[mutant.change]
    if isinstance(mutant, ConstantMutant):
        return INSTANCE
    if isinstance(mutant, GraphMutant):
        return mutant.kind or _told_by(mutant.edits)
    return OTHER


def _told_by(edits: tuple[Edit, ...]) -> str:
    if all(e.op == "scale" and e.constant == 1.0 and e.args is not None for e in edits):
        return DROPPED
    if any(e.op is not None for e in edits):
        return REPLACED
    if any(e.args is not None for e in edits):
        return OPERAND
    if any(e.constant is not None or e.symbol is not None for e in edits):
        return CONSTANT
    return AXIS if any(e.axis is not None for e in edits) else OTHER
