"""Checks of the two post-norm sublayers' theorems, on the graphs that Lean exports.

The closed forms beside them are `numeric.closed_forms.post_norm`; the Lean source is
``lean/PostNorm/Block/PostNorm.lean``.
"""

from __future__ import annotations

from functools import partial

from bridge.checking.registry import check
from bridge.checks.measures import (
    backprop_is_right,
    where_it_exists,
)
from bridge.checks.side_conditions import LayerNormAt
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import mutants_of

MHA = "mhaPostNormGraph"
MHA_SIZES = ("seqLen", "dModel", "numHeads", "headDim")
FFN = "seqFfnPostNormGraph"
FFN_SIZES = ("seqLen", "dModel", "dFF")

MHA_NORM = LayerNormAt(MHA, MHA_SIZES, "norm.")
FFN_NORM = LayerNormAt(FFN, FFN_SIZES, "norm.")
of_mha = partial(check, graph=MHA, sizes=MHA_SIZES)
of_ffn = partial(check, graph=FFN, sizes=FFN_SIZES)


@MHA_NORM.var_eps_check("mhaPostNorm_backpropVec_eq_adjoint_fderiv_at:hVarEpsPos")
def attention_sublayer_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε in every row of MHA(x) + x.

    The row is enclosed as the graph computes it, with rigorous radii, and the sign of var + ε is
    taken from the enclosure of its variance; where that contains 0 the instance is undecided.  The
    graph's own ``norm.varEps`` must agree to 1e-13 of its running error bound.
    """
    return MHA_NORM.var_eps(case)


@MHA_NORM.std_check("mhaPostNorm_backpropVec_eq_adjoint_fderiv_at:hStdNe0")
def attention_sublayer_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row of MHA(x) + x: decided as ``hVarEpsPos`` is, for std is 0 exactly where
    var + ε ≤ 0."""
    return MHA_NORM.std(case)


@of_mha(
    "mhaPostNorm_backpropVec_eq_adjoint_fderiv_at:conclusion",
    "mhaPostNorm_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    rejects=mutants_of(MHA, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def attention_sublayer_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for x and each parameter of LN(MHA(x) + x) by
    itself.

    J v is the exact derivative of the graph's evaluation (dual numbers, then the complex step): no
    JVP rule takes part.  Every entry of backprop is also held against the closed form's.
    """
    return backprop_is_right(case)


@FFN_NORM.var_eps_check("seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at:hVarEpsPos")
def feed_forward_sublayer_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε in every row of FFN(x) + x: decided as for the attention sublayer, from a
    rigorous enclosure of the row."""
    return FFN_NORM.var_eps(case)


@FFN_NORM.std_check("seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at:hStdNe0")
def feed_forward_sublayer_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row of FFN(x) + x: decided as ``hVarEpsPos`` is, for std is 0 exactly where
    var + ε ≤ 0."""
    return FFN_NORM.std(case)


@of_ffn(
    "seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at:conclusion",
    "seqFfnPostNorm_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    rejects=mutants_of(FFN, "vjp"),
    outside=where_it_exists(backprop_is_right),
)
def feed_forward_sublayer_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for x and each parameter of LN(FFN(x) + x) by
    itself: measured as for the attention sublayer."""
    return backprop_is_right(case)


@MHA_NORM.eps_check("mhaPostNorm_backprop_eq_adjoint_fderiv_of_pos:hEpsPos")
def attention_sublayer_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the sublayer's LayerNorm."""
    return MHA_NORM.eps(case)


@FFN_NORM.eps_check("seqFfnPostNorm_backprop_eq_adjoint_fderiv_of_pos:hEpsPos")
def feed_forward_sublayer_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the sublayer's LayerNorm."""
    return FFN_NORM.eps(case)
