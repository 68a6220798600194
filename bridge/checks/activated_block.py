"""The side condition that is special to blocks with ReLU, which has no derivative at 0."""

from __future__ import annotations

import numpy as np

from bridge.checking.registry import check
from numeric.instances.case import Case
from numeric.interpret.enclosure import radii
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import Edit, GraphMutant

SIZES = ("seqLen", "dModel", "numHeads", "headDim", "dFF")

NOTHING_REACHES_RELU = GraphMutant(
    "nothing reaches ReLU",
    (Edit("ffn.hiddenPre", op="scale", args=("ffn.hiddenPre.matmul",), constant=0.0),),
)


def _keys(block: str) -> list[str]:
    theorems = (f"{block}_hasFDerivAt", f"{block}_backprop_eq_adjoint_fderiv")
    return [f"{t}{end}:hPreActivationNe0" for t in theorems for end in ("", "_of_pos", "_real")]


@check(
    *_keys("reluEncoderBlock"),
    graph="reluEncoderBlockGraph",
    sizes=SIZES,
    rejects=[NOTHING_REACHES_RELU],
)
def no_number_that_relu_gets_is_zero(case: Case) -> Measurement:
    """x·W1 + b1 ≠ 0 in every entry: its absolute value is above its enclosure's radius
    (`interpret.enclosure`).  Where the enclosure contains 0 the instance is undecided, unless it is
    exactly 0.  The margin is the least absolute value less the radius."""
    trace = case.run()
    at = trace.graph.index("ffn.hiddenPre")
    value = np.abs(np.asarray(trace.values[at], dtype=np.float64))
    radius = radii(trace, at)[at]
    size = len(case)
    away = (value - radius).reshape(size, -1).min(axis=1)
    zero = ((value == 0) & (radius == 0)).reshape(size, -1).any(axis=1)
    outcome = np.where(
        zero, Outcome.FAILS, np.where(away > 0, Outcome.HOLDS, Outcome.UNDECIDED)
    ).astype(np.int8)
    return Measurement(
        residual=-away,
        tolerance=np.zeros(size),
        outcome=outcome,
        part=np.zeros(size, dtype=np.int64),
        parts=("least |x·W1 + b1|",),
        undecided_because="the enclosure of x·W1 + b1 contains 0",
    )


check(
    *_keys("preNormReluBlock"),
    graph="preNormReluBlockGraph",
    sizes=SIZES,
    rejects=[NOTHING_REACHES_RELU],
)(no_number_that_relu_gets_is_zero)
