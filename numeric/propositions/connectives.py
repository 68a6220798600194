"""Connectives of propositions, and the differences by which comparisons are solved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from numeric.propositions.enclosures import Enclosure
from numeric.propositions.truth import Truth, both, either, negation
from numeric.propositions.values import Value

__all__ = ["LOGIC", "compared"]


def _iff(parts: Sequence[Truth]) -> Truth:
    a, b = parts
    return both([either([negation(a), b]), either([negation(b), a])])


LOGIC: Mapping[str, Callable[[Sequence[Truth]], Truth]] = {
    "not": lambda parts: negation(parts[0]),
    "iff": _iff,
    "true": lambda parts: both(()),
    "false": lambda parts: either(()),
}
"""Connectives that evaluate all of their parts."""


def compared(name: str, values: Sequence[Value], found: Value) -> npt.NDArray[np.float64] | None:
    """Right − left of the operands that an operation compares, if these are real numbers.

    ``min`` and ``max`` compare, too, and an absolute value compares with 0.

    Args:
        name: of the operation.
        values: its arguments.
        found: its value.
    """
    match values:
        case _ if isinstance(found, Truth):
            slack = found.slack
        case [Enclosure() as a, Enclosure() as b] if name in ("min", "max"):
            slack = np.asarray(b.middle - a.middle)
        case [Enclosure() as a] if name == "abs":
            slack = a.middle
        case _:
            return None
    return slack if slack.ndim else None
