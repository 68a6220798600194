"""Checks of the encoder block with biases and a mask, on the graph that Lean exports.

The closed form beside it is `encoder_block`, which takes both; the Lean sources are under
``lean/PostNorm/Block/BiasedEncoder``.
"""

from __future__ import annotations

from functools import partial

from bridge.checking.registry import check
from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    value_is_right,
    where_it_exists,
    with_zeros_is_the_other,
)
from bridge.checks.side_conditions import LayerNormAt
from numeric.instances.case import Case
from numeric.judge.first_input import first_backprop_is_adjoint
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import mutants_of, reaching_tokens

GRAPH = "biasedEncoderBlockGraph"
SIZES = ("seqLen", "dModel", "numHeads", "headDim", "dFF")
ZEROED = ("bq", "bk", "bv", "bo", "mask")
NOT_SEEN_AT_ZERO = frozenset(
    {"mha.q", "mha.q.bias", "mha.v", "mha.projected", "mha.masked", "mha.maskTurned", "bq", "bk"}
)
"""An error in how these are added, or in what is added, is none where that is 0."""

NORM1 = LayerNormAt(GRAPH, SIZES, "norm1.", "eps1")
NORM2 = LayerNormAt(GRAPH, SIZES, "norm2.", "eps2")
of_block = partial(check, graph=GRAPH, sizes=SIZES)


@NORM1.var_eps_check(
    "biasedEncoderBlock_hasFDerivAt:hNorm1VarEpsPos",
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm1VarEpsPos",
)
def biased_first_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε in every row that the first LayerNorm normalizes: decided as for the block
    without biases, from a rigorous enclosure of the row."""
    return NORM1.var_eps(case)


@NORM1.std_check(
    "biasedEncoderBlock_hasFDerivAt:hNorm1StdNe0",
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm1StdNe0",
)
def biased_first_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row that the first LayerNorm normalizes: decided as for the block
    without biases, from a rigorous enclosure of the row."""
    return NORM1.std(case)


@NORM2.var_eps_check(
    "biasedEncoderBlock_hasFDerivAt:hNorm2VarEpsPos",
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm2VarEpsPos",
)
def biased_second_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε in every row that the second LayerNorm normalizes: decided as for the block
    without biases, from a rigorous enclosure of the row."""
    return NORM2.var_eps(case)


@NORM2.std_check(
    "biasedEncoderBlock_hasFDerivAt:hNorm2StdNe0",
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm2StdNe0",
)
def biased_second_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row that the second LayerNorm normalizes: decided as for the block
    without biases, from a rigorous enclosure of the row."""
    return NORM2.std(case)


@NORM1.eps_check(
    "biasedEncoderBlock_hasFDerivAt_of_pos:hEps1Pos",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos:hEps1Pos",
    "biasedEncoderBlock_hasFDerivAt_real:hEps1Pos",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_real:hEps1Pos",
    "biasedEncoderBlock_hasFDerivAt_tokens:hEps1Pos",
)
def biased_first_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the first LayerNorm."""
    return NORM1.eps(case)


@NORM2.eps_check(
    "biasedEncoderBlock_hasFDerivAt_of_pos:hEps2Pos",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos:hEps2Pos",
    "biasedEncoderBlock_hasFDerivAt_real:hEps2Pos",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_real:hEps2Pos",
    "biasedEncoderBlock_hasFDerivAt_tokens:hEps2Pos",
)
def biased_second_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the second LayerNorm."""
    return NORM2.eps(case)


@of_block(
    "biasedEncoderBlock_eval:conclusion",
    rejects=mutants_of(GRAPH, "value"),
)
def biased_block_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is the block with biases and mask, entry by entry against the closed
    form, by rules A and B; that agrees with PyTorch's ``nn.TransformerEncoderLayer``."""
    return value_is_right(case)


@check(
    "biasedEncoderBlock_eval_zero:conclusion",
    graph=GRAPH,
    beside="encoderBlockGraph",
    sizes=SIZES,
    rejects=[m for m in mutants_of(GRAPH, "value") if not m.names & NOT_SEEN_AT_ZERO],
)
def biased_block_with_zeros_is_the_plain_block(case: Case) -> Measurement:
    """With all four biases and the mask 0, the graph computes what the exported graph of the block
    without them computes, entry by entry, by rules A and B.

    Both are Lean's; no closed form takes part.
    """
    return with_zeros_is_the_other(case, ZEROED)


@of_block(
    "biasedEncoderBlock_hasFDerivAt:conclusion",
    "biasedEncoderBlock_hasFDerivAt_of_pos:conclusion",
    "biasedEncoderBlock_hasFDerivAt_real:conclusion",
    "biasedEncoderBlock_hasFDerivAt_tokens:conclusion",
    rejects=mutants_of(GRAPH, "jvp"),
    outside=where_it_exists(derivative_is_right),
)
def biased_block_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes: the JVP
    along each of the eighteen inputs against the exact derivative (dual numbers, then the complex
    step), along all of them against the closed form's, and the Taylor remainder in real
    arithmetic."""
    return derivative_is_right(case)


@of_block(
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:conclusion",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_real:conclusion",
    rejects=mutants_of(GRAPH, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def biased_block_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for each of the eighteen inputs by itself, J v
    by dual numbers, then the complex step; and every entry of backprop against the closed
    form's."""
    return backprop_is_right(case)


@of_block("biasedEncoderBlock_adjoint_tokens:conclusion", rejects=reaching_tokens(GRAPH))
def biased_block_backprop_to_the_tokens_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, in x alone, with J v by forward mode and by
    complex step; where ε ≤ 0 as well, for the theorem asks for nothing."""
    return first_backprop_is_adjoint(case)
