"""Whether a proposition holds on each instance of a batch, and by how much.

A comparison of enclosures is decided where they do not overlap.  Where they overlap and are both
narrow relative to the input terms, two numbers agree to rounding: that is `CLOSE`, which counts as
holding for ``=``, ``≤`` and ``≥``, but never refutes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numeric.propositions.enclosures import Enclosure

__all__ = [
    "CLOSE",
    "FALSE",
    "SAMPLED",
    "TRUE",
    "UNDECIDED",
    "UNLIKELY",
    "Truth",
    "both",
    "certain",
    "either",
    "equal",
    "less",
    "less_or_equal",
    "negation",
    "sampled",
]

FloatArray = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

FALSE = -2
UNLIKELY = -1
"""No witness among some of infinitely many cases."""
UNDECIDED = 0
SAMPLED = 1
"""No counterexample among some of infinitely many cases."""
CLOSE = 2
"""True up to rounding."""
TRUE = 3

CLOSE_SHARE = 2.0**-30
"""Bounds are narrow if their distance is at most this share of the terms' sizes."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of a proposition on B instances; all arrays have shape ``(B,)`` or ``()``.

    Attributes:
        code: `TRUE`, `CLOSE`, `SAMPLED`, `UNDECIDED`, `UNLIKELY` or `FALSE`.
        margin: the distance from being false: right − left for ``left ≤ right``, −|right − left|
        for
            an equation; negative where false.
        slack: right − left of the comparison that decides the margin, with its sign.
    """

    code: Codes
    margin: FloatArray
    slack: FloatArray


def _array(code: object) -> Codes:
    return np.asarray(code, dtype=np.int8)


def certain(value: bool) -> Truth:
    """True or false on every instance, by an infinite margin."""
    far = np.asarray(np.inf if value else -np.inf)
    return Truth(_array(TRUE if value else FALSE), far, far)


def _narrow(a: Enclosure, b: Enclosure) -> npt.NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        width = np.maximum(a.width, b.width)
        return np.asarray(np.isfinite(width) & (width <= CLOSE_SHARE * np.maximum(a.size, b.size)))


def _slack(a: Enclosure, b: Enclosure) -> FloatArray:
    with np.errstate(over="ignore"):
        known = np.isfinite(a.lo + a.hi + b.lo + b.hi)
        return np.asarray(np.where(known, b.middle - a.middle, np.nan), dtype=np.float64)


def less_or_equal(a: Enclosure, b: Enclosure) -> Truth:
    """a ≤ b."""
    code = np.where(_narrow(a, b), CLOSE, UNDECIDED)
    code = np.where(a.hi <= b.lo, TRUE, np.where(a.lo > b.hi, FALSE, code))
    slack = _slack(a, b)
    return Truth(_array(code), slack, slack)


def less(a: Enclosure, b: Enclosure) -> Truth:
    """a < b; never `CLOSE`, since equal numbers are not less."""
    code = np.where(a.hi < b.lo, TRUE, np.where(a.lo >= b.hi, FALSE, UNDECIDED))
    slack = _slack(a, b)
    return Truth(_array(code), slack, slack)


def equal(a: Enclosure, b: Enclosure) -> Truth:
    """a = b."""
    same = (a.lo == a.hi) & (b.lo == b.hi) & (a.lo == b.lo)
    apart = (a.lo > b.hi) | (a.hi < b.lo)
    code = np.where(_narrow(a, b), CLOSE, UNDECIDED)
    code = np.where(same, TRUE, np.where(apart, FALSE, code))
    slack = _slack(a, b)
    return Truth(_array(code), -np.abs(slack), slack)


def negation(a: Truth) -> Truth:
    """Not a.  What is only close, or only sampled, refutes nothing."""
    code = np.where(a.code == FALSE, TRUE, np.where(a.code == TRUE, FALSE, UNDECIDED))
    code = np.where(a.code == UNLIKELY, SAMPLED, code)
    return Truth(_array(code), -a.margin, -a.slack)


def _chosen(truths: Sequence[Truth], lowest: bool) -> Truth:
    first = truths[0]
    for t in truths[1:]:
        takes = t.margin < first.margin if lowest else t.margin > first.margin
        # A NaN margin carries no information; take the other.
        takes |= np.isnan(first.margin)
        pick = np.minimum if lowest else np.maximum
        first = Truth(
            _array(pick(first.code, t.code)),
            np.where(takes, t.margin, first.margin),
            np.where(takes, t.slack, first.slack),
        )
    return first


def both(truths: Sequence[Truth]) -> Truth:
    """All of them; true where there is none."""
    return _chosen(truths, lowest=True) if truths else certain(True)


def either(truths: Sequence[Truth]) -> Truth:
    """One of them; false where there is none."""
    return _chosen(truths, lowest=False) if truths else certain(False)


def sampled(truth: Truth) -> Truth:
    """A ``∀`` over infinitely many cases of which only some were tested."""
    code = np.where(truth.code > SAMPLED, SAMPLED, truth.code)
    return Truth(_array(code), truth.margin, truth.slack)
