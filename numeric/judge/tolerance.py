"""When two sides of an identity count as equal: rules A and B.

Rule A: |l − r| ≤ 1e-13 · Σ|terms|.  An instance that passes holds.
Rule B, where A fires: fails if |l − r| > 32·(4u·Σ|terms| + noise).  The noise is how far the two
sides move when they are recomputed, a few times, with the result of every operation moved by ± an
ulp of its terms, and ε by two. If the applicable rule would let an error of 1e-4 of the quantity's
natural size pass, the instance is undecided and does not count as holding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from numeric.instances.case import Case
from numeric.interpret.chunks import chunk_of
from numeric.interpret.perturbation import Perturbation
from numeric.judge.measurement import Measurement, Outcome, combine
from numeric.ops import Array

__all__ = [
    "ARBITRATED",
    "NOISE_LIMIT",
    "RERUNS",
    "RULE_A",
    "Sides",
    "identities",
    "identity",
    "rule_b",
    "screened",
]

FloatArray = npt.NDArray[np.float64]
Number = TypeVar("Number", float, npt.NDArray[np.float64])

RULE_A = 1e-13
RERUNS = 4  # with two, the moves cancel by chance once in about 4,000 instances at an offset of 1e8
NOISE_LIMIT = 1e-4
ARBITRATED = 4096  # one instance in this many is measured without a screen
_U = 2.0**-53
_FLOOR = 1e-280  # below it squares underflow and relative errors lose their meaning


def rule_b(noise: Number, unit: float = _U) -> Number:
    """The largest relative difference of two sides that is allowed for a known noise.

    Args:
        noise: how far the sides move when every rounding is moved, relative.
        unit: unit roundoff of the arithmetic used; float64's by default.
    """
    return 32.0 * (4.0 * unit + noise)


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of P identities on B instances; all arrays ``(B, P)``.

    ``terms`` is Σ|terms| of each identity and ``natural`` the size that its quantity has where
    nothing is degenerate, at least ``terms``: noise matters only against the latter.  (In a
    constant row x − mean x is pure rounding, which is harmless: it is added to terms of size 1.)
    """

    left: FloatArray
    right: FloatArray
    terms: FloatArray
    natural: FloatArray

    @classmethod
    def of(
        cls, left: Array, right: Array, terms: FloatArray, natural: FloatArray | None = None
    ) -> Sides:
        """Flatten arrays ``(B, *shape)``: every entry is an identity."""
        size = left.shape[0]
        whole = terms if natural is None else natural
        return cls(*(np.reshape(a, (size, -1)) for a in (left, right, terms, whole)))

    @classmethod
    def moved(cls, left: Array, right: Array) -> Sides:
        """Both sides of a rerun, without anything else: the sizes are the first run's."""
        return cls.of(left, right, left)


def identity(
    parts: Sequence[str],
    case: Case,
    sides: Callable[[Case, Perturbation | None], Sequence[Sides]],
    most: int | None = None,
) -> Measurement:
    """Measure whether both sides agree on every instance, for several families of identities at
    once.

    Args:
        parts: the comparisons' names for reports: one for each entry of the result of ``sides``.
        sides: computes both sides; called again with a perturbation on the instances where rule A
            fires; there `Sides.moved` is enough.
        most: how many reruns of instances at once; half a chunk if None.

    Returns:
        The residual is max |l − r| / Σ|terms| over the identities of a part.  An instance with a
        non-finite side, size or saved tensor is undecided.
    """
    return combine(identities(parts, case, sides, most))


def identities(
    parts: Sequence[str],
    case: Case,
    sides: Callable[[Case, Perturbation | None], Sequence[Sides]],
    most: int | None = None,
) -> list[Measurement]:
    """The measurements that `identity` combines: one for each part."""
    with np.errstate(all="ignore"):  # overflows are reported as undecided
        found = sides(case, None)
    finite = case.finite()
    residuals = [np.where(finite, _residual(s), np.nan) for s in found]
    vague = [_vague(s) for s in found]
    fired = np.flatnonzero(np.any([np.isfinite(r) & ~(r <= RULE_A) for r in residuals], axis=0))
    noise = np.zeros((len(found), len(fired)))
    hidden = np.zeros((len(found), len(fired)), dtype=np.bool_)
    most = max(1, chunk_of(case.program.graph) // 2) if most is None else most
    for runs, piece in _reruns(len(fired), most):
        rows = fired[piece]
        with np.errstate(all="ignore"):
            again = sides(*case.take(rows).reruns(runs))
        for k, (first, second) in enumerate(zip(found, again, strict=True)):
            moved = _moved(first, second, rows, len(runs))
            share = (moved / _floored(first.terms[rows])).max(axis=(0, 2))
            noise[k, piece] = np.maximum(noise[k, piece], share)
            large = ~(32.0 * moved <= NOISE_LIMIT * _floored(first.natural[rows]))
            hidden[k, piece] |= large.any(axis=(0, 2))
    return [
        _decide(part, residual, vague[k], fired, noise[k], hidden[k])
        for k, (part, residual) in enumerate(zip(parts, residuals, strict=True))
    ]


def screened(
    parts: Sequence[str],
    case: Case,
    quick: Callable[[Case], Sequence[Sides]],
    sides: Callable[[Case, Perturbation | None], Sequence[Sides]],
) -> Measurement:
    """As `identity`, where a quicker way to compute the sides may accept, but never reject.

    An instance on which the quick sides satisfy rule A holds.  All others, and the first of every
    `ARBITRATED` in any case, are measured as if there were no quick way, so that a wrong quick way
    is found.

    Args:
        quick: computes both sides, Σ|terms| included, in another way than ``sides``, or on another
            backend.
    """
    with np.errstate(all="ignore"):
        found = quick(case)
    residuals = [_residual(s) for s in found]
    settled = np.all([(r <= RULE_A) & ~_vague(s) for r, s in zip(residuals, found, strict=True)], 0)
    settled &= (case.batch.indices % ARBITRATED != 0) & case.finite()
    said = combine([_by_rule_a(part, r) for part, r in zip(parts, residuals, strict=True)])
    rest = np.flatnonzero(~settled)
    # The complex step takes a run along each direction: few instances at a time.
    most = max(1, chunk_of(case.program.graph) // 16)
    for piece in _pieces(len(rest), most):
        rows = rest[piece]
        said = said.replaced(rows, identity(parts, case.take(rows), sides, most))
    return said


def _pieces(count: int, most: int) -> Iterator[slice]:
    for start in range(0, count, most):
        yield slice(start, min(start + most, count))


def _reruns(count: int, most: int) -> Iterator[tuple[range, slice]]:
    """The groups of reruns of ``count`` instances to run together: no more than ``most`` each."""
    together = min(RERUNS, most)
    for start in range(0, RERUNS, together):
        runs = range(start, min(start + together, RERUNS))
        for piece in _pieces(count, max(1, most // together)):
            yield runs, piece


def _floored(terms: FloatArray) -> FloatArray:
    return terms + _FLOOR


def _residual(sides: Sides) -> FloatArray:
    """For each instance, ``(B,)``; NaN where a size is non-finite: relative to infinity all are
    equal."""
    with np.errstate(all="ignore"):
        scaled = np.abs(sides.left - sides.right) / _floored(sides.terms)
        sizes = sides.terms.max(axis=1) + sides.natural.max(axis=1)
    return np.asarray(np.where(np.isfinite(sizes), scaled.max(axis=1), np.nan), dtype=np.float64)


def _vague(sides: Sides) -> npt.NDArray[np.bool_]:
    """Where even rule A would let an error of 1e-4 of the natural size pass, as when everything is
    below the floor, and the sides do not agree to 1e-13 of that size."""
    limit = RULE_A * sides.terms > NOISE_LIMIT * _floored(sides.natural)
    limit |= sides.natural.max(axis=1, keepdims=True) < _FLOOR
    with np.errstate(all="ignore"):
        apart = ~(np.abs(sides.left - sides.right) <= RULE_A * sides.natural)
    return np.asarray((limit & apart).any(axis=1), dtype=np.bool_)


def _moved(first: Sides, second: Sides, rows: npt.NDArray[np.int64], runs: int) -> FloatArray:
    """How far each rerun of these rows moved both sides, ``(runs, rows, P)``."""
    shape = (runs, len(rows), -1)
    with np.errstate(all="ignore"):
        left = np.abs(second.left.reshape(shape) - first.left[rows])
        right = np.abs(second.right.reshape(shape) - first.right[rows])
    return np.asarray(left + right, dtype=np.float64)


def _by_rule_a(part: str, residual: FloatArray) -> Measurement:
    """The outcomes that rule A settles; the rest is replaced later."""
    return Measurement(
        residual=residual,
        tolerance=np.full(len(residual), RULE_A),
        outcome=np.where(residual <= RULE_A, Outcome.HOLDS, Outcome.UNDECIDED).astype(np.int8),
        part=np.zeros(len(residual), dtype=np.int64),
        parts=(part,),
    )


def _decide(
    part: str,
    residual: FloatArray,
    vague: npt.NDArray[np.bool_],
    fired: npt.NDArray[np.int64],
    noise: FloatArray,
    hidden: npt.NDArray[np.bool_],
) -> Measurement:
    """Rule A everywhere; rule B on the rows ``fired``, for which ``noise`` and ``hidden`` are
    given."""
    tolerance = np.full(len(residual), RULE_A)
    outcome = np.where(residual <= RULE_A, Outcome.HOLDS, Outcome.UNDECIDED).astype(np.int8)
    second = outcome[fired] != Outcome.HOLDS
    beyond = fired[second]
    limit = rule_b(noise[second])
    tolerance[beyond] = limit
    outcome[beyond] = np.where(
        residual[beyond] > limit,
        Outcome.FAILS,
        np.where(hidden[second], Outcome.UNDECIDED, Outcome.HOLDS),
    )
    outcome[~np.isfinite(residual) | (vague & (outcome == Outcome.HOLDS))] = Outcome.UNDECIDED
    return Measurement(
        residual=residual,
        tolerance=tolerance,
        outcome=outcome,
        part=np.zeros(len(residual), dtype=np.int64),
        parts=(part,),
        undecided_because="rounding hides the answer"
        if np.any(outcome == Outcome.UNDECIDED)
        else "",
    )
