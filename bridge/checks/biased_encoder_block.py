"""Checks of the encoder block with biases and a mask, on the graph that Lean exports.

The closed form beside it is `numeric.encoder_block`, which takes both; the Lean sources are under
``lean/PostNorm/Block/BiasedEncoder``.
"""

from __future__ import annotations

from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    enclosed,
    enclosed_eps,
    eps_positive,
    std_not_zero,
    value_is_right,
    var_eps_positive,
    where_it_exists,
    with_zeros_is_the_other,
)
from bridge.checks.registry import check
from numeric.block_mutants import mutants_of
from numeric.case import Case
from numeric.measurement import Measurement

GRAPH = "biasedEncoderBlockGraph"
SIZES = ("seqLen", "dModel", "numHeads", "headDim", "dFF")
ZEROED = ("bq", "bk", "bv", "bo", "mask")
NOT_SEEN_AT_ZERO = frozenset(
    {"mha.q", "mha.q.bias", "mha.v", "mha.projected", "mha.masked", "mha.maskTurned", "bq", "bk"}
)
"""An error in how these are added, or in what is added, is none where that is 0."""
REFUTED_BY = ("eps 0, constant row", "eps 0, d_model 1", "eps overwhelms variance")


@check(
    "biasedEncoderBlock_hasFDerivAt:hNorm1VarEpsPos",
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm1VarEpsPos",
    graph=GRAPH,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed("norm1.varEps"),
)
def biased_first_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε in every row that the first LayerNorm normalizes.

    The sign of var + ε is decided from a rigorous enclosure of the row as the graph computes it.
    """
    return var_eps_positive(case, "norm1.", "eps1")


@check(
    "biasedEncoderBlock_hasFDerivAt:hNorm1StdNe0",
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm1StdNe0",
    graph=GRAPH,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed("norm1.std"),
)
def biased_first_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row that the first LayerNorm normalizes.

    The sign of var + ε is decided from a rigorous enclosure of the row as the graph computes it.
    """
    return std_not_zero(case, "norm1.", "eps1")


@check(
    "biasedEncoderBlock_hasFDerivAt:hNorm2VarEpsPos",
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm2VarEpsPos",
    graph=GRAPH,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed("norm2.varEps"),
)
def biased_second_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε in every row that the second LayerNorm normalizes.

    The sign of var + ε is decided from a rigorous enclosure of the row as the graph computes it.
    """
    return var_eps_positive(case, "norm2.", "eps2")


@check(
    "biasedEncoderBlock_hasFDerivAt:hNorm2StdNe0",
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm2StdNe0",
    graph=GRAPH,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed("norm2.std"),
)
def biased_second_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row that the second LayerNorm normalizes.

    The sign of var + ε is decided from a rigorous enclosure of the row as the graph computes it.
    """
    return std_not_zero(case, "norm2.", "eps2")


@check(
    "biasedEncoderBlock_hasFDerivAt_of_pos:hEps1Pos",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos:hEps1Pos",
    "biasedEncoderBlock_hasFDerivAt_real:hEps1Pos",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_real:hEps1Pos",
    graph=GRAPH,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed_eps("eps1"),
)
def biased_first_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the first LayerNorm."""
    return eps_positive(case, "eps1")


@check(
    "biasedEncoderBlock_hasFDerivAt_of_pos:hEps2Pos",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos:hEps2Pos",
    "biasedEncoderBlock_hasFDerivAt_real:hEps2Pos",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_real:hEps2Pos",
    graph=GRAPH,
    sizes=SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed_eps("eps2"),
)
def biased_second_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the second LayerNorm."""
    return eps_positive(case, "eps2")


@check(
    "biasedEncoderBlock_eval:conclusion",
    graph=GRAPH,
    sizes=SIZES,
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


@check(
    "biasedEncoderBlock_hasFDerivAt:conclusion",
    "biasedEncoderBlock_hasFDerivAt_of_pos:conclusion",
    "biasedEncoderBlock_hasFDerivAt_real:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=mutants_of(GRAPH, "jvp"),
    outside=where_it_exists(derivative_is_right),
)
def biased_block_has_its_derivative(case: Case) -> Measurement:
    """The derivative that the graph claims is the derivative of what the graph computes: the JVP
    along each of the eighteen inputs against the complex step (h = 1e-200) of its evaluation, along
    all of them against the closed form's, and the Taylor remainder in real arithmetic."""
    return derivative_is_right(case)


@check(
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at:conclusion",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_real:conclusion",
    graph=GRAPH,
    sizes=SIZES,
    rejects=mutants_of(GRAPH, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def biased_block_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for each of the eighteen inputs by itself, J v
    by complex step; and every entry of backprop against the closed form's."""
    return backprop_is_right(case)
