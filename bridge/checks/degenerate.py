"""Checks of LayerNorm's theorems about degenerate rows: a constant row, one channel.

Their hypotheses single out instances, so these are drawn from families that meet them, and refuted
by some of the others.  The Lean source is
``lean/PostNorm/Layers/LayerNorm/Degenerate.lean``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from bridge.checking.registry import check
from numeric.instances.case import Case
from numeric.interpret.per_instance import largest_everywhere
from numeric.interpret.perturbation import Perturbation
from numeric.judge.first_input import first_backprop_is_zero, first_derivative_is_zero
from numeric.judge.measurement import Measurement, Outcome
from numeric.judge.tolerance import Sides, identity
from numeric.mutants.edits import DerivativeMutant, Edit, GraphMutant
from numeric.ops import Array

GRAPH = "layerNormGraph"
SIZES = ("seqLen", "dModel")
CONSTANT_ROWS = ("constant rows", "d_model 1", "eps 0")
ONE_CHANNEL = ("d_model 1",)
NOT_CENTERED = GraphMutant(
    "x is normalized instead of x - mean", (Edit("normalized", args=("x", "invStdBroadcast")),)
)
X_IS_ADDED = GraphMutant("x for beta", (Edit("y", args=("scaled", "x")),))


def _wrong_mean(mode: Literal["jvp", "vjp"]) -> tuple[DerivativeMutant, ...]:
    """Errors in what the mean contributes to the derivative in one mode."""
    return (
        DerivativeMutant(mode, "centered", 1),
        DerivativeMutant(mode, "mean", 0, "negate"),
        DerivativeMutant(mode, "meanBroadcast", 0, "one in a million"),
    )


@check(
    "layerNorm_eval_of_constant_row:hConstantRow",
    "layerNorm_std_of_constant_row:hConstantRow",
    graph=GRAPH,
    sizes=SIZES,
    within=CONSTANT_ROWS,
    refuted_by=("generic", "large offset", "near-constant rows"),
)
def first_row_is_constant(case: Case) -> Measurement:
    """All entries of the first row, which is the theorem's row i, are equal: exact.

    A row whose entries differ by one part in 1e9 is not constant.
    """
    row = _first_row(case)
    spread = row.max(axis=1) - row.min(axis=1)
    return _exactly(spread, "largest less least entry of the first row")


@check(
    "layerNorm_eval_of_constant_row:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    within=CONSTANT_ROWS,
    rejects=(
        NOT_CENTERED,
        X_IS_ADDED,
        GraphMutant("mean is not subtracted but added", (Edit("centered", op="add"),)),
        GraphMutant("beta subtracted", (Edit("y", op="sub"),)),
        GraphMutant("gamma added", (Edit("scaled", op="add"),)),
        GraphMutant("beta left out", (Edit("y", op="scale", args=("scaled",), constant=1.0),)),
    ),
)
def a_constant_row_becomes_beta(case: Case) -> Measurement:
    """What the graph computes in the first row is beta, entry by entry, by rules A and B.

    Σ|terms| is the graph's running error bound: the mean of a constant row is rounded, and what is
    left of x − mean x is next to terms of the size of x/std.
    """

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        trace = at.run(perturbation)
        terms = at.program.value_magnitudes(trace)[trace.graph.outputs[0]][:, 0]
        return [_matching(trace.output[:, 0], at.batch.inputs["beta"], terms)]

    return identity(["the first row against beta"], case, sides)


@check(
    "layerNorm_std_of_constant_row:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    within=CONSTANT_ROWS,
    rejects=(
        GraphMutant("eps left out", (Edit("varEps", constant=0.0),)),
        GraphMutant("second moment for the variance", (Edit("square", args=("x", "x")),)),
        GraphMutant("no root", (Edit("std", op="scale", args=("varEps",), constant=1.0),)),
        GraphMutant(
            "eps outside the root",
            (Edit("varEps", op="sqrt"), Edit("std", op="addConst", symbol="eps")),
        ),
    ),
)
def a_constant_row_has_the_root_of_eps(case: Case) -> Measurement:
    """The graph's ``std`` in the first row is √(max(ε, 0)), by rules A and B.

    Σ|terms| is the graph's running error bound of ``std``.
    """

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        trace = at.run(perturbation)
        terms = at.program.value_magnitudes(trace)[trace.graph.index("std")][:, :1]
        root = np.sqrt(np.maximum(at.batch.constants["eps"], 0.0))[:, None]
        return [_matching(trace["std"][:, :1], root, terms)]

    return identity(["std of the first row against √ε"], case, sides)


@check(
    "layerNorm_hasFDerivAt_zero:hOneChannel",
    "layerNorm_derivHead_eq_zero:hOneChannel",
    "layerNorm_backprop_head_eq_zero:hOneChannel",
    graph=GRAPH,
    sizes=SIZES,
    within=ONE_CHANNEL,
    refuted_by=("generic", "large offset"),
)
def there_is_one_channel(case: Case) -> Measurement:
    """The rows of x have one entry: exact."""
    extra = case.batch.inputs["x"].shape[-1] - 1.0
    return _exactly(np.full(len(case), extra), "channels beyond the first")


@check(
    "layerNorm_hasFDerivAt_zero:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    within=ONE_CHANNEL,
    rejects=(
        NOT_CENTERED,
        X_IS_ADDED,
        GraphMutant("mean is not subtracted but added", (Edit("centered", op="add"),)),
    ),
)
def one_channel_has_derivative_zero(case: Case) -> Measurement:
    """The complex step (h = 1e-200) of the graph's evaluation along a random direction of x is 0,
    entry by entry, by rules A and B; no derivative rule takes part."""
    return first_derivative_is_zero(case, forward=False)


@check(
    "layerNorm_derivHead_eq_zero:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    within=ONE_CHANNEL,
    rejects=(NOT_CENTERED, *_wrong_mean("jvp")),
)
def one_channel_has_tangent_zero(case: Case) -> Measurement:
    """The graph's JVP along a random direction of x is 0, entry by entry, by rules A and B; and so
    is the complex step of its evaluation."""
    return first_derivative_is_zero(case, forward=True)


@check(
    "layerNorm_backprop_head_eq_zero:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    within=ONE_CHANNEL,
    rejects=(NOT_CENTERED, *_wrong_mean("vjp")),
)
def one_channel_gets_no_gradient(case: Case) -> Measurement:
    """Backprop of a random cotangent sends 0 to every entry of x, by rules A and B."""
    return first_backprop_is_zero(case)


def _first_row(case: Case) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return case.batch.inputs["x"][:, 0]


def _exactly(distance: np.ndarray[tuple[int], np.dtype[np.float64]], part: str) -> Measurement:
    """Holds where the distance is 0."""
    return Measurement(
        residual=distance,
        tolerance=np.zeros(len(distance)),
        outcome=np.where(distance == 0, Outcome.HOLDS, Outcome.FAILS).astype(np.int8),
        part=np.zeros(len(distance), dtype=np.int64),
        parts=(part,),
    )


def _matching(found: Array, expected: Array, terms: Array) -> Sides:
    return Sides.of(found, expected, terms, largest_everywhere(np.abs(found) + np.abs(expected)))
