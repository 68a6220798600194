"""Checks of the LayerNorm layer's theorems, on the graph that Lean exports.

The closed form beside it is `numeric.closed_forms.layer_norm`; the Lean sources are under
``lean/PostNorm/Layers``.
"""

from __future__ import annotations

from functools import partial

from bridge.checking.registry import check
from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    std_not_zero_where_var_eps_positive,
    value_is_right,
    where_it_exists,
)
from bridge.checks.side_conditions import LayerNormAt
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.edits import DerivativeMutant, Edit, GraphMutant
from numeric.mutants.planted import mutants_of

GRAPH = "layerNormGraph"
SIZES = ("seqLen", "dModel")

NORM = LayerNormAt(GRAPH, SIZES)
of_layer_norm = partial(check, graph=GRAPH, sizes=SIZES)


@NORM.var_eps_check(
    "layerNorm_hasFDerivAt:hVarEpsPos",
    "layerNorm_backpropVec_eq_adjoint_fderiv_at:hVarEpsPos",
)
def var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε in every row, for the rows exactly as given.

    The sign comes from an enclosure of the variance that treats a constant row as exactly 0; where
    it cannot tell, the instance is undecided.  The graph's own tensor ``varEps`` must agree with
    that enclosure to 1e-13 of its running error bound, else the graph computes something else and
    the check says no. The margin is the least var + ε.
    """
    return NORM.var_eps(case)


@NORM.std_check(
    "layerNorm_hasFDerivAt:hStdNe0",
    "layerNorm_backpropVec_eq_adjoint_fderiv_at:hStdNe0",
)
def std_is_not_zero(case: Case) -> Measurement:
    """std = √(max(var + ε, 0)) ≠ 0 in every row, for the rows exactly as given.

    It is 0 exactly where var + ε ≤ 0, whose sign is decided as for ``hVarEpsPos``.  The graph's own
    tensor ``std`` must agree to 1e-13 of its running error bound.  The margin is the least std.
    """
    return NORM.std(case)


@NORM.eps_check(
    "layerNorm_hasFDerivAt_of_pos:hEpsPos",
    "layerNorm_backprop_eq_adjoint_fderiv_of_pos:hEpsPos",
)
def eps_is_positive(case: Case) -> Measurement:
    """0 < ε, exactly."""
    return NORM.eps(case)


@of_layer_norm(
    "layerNorm_std_ne_zero_iff:conclusion",
    rejects=(
        *(m for m in mutants_of(GRAPH, "value") if m.names == {"varEps"}),
        GraphMutant("variance is not divided by d", (Edit("var", op="sum"),)),
        GraphMutant("root of the mean", (Edit("std", args=("mean",)),)),
        GraphMutant("no root", (Edit("std", op="scale", args=("varEps",), constant=1.0),)),
        GraphMutant("std is 0", (Edit("std", op="sub", args=("varEps", "varEps")),)),
        GraphMutant("var + ε negated", (Edit("varEps", op="scale", constant=-1.0),)),
    ),
)
def std_is_zero_only_where_var_plus_eps_is_not_positive(case: Case) -> Measurement:
    """std ≠ 0 exactly where 0 < var + ε, row by row.

    On the graph's own tensors that is exact: no rounding turns one into the other.  Both must also
    agree with rigorous enclosures to 1e-13 of their running error bounds, so that a graph whose std
    is something else is rejected; where the enclosure of var + ε contains 0 the instance is
    undecided.
    """
    return std_not_zero_where_var_eps_positive(case)


@of_layer_norm(
    "layerNorm_hasFDerivAt:conclusion",
    "layerNorm_hasFDerivAt_of_pos:conclusion",
    rejects=(
        *mutants_of(GRAPH, "jvp"),
        DerivativeMutant("jvp", "centered", 1),
        DerivativeMutant("jvp", "invStd", 0, "negate"),
        DerivativeMutant("jvp", "scaled", 1, "one entry"),
    ),
    outside=where_it_exists(derivative_is_right),
)
def layer_norm_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes.

    Along a random direction of each input the JVP is held against the exact derivative (dual
    numbers, then the complex step), and along all of them against the closed form's JVP, entry by
    entry, by rules A and B with Σ|terms| from running magnitudes.  The Taylor remainder must get
    below 1e-3 of Σ|terms| in real arithmetic.
    """
    return derivative_is_right(case)


@of_layer_norm(
    "layerNorm_backpropVec_eq_adjoint_fderiv_at:conclusion",
    "layerNorm_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    rejects=(
        *mutants_of(GRAPH, "vjp"),
        DerivativeMutant("vjp", "centered", 1),
        DerivativeMutant("vjp", "normalized", 0),
        DerivativeMutant("vjp", "scaled", 1, "one entry"),
    ),
    outside=where_it_exists(backprop_is_right),
)
def layer_norm_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for each of x, gamma and beta by itself.

    J v is the exact derivative of the graph's evaluation (dual numbers, then the complex step): no
    JVP rule takes part; Σ|terms| is the sum over all paths of absolute products.  Every entry of
    backprop is also held against the closed form's.
    """
    return backprop_is_right(case)


@of_layer_norm(
    "layerNorm_eval:conclusion",
    rejects=(
        *mutants_of(GRAPH, "value"),
        GraphMutant("variance is not divided by d", (Edit("var", op="sum"),)),
        GraphMutant("mean is not divided by d", (Edit("mean", op="sum"),)),
        GraphMutant(
            "x is normalized instead of x - mean",
            (Edit("normalized", args=("x", "invStdBroadcast")),),
        ),
        GraphMutant("divided by the variance", (Edit("invStd", args=("varEps",)),)),
        GraphMutant("beta subtracted", (Edit("y", op="sub"),)),
    ),
)
def layer_norm_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is (x − mean x)/√(max(var + ε, 0))·γ + β, entry by entry, by rules A
    and B.

    Σ|terms| is the graph's running error bound.  The closed form shares no code with the
    interpreter.
    """
    return value_is_right(case)
