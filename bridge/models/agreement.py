"""When two computations of a layer's value and gradients agree.

Tensors are compared as a whole: the residual is max|l − r| over the size of the tensor, its largest
entry.  The gradient of bk is 0 in exact arithmetic, and only its rounding is visible: so a gradient
counts as at least a thousandth of the layer's largest.
The rules are those of `numeric.judge.tolerance`, for one tensor, except that rule A holds up to
1e-12: published models have constants of ten digits in a hand-written backward (BLOOM's GELU,
1.8e-13 off), and are right nevertheless.  Beyond it, rule B decides: a tensor fails beyond
32·(4u + noise), the noise being how far the theorem's side moves when it is computed again with
every rounding moved.  If that would let 1e-4 pass, the answer is undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from numeric.judge.measurement import Outcome
from numeric.judge.tolerance import NOISE_LIMIT, RERUNS, rule_b

__all__ = ["Agreement", "compare", "scalar_agreement", "worst"]

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, FloatArray]

RULE_A = 1e-12
LEAST_SHARE = 1e-3
SHORT_SHARE = 1e-2
SHORT_LIMIT = 1e-1
"""The same two limits if a shorter float than float64 took part."""
_U = 2.0**-53
_TINY = 1e-280


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two computations of one thing, such as ``gradient of Wq``.

    ``blind`` is the largest error that the tolerance lets pass, as a share of the tensor's own
    size: 1 if all of it could be wrong unnoticed.
    """

    what: str
    against: str
    residual: float
    tolerance: float
    outcome: Outcome
    blind: float = 0.0

    @property
    def margin(self) -> float:
        """tolerance − residual."""
        return self.tolerance - self.residual

    def __str__(self) -> str:
        relation = {Outcome.HOLDS: "≤", Outcome.FAILS: ">", Outcome.UNDECIDED: "?"}[self.outcome]
        return (
            f"{self.what} against {self.against}: residual {self.residual:.3g} {relation} "
            f"tolerance {self.tolerance:.3g}"
        )


def worst(found: list[Agreement]) -> Agreement:
    """The agreement that fails, else one that is undecided, else the tightest."""

    def rank(a: Agreement) -> tuple[int, float]:
        share = a.residual / a.tolerance if a.tolerance > 0 else np.inf
        return int(a.outcome), float(np.nan_to_num(share, nan=np.inf))

    return max(found, key=rank)


def _decide(residual: float, noise: Callable[[], float], unit: float = _U) -> tuple[float, Outcome]:
    """The tolerance and the outcome; ``noise`` is called only beyond rule A."""
    if not np.isfinite(residual):
        return RULE_A, Outcome.UNDECIDED
    if residual <= RULE_A:
        return RULE_A, Outcome.HOLDS
    if unit > _U and residual <= 128.0 * unit:  # the smallest possible tolerance below
        return 128.0 * unit, Outcome.HOLDS
    tolerance = max(RULE_A, rule_b(noise(), unit))
    if residual > tolerance:
        return tolerance, Outcome.FAILS
    limit = NOISE_LIMIT if unit == _U else SHORT_LIMIT
    return tolerance, Outcome.HOLDS if tolerance <= limit else Outcome.UNDECIDED


def compare(
    against: str,
    found: Tensors,
    expected: Tensors,
    moved: Callable[[int], Tensors],
    unit: float = _U,
) -> list[Agreement]:
    """Compare value and gradients of the theorem's block with another computation of them.

    Args:
        against: the other computation, for reports.
        found: the theorem's tensors by name; ``output`` is the value.
        expected: the other computation's tensors, as far as it has them.
        moved: the theorem's tensors, computed again with every rounding moved; called for the
            reruns 1, 2, … beyond rule A.
        unit: the unit roundoff of ``expected``.
    """
    sizes = {n: float(np.abs(found[n]).max()) for n in expected}
    largest = max((s for n, s in sizes.items() if n != "output"), default=0.0)
    reruns: list[Tensors] = []

    def noise(name: str, size: float) -> float:
        if not reruns:
            reruns.extend(moved(k) for k in range(1, RERUNS + 1))
        return max(float(np.abs(r[name] - found[name]).max()) for r in reruns) / size

    agreements = []
    for name, value in expected.items():
        share = LEAST_SHARE if unit == _U else SHORT_SHARE
        size = max(sizes[name], share * largest if name != "output" else 0.0, _TINY)
        with np.errstate(all="ignore"):
            residual = float(np.abs(found[name] - value).max() / size)
        tolerance, outcome = _decide(residual, partial(noise, name, size), unit)
        what = "output" if name == "output" else f"gradient of {name}"
        blind = min(tolerance * size / max(sizes[name], _TINY), 1.0)
        agreements.append(Agreement(what, against, residual, tolerance, outcome, blind))
    return agreements


def scalar_agreement(
    what: str, against: str, left: float, right: float, size: float, noise: Callable[[], float]
) -> Agreement:
    """Compare two numbers, such as ⟨J v, s⟩ and ⟨v, backprop s⟩.

    Args:
        what: for reports.
        against: for reports.
        left: the first number.
        right: the second number.
        size: Σ|terms| of the smaller sum; if it overflows the answer is undecided.
        noise: how far either moves when it is computed again, absolute.
    """
    scale = max(size, _TINY)
    residual = abs(left - right) / scale if scale < np.inf else np.nan
    tolerance, outcome = _decide(residual, lambda: noise() / scale)
    return Agreement(what, against, residual, tolerance, outcome)
