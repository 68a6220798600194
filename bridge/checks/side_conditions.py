"""The measures of side conditions: what must be positive, or not zero, in every row.

A sign is decided where an enclosure does not contain 0; else the instance is undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from bridge.checking.registry import Enclosure
from bridge.checks.measures import CLOSED_FORM
from numeric.closed_forms import layer_norm
from numeric.instances.case import Case
from numeric.interpret.enclosure import radii
from numeric.judge.least import least
from numeric.judge.measurement import Measurement, Outcome, combine
from numeric.judge.tolerance import RULE_A

__all__ = [
    "enclosed",
    "enclosed_eps",
    "eps_positive",
    "std_not_zero",
    "std_not_zero_where_var_eps_positive",
    "tensor_positive",
    "var_eps_positive",
]

FloatArray = npt.NDArray[np.float64]
HIDDEN_SIGN = "rounding hides the sign of var + ε"
TOO_LARGE = "the numbers are too large to bound their error"


def var_eps_positive(case: Case, norm: str = "", symbol: str = "eps") -> Measurement:
    """0 < var + ε in every row that the LayerNorm ``norm`` normalizes.

    The row is enclosed as the graph computes it (`enclosure`), the variance of the enclosed
    row by `layer_norm.var_eps`; a row that is exactly constant has variance 0.  Where the
    enclosure contains 0 the instance is undecided.  The graph's own tensor ``varEps`` must agree
    with the enclosure to 1e-13 of its running error bound, else the graph computes something else
    and the check says no; where that bound overflows the instance is undecided.  The margin is the
    least var + ε.

    Args:
        norm: what the names of that LayerNorm's saved tensors begin with, such as ``norm1.``.
        symbol: of its ε.
    """
    return _positive(case, norm, symbol, "varEps")


def tensor_positive(case: Case, tensor: str) -> Measurement:
    """0 < a saved tensor in every entry: the graph's own is above its enclosure's radius
    (`numeric.interpret.enclosure`).  Where the enclosure contains 0 the instance is undecided.  The
    margin is the least lower bound."""
    trace = case.run()
    at = trace.graph.index(tensor)
    value = np.asarray(trace.values[at], dtype=np.float64)
    radius = radii(trace, at)[at]
    with np.errstate(invalid="ignore"):  # a sum that overflows has no enclosure: undecided
        low, high = ((value + sign * radius).reshape(len(case), -1) for sign in (-1, 1))
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    outcome = np.where(
        (high <= 0).any(axis=1),
        Outcome.FAILS,
        np.where((low > 0).all(axis=1), Outcome.HOLDS, Outcome.UNDECIDED),
    ).astype(np.int8)
    return Measurement(
        residual=-low.min(axis=1),
        tolerance=np.zeros(len(case)),
        outcome=outcome,
        part=np.zeros(len(case), dtype=np.int64),
        parts=(f"least {tensor}",),
        undecided_because=f"the enclosure of {tensor} contains 0",
    )


def eps_positive(case: Case, symbol: str) -> Measurement:
    """0 < ε, a comparison of the instance's own number: exact.  The margin is ε."""
    eps = case.batch.constants[symbol]
    return Measurement(
        residual=-eps,
        tolerance=np.zeros(len(eps)),
        outcome=np.where(eps > 0, Outcome.HOLDS, Outcome.FAILS).astype(np.int8),
        part=np.zeros(len(eps), dtype=np.int64),
        parts=(symbol,),
    )


def std_not_zero(case: Case, norm: str = "", symbol: str = "eps") -> Measurement:
    """std = √(max(var + ε, 0)) ≠ 0 in every row that the LayerNorm ``norm`` normalizes.

    It is 0 exactly where var + ε ≤ 0, whose sign is decided as in `var_eps_positive`.  The graph's
    own tensor ``std`` must agree likewise.  The margin is the least std.
    """
    return _positive(case, norm, symbol, "std")


def std_not_zero_where_var_eps_positive(case: Case) -> Measurement:
    """std ≠ 0 in a row exactly where 0 < var + ε there, in every row.

    The graph's own tensors ``varEps`` and ``std`` must agree with their enclosures as in
    `var_eps_positive`, and among themselves exactly: no rounding makes a root of what is positive
    0, nor the reverse.  A row where the enclosure of var + ε contains 0 leaves the instance
    undecided.
    """
    found = {n: _against_enclosure(case, "", "eps", n) for n in ("varEps", "std")}
    trace, sign = case.run(), found["varEps"].sign
    if trace["std"].shape == trace["varEps"].shape == sign.positive.shape:
        differ = np.count_nonzero((trace["std"] != 0) != (trace["varEps"] > 0), axis=1)
    else:  # that these are not finite for each row is what the other parts say
        differ = np.zeros(len(case), dtype=np.int64)
    decided = (sign.positive | sign.nonpositive).all(axis=1)
    outcome = np.where(
        differ > 0, Outcome.FAILS, np.where(decided, Outcome.HOLDS, Outcome.UNDECIDED)
    ).astype(np.int8)
    rows = Measurement(
        residual=differ.astype(np.float64),
        tolerance=np.full(len(case), 0.5),
        outcome=outcome,
        part=np.zeros(len(case), dtype=np.int64),
        parts=("rows where one of std ≠ 0 and 0 < var + ε holds",),
        undecided_because=HIDDEN_SIGN if np.any(outcome == Outcome.UNDECIDED) else "",
    )
    agree = [_agrees(e, f"the graph's {n} against {CLOSED_FORM}") for n, e in found.items()]
    return combine([rows, *agree])


def enclosed(tensor: str) -> Enclosure:
    """Bounds of a saved tensor from below, by ball arithmetic on the graph itself."""
    return partial(least, tensor=tensor)


def enclosed_eps(symbol: str) -> Enclosure:
    """ε itself: the instance's own number, which is exact and which no box moves."""
    return partial(_own_constant, symbol=symbol)


def _own_constant(case: Case, *, radius: float, symbol: str) -> FloatArray:
    return case.batch.constants[symbol]


@dataclass(frozen=True, slots=True)
class _Enclosed:
    """A saved tensor of a LayerNorm's rows next to its enclosure.

    Attributes:
        sign: of var + ε, ``(B, rows)``.
        low: the tensor's least possible value, ``(B, rows)``.
        ours: whether the graph's is within the enclosure, up to rounding, ``(B,)``.
        unknown: whether its error bound is infinite in some row, so that it is within anything,
            ``(B,)``.
        gap: how far it is outside, in the row where that is most beyond ``allowed``, ``(B,)``.
        allowed: how far it may be there, ``(B,)``.
    """

    sign: layer_norm.VarEps
    low: FloatArray
    ours: npt.NDArray[np.bool_]
    unknown: npt.NDArray[np.bool_]
    gap: FloatArray
    allowed: FloatArray


def _agrees(found: _Enclosed, part: str) -> Measurement:
    """The residual is in units of what rounding explains, which may be nothing."""
    residual = np.where(found.gap > 0, np.inf, 0.0)
    with np.errstate(invalid="ignore"):  # ∞/∞, which is undecided
        np.divide(found.gap, found.allowed, out=residual, where=found.allowed > 0)
    agrees = np.where(found.unknown, Outcome.UNDECIDED, Outcome.HOLDS)
    return Measurement(
        residual=residual,
        tolerance=np.ones(len(found.gap)),
        outcome=np.where(found.ours, agrees, Outcome.FAILS).astype(np.int8),
        part=np.zeros(len(found.gap), dtype=np.int64),
        parts=(part,),
        undecided_because=TOO_LARGE if np.any(found.ours & found.unknown) else "",
    )


def _against_enclosure(case: Case, norm: str, symbol: str, tensor: str) -> _Enclosed:
    """var + ε, or its root, of the rows that a LayerNorm normalizes, and what the graph has."""
    graph, trace = case.program.graph, case.run()
    source = graph.node(f"{norm}centered").args[0]
    rows = np.asarray(trace.values[source], dtype=np.float64)
    sign = layer_norm.var_eps(rows, case.batch.constants[symbol], radii(trace, source)[source])
    low, high = sign.low, sign.high
    magnitudes = case.program.value_magnitudes(trace)
    slack = RULE_A * magnitudes[graph.index(f"{norm}{tensor}")]
    if tensor == "std":
        low, high = np.sqrt(np.maximum(low, 0)), np.sqrt(np.maximum(high, 0))
        # A root near 0 is off by up to the root of what var + ε is off by.
        slack = np.fmax(slack, np.sqrt(RULE_A * magnitudes[graph.index(f"{norm}varEps")]))
    found = np.asarray(trace[f"{norm}{tensor}"])
    if found.shape == low.shape:
        computed = (found >= low - slack) & (found <= high + slack)
    else:  # whatever it is, it is not a number for each row
        computed = np.zeros(low.shape, dtype=np.bool_)
        found, slack = np.full(low.shape, np.inf), np.zeros(low.shape)
    ours = np.asarray(computed.all(axis=1))
    unknown = np.asarray(~np.isfinite(slack).all(axis=1))
    return _Enclosed(sign, low, ours, unknown, *_widest(found, low, high, slack))


def _positive(case: Case, norm: str, symbol: str, tensor: str) -> Measurement:
    """The least of var + ε, or of its root, over the rows is above 0; and the graph computes just
    that."""
    found = _against_enclosure(case, norm, symbol, tensor)
    sign = found.sign
    outcome = np.where(
        sign.nonpositive.any(axis=1) | ~found.ours,
        Outcome.FAILS,
        np.where(sign.positive.all(axis=1) & ~found.unknown, Outcome.HOLDS, Outcome.UNDECIDED),
    ).astype(np.int8)
    hidden = outcome == Outcome.UNDECIDED
    reasons = {HIDDEN_SIGN: hidden & ~found.unknown, TOO_LARGE: hidden & found.unknown}
    return Measurement(
        residual=np.where(found.ours, -found.low.min(axis=1), found.gap),
        tolerance=np.where(found.ours, 0.0, found.allowed),
        outcome=outcome,
        part=np.where(found.ours, 0, 1),
        parts=(f"least {norm}{tensor}", f"the graph's {norm}{tensor} against {CLOSED_FORM}"),
        undecided_because="; ".join(reason for reason, where in reasons.items() if where.any()),
    )


def _widest(
    found: FloatArray, low: FloatArray, high: FloatArray, slack: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """How far ``found`` lies outside its enclosure, in the row where that is most beyond ``slack``,
    and the slack there; all ``(B, …)``, the result ``(B,)``.  What is not finite lies infinitely
    far outside."""
    size = len(found)
    with np.errstate(invalid="ignore"):
        gap = np.maximum(np.maximum(low - found, found - high), 0.0)
        gap = np.where(np.isfinite(gap), gap, np.inf).reshape(size, -1)
        allowed = np.broadcast_to(slack, found.shape).reshape(size, -1)
        row = np.argmax(gap - allowed, axis=1)[:, None]
    return np.take_along_axis(gap, row, 1)[:, 0], np.take_along_axis(allowed, row, 1)[:, 0]
