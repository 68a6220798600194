"""Checks of the encoder's theorems: blocks one after the other, on the graphs that Lean exports.

The closed form beside them is `numeric.closed_forms.stack`; the Lean source is
``lean/PostNorm/Block/Stack.lean``.  The theorems are about any depth; the instances have depth 2
and, in some families, 3.
"""

from __future__ import annotations

from functools import partial

from bridge.checking.registry import check
from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    where_it_exists,
)
from bridge.checks.side_conditions import LayerNormAt
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import mutants_of

STACK = "encoderGraph"
BIASED = "biasedEncoderGraph"
SIZES = ("seqLen", "dModel", "numHeads", "headDim", "dFF", "depth")

NORM1 = LayerNormAt(STACK, SIZES, symbol="eps1")
NORM2 = LayerNormAt(STACK, SIZES, symbol="eps2")
BIASED_NORM1 = LayerNormAt(BIASED, SIZES, symbol="eps1")
BIASED_NORM2 = LayerNormAt(BIASED, SIZES, symbol="eps2")
of_stack = partial(check, graph=STACK, sizes=SIZES)
of_biased = partial(check, graph=BIASED, sizes=SIZES)


@NORM1.eps_check(
    "encoder_hasFDerivAt_of_pos:hEps1Pos",
    "encoder_backprop_eq_adjoint_fderiv_of_pos:hEps1Pos",
    "encoder_hasFDerivAt_real:hEps1Pos",
    "encoder_backprop_eq_adjoint_fderiv_real:hEps1Pos",
)
def every_first_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the first LayerNorm of every block."""
    return NORM1.eps(case)


@NORM2.eps_check(
    "encoder_hasFDerivAt_of_pos:hEps2Pos",
    "encoder_backprop_eq_adjoint_fderiv_of_pos:hEps2Pos",
    "encoder_hasFDerivAt_real:hEps2Pos",
    "encoder_backprop_eq_adjoint_fderiv_real:hEps2Pos",
)
def every_second_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the second LayerNorm of every block."""
    return NORM2.eps(case)


@of_stack(
    "encoder_hasFDerivAt_of_pos:conclusion",
    "encoder_hasFDerivAt_real:conclusion",
    rejects=mutants_of(STACK, "jvp") + mutants_of(STACK, "value"),
    outside=where_it_exists(derivative_is_right),
)
def stack_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes: the JVP
    along x and each weight of each block against the exact derivative (dual numbers, then the
    complex step), along all of them against the closed form's, and the Taylor remainder in real
    arithmetic."""
    return derivative_is_right(case)


@of_stack(
    "encoder_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    "encoder_backprop_eq_adjoint_fderiv_real:conclusion",
    rejects=mutants_of(STACK, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def stack_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for x and each weight of each block by itself,
    J v by dual numbers, then the complex step; and every entry of backprop against the closed
    form's."""
    return backprop_is_right(case)


@BIASED_NORM1.eps_check(
    "biasedEncoder_hasFDerivAt_of_pos:hEps1Pos",
    "biasedEncoder_backprop_eq_adjoint_fderiv_of_pos:hEps1Pos",
    "biasedEncoder_hasFDerivAt_real:hEps1Pos",
    "biasedEncoder_backprop_eq_adjoint_fderiv_real:hEps1Pos",
)
def every_biased_first_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the first LayerNorm of every block."""
    return BIASED_NORM1.eps(case)


@BIASED_NORM2.eps_check(
    "biasedEncoder_hasFDerivAt_of_pos:hEps2Pos",
    "biasedEncoder_backprop_eq_adjoint_fderiv_of_pos:hEps2Pos",
    "biasedEncoder_hasFDerivAt_real:hEps2Pos",
    "biasedEncoder_backprop_eq_adjoint_fderiv_real:hEps2Pos",
)
def every_biased_second_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the second LayerNorm of every block."""
    return BIASED_NORM2.eps(case)


@of_biased(
    "biasedEncoder_hasFDerivAt_of_pos:conclusion",
    "biasedEncoder_hasFDerivAt_real:conclusion",
    rejects=mutants_of(BIASED, "jvp") + mutants_of(BIASED, "value"),
    outside=where_it_exists(derivative_is_right),
)
def biased_stack_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes: measured
    as without biases and masks, each of which is an input more."""
    return derivative_is_right(case)


@of_biased(
    "biasedEncoder_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    "biasedEncoder_backprop_eq_adjoint_fderiv_real:conclusion",
    rejects=mutants_of(BIASED, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def biased_stack_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩: measured as without biases and masks, each of which is an input
    more."""
    return backprop_is_right(case)
