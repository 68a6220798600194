"""Checks of RMSNorm, on the graph that Lean exports.

The closed form beside it is `numeric.closed_forms.rms_norm`; the Lean source is
``lean/PostNorm/Layers/RmsNorm.lean``.
"""

from __future__ import annotations

import numpy as np

from bridge.checking.registry import check
from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    value_is_right,
    where_it_exists,
)
from bridge.checks.side_conditions import OVERWHELMING, LayerNormAt
from numeric.instances.case import Case
from numeric.interpret.enclosure import radii
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import ConstantMutant
from numeric.mutants.planted import mutants_of

GRAPH = "rmsNormGraph"
SIZES = ("seqLen", "dModel")
NORM = LayerNormAt(GRAPH, SIZES)


@check(
    "rmsNorm_hasFDerivAt:hMeanSquareEpsPos",
    "rmsNorm_backprop_eq_adjoint_fderiv:hMeanSquareEpsPos",
    graph=GRAPH,
    sizes=SIZES,
    rejects=[ConstantMutant("eps", OVERWHELMING)],
)
def mean_square_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < mean(x²) + ε in every row: the graph's own tensor is above its enclosure's radius
    (`enclosure`).  Where the enclosure contains 0 the instance is undecided.  The margin is
    the least lower bound."""
    trace = case.run()
    at = trace.graph.index("meanSquareEps")
    value = np.asarray(trace.values[at], dtype=np.float64)
    radius = radii(trace, at)[at]
    low, high = value - radius, value + radius
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
        parts=("least mean(x²) + ε",),
        undecided_because="the enclosure of mean(x²) + ε contains 0",
    )


@NORM.eps_check(
    "rmsNorm_hasFDerivAt_of_pos:hEpsPos",
    "rmsNorm_backprop_eq_adjoint_fderiv_of_pos:hEpsPos",
    "rmsNorm_hasFDerivAt_real:hEpsPos",
    "rmsNorm_backprop_eq_adjoint_fderiv_real:hEpsPos",
)
def rms_norm_eps_is_positive(case: Case) -> Measurement:
    """0 < ε, exactly."""
    return NORM.eps(case)


@check("rmsNorm_eval:conclusion", graph=GRAPH, sizes=SIZES, rejects=mutants_of(GRAPH, "value"))
def rms_norm_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is x / √(mean(x²) + ε) · γ, entry by entry against the closed form,
    by rules A and B."""
    return value_is_right(case)


@check(
    "rmsNorm_hasFDerivAt:conclusion",
    "rmsNorm_hasFDerivAt_of_pos:conclusion",
    "rmsNorm_hasFDerivAt_real:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=mutants_of(GRAPH, "jvp"),
    outside=where_it_exists(derivative_is_right),
)
def rms_norm_has_its_derivative(case: Case) -> Measurement:
    """The JVP is the derivative of what the graph computes: against the exact derivative and the
    closed form's, and the Taylor remainder in real arithmetic."""
    return derivative_is_right(case)


@check(
    "rmsNorm_backprop_eq_adjoint_fderiv:conclusion",
    "rmsNorm_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    "rmsNorm_backprop_eq_adjoint_fderiv_real:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=mutants_of(GRAPH, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def rms_norm_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for x and gamma by themselves; and every
    entry of backprop against the closed form's."""
    return backprop_is_right(case)
