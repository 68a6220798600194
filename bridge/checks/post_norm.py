"""Checks of the two post-norm sublayers' theorems, on the graphs that Lean exports.

The closed forms beside them are `numeric.post_norm`; the Lean source is
``lean/PostNorm/Block/PostNorm.lean``.
"""

from __future__ import annotations

from bridge.checks.measures import (
    backprop_is_right,
    enclosed,
    enclosed_eps,
    eps_positive,
    std_not_zero,
    var_eps_positive,
    where_it_exists,
)
from bridge.checks.registry import check
from numeric.block_mutants import mutants_of
from numeric.case import Case
from numeric.measurement import Measurement

MHA = "mhaPostNormGraph"
MHA_SIZES = ("seqLen", "dModel", "numHeads", "headDim")
FFN = "seqFfnPostNormGraph"
FFN_SIZES = ("seqLen", "dModel", "dFF")
REFUTED_BY = ("eps 0, constant row", "eps 0, d_model 1", "eps overwhelms variance")


@check(
    "mhaPostNorm_backpropVec_eq_adjoint_fderiv_at:hVarEpsPos",
    graph=MHA,
    sizes=MHA_SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed("norm.varEps"),
)
def attention_sublayer_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε in every row of MHA(x) + x.

    The row is enclosed as the graph computes it, with rigorous radii, and the sign of var + ε is
    taken from the enclosure of its variance; where that contains 0 the instance is undecided.  The
    graph's own ``norm.varEps`` must agree to 1e-13 of its running error bound.
    """
    return var_eps_positive(case, "norm.")


@check(
    "mhaPostNorm_backpropVec_eq_adjoint_fderiv_at:hStdNe0",
    graph=MHA,
    sizes=MHA_SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed("norm.std"),
)
def attention_sublayer_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row of MHA(x) + x: decided as ``hVarEpsPos`` is, for std is 0 exactly where
    var + ε ≤ 0."""
    return std_not_zero(case, "norm.")


@check(
    "mhaPostNorm_backpropVec_eq_adjoint_fderiv_at:conclusion",
    "mhaPostNorm_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    graph=MHA,
    sizes=MHA_SIZES,
    rejects=mutants_of(MHA, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def attention_sublayer_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for x and each parameter of LN(MHA(x) + x) by
    itself.

    J v is the complex step of the graph's evaluation, so that no forward rule takes part.  Every
    entry of backprop is also held against the closed form's.
    """
    return backprop_is_right(case)


@check(
    "seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at:hVarEpsPos",
    graph=FFN,
    sizes=FFN_SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed("norm.varEps"),
)
def feed_forward_sublayer_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε in every row of FFN(x) + x.

    The row is enclosed as the graph computes it, with rigorous radii, and the sign of var + ε is
    taken from the enclosure of its variance; where that contains 0 the instance is undecided.  The
    graph's own ``norm.varEps`` must agree to 1e-13 of its running error bound.
    """
    return var_eps_positive(case, "norm.")


@check(
    "seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at:hStdNe0",
    graph=FFN,
    sizes=FFN_SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed("norm.std"),
)
def feed_forward_sublayer_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row of FFN(x) + x: decided as ``hVarEpsPos`` is, for std is 0 exactly where
    var + ε ≤ 0."""
    return std_not_zero(case, "norm.")


@check(
    "seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at:conclusion",
    "seqFfnPostNorm_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    graph=FFN,
    sizes=FFN_SIZES,
    rejects=mutants_of(FFN, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def feed_forward_sublayer_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for x and each parameter of LN(FFN(x) + x) by
    itself.

    J v is the complex step of the graph's evaluation, so that no forward rule takes part.  Every
    entry of backprop is also held against the closed form's.
    """
    return backprop_is_right(case)


@check(
    "mhaPostNorm_backprop_eq_adjoint_fderiv_of_pos:hEpsPos",
    graph=MHA,
    sizes=MHA_SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed_eps("eps"),
)
def attention_sublayer_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the sublayer's LayerNorm."""
    return eps_positive(case, "eps")


@check(
    "seqFfnPostNorm_backprop_eq_adjoint_fderiv_of_pos:hEpsPos",
    graph=FFN,
    sizes=FFN_SIZES,
    refuted_by=REFUTED_BY,
    encloses=enclosed_eps("eps"),
)
def feed_forward_sublayer_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the sublayer's LayerNorm."""
    return eps_positive(case, "eps")
