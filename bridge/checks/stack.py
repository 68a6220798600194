"""Checks of the encoder's theorems: blocks one after the other, on the graphs that Lean exports.

The closed form beside them is `numeric.stack`; the Lean source is
``lean/PostNorm/Block/Stack.lean``.  The theorems are about any depth; the instances have depth 2
and, in some families, 3.
"""

from __future__ import annotations

from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    enclosed_eps,
    eps_positive,
    where_it_exists,
)
from bridge.checks.registry import check
from numeric.block_mutants import mutants_of
from numeric.case import Case
from numeric.measurement import Measurement

STACK = "encoderGraph"
BIASED = "biasedEncoderGraph"
SIZES = ("seqLen", "dModel", "numHeads", "headDim", "dFF", "depth")
REFUTED_BY = ("eps 0, constant row", "eps 0, d_model 1", "eps overwhelms variance")


@check(
    "encoder_hasFDerivAt_of_pos:hEps1Pos",
    "encoder_backprop_eq_adjoint_fderiv_of_pos:hEps1Pos",
    "encoder_hasFDerivAt_real:hEps1Pos",
    "encoder_backprop_eq_adjoint_fderiv_real:hEps1Pos",
    graph=STACK,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed_eps("eps1"),
)
def every_first_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the first LayerNorm of every block."""
    return eps_positive(case, "eps1")


@check(
    "encoder_hasFDerivAt_of_pos:hEps2Pos",
    "encoder_backprop_eq_adjoint_fderiv_of_pos:hEps2Pos",
    "encoder_hasFDerivAt_real:hEps2Pos",
    "encoder_backprop_eq_adjoint_fderiv_real:hEps2Pos",
    graph=STACK,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed_eps("eps2"),
)
def every_second_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the second LayerNorm of every block."""
    return eps_positive(case, "eps2")


@check(
    "encoder_hasFDerivAt_of_pos:conclusion",
    "encoder_hasFDerivAt_real:conclusion",
    graph=STACK,
    sizes=SIZES,
    rejects=mutants_of(STACK, "jvp") + mutants_of(STACK, "value"),
    outside=where_it_exists(derivative_is_right),
)
def stack_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes: the JVP
    along x and each weight of each block against the complex step (h = 1e-200) of its evaluation,
    along all of them against the closed form's, and the Taylor remainder in real arithmetic."""
    return derivative_is_right(case)


@check(
    "encoder_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    "encoder_backprop_eq_adjoint_fderiv_real:conclusion",
    graph=STACK,
    sizes=SIZES,
    rejects=mutants_of(STACK, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def stack_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for x and each weight of each block by itself,
    J v by complex step; and every entry of backprop against the closed form's."""
    return backprop_is_right(case)


@check(
    "biasedEncoder_hasFDerivAt_of_pos:hEps1Pos",
    "biasedEncoder_backprop_eq_adjoint_fderiv_of_pos:hEps1Pos",
    "biasedEncoder_hasFDerivAt_real:hEps1Pos",
    "biasedEncoder_backprop_eq_adjoint_fderiv_real:hEps1Pos",
    graph=BIASED,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed_eps("eps1"),
)
def every_biased_first_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the first LayerNorm of every block."""
    return eps_positive(case, "eps1")


@check(
    "biasedEncoder_hasFDerivAt_of_pos:hEps2Pos",
    "biasedEncoder_backprop_eq_adjoint_fderiv_of_pos:hEps2Pos",
    "biasedEncoder_hasFDerivAt_real:hEps2Pos",
    "biasedEncoder_backprop_eq_adjoint_fderiv_real:hEps2Pos",
    graph=BIASED,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed_eps("eps2"),
)
def every_biased_second_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the second LayerNorm of every block."""
    return eps_positive(case, "eps2")


@check(
    "biasedEncoder_hasFDerivAt_of_pos:conclusion",
    "biasedEncoder_hasFDerivAt_real:conclusion",
    graph=BIASED,
    sizes=SIZES,
    rejects=mutants_of(BIASED, "jvp") + mutants_of(BIASED, "value"),
    outside=where_it_exists(derivative_is_right),
)
def biased_stack_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes: measured
    as without biases and masks, each of which is an input more."""
    return derivative_is_right(case)


@check(
    "biasedEncoder_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    "biasedEncoder_backprop_eq_adjoint_fderiv_real:conclusion",
    graph=BIASED,
    sizes=SIZES,
    rejects=mutants_of(BIASED, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def biased_stack_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩: measured as without biases and masks, each of which is an input
    more."""
    return backprop_is_right(case)
