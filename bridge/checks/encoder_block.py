"""Checks of the encoder block's theorems, on the graphs that Lean exports.

The closed form beside them is `numeric.closed_forms.encoder_block`; the Lean sources are under
``lean/PostNorm/Block/Encoder``.  A side condition has the same check wherever it stands: it speaks
of the same LayerNorm's rows.
"""

from __future__ import annotations

from functools import partial

from bridge.checking.registry import check
from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    every_operation_is_right,
    pack_is_differentiable,
    value_is_right,
    where_it_exists,
)
from bridge.checks.side_conditions import LayerNormAt
from numeric.instances.case import Case
from numeric.judge.first_input import first_backprop_is_adjoint
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import mutants_of, reaching_tokens

BLOCK = "encoderBlockGraph"
RESIDUAL = "encoderFfnResidualGraph"
SIZES = ("seqLen", "dModel", "numHeads", "headDim", "dFF")

NORM1 = LayerNormAt(BLOCK, SIZES, "norm1.", "eps1")
NORM2 = LayerNormAt(BLOCK, SIZES, "norm2.", "eps2")
RESIDUAL_NORM1 = LayerNormAt(RESIDUAL, SIZES, "norm1.", "eps1")
of_block = partial(check, graph=BLOCK, sizes=SIZES)
of_residual = partial(check, graph=RESIDUAL, sizes=SIZES)


@NORM1.var_eps_check(
    "encoderBlockGraphFDerivCorrectAt:hNorm1VarEpsPos",
    "encoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm1VarEpsPos",
    "postNormEncoderBlock_hasFDerivAt:hNorm1VarEpsPos",
)
def first_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε₁ in every row of MHA(x) + x.

    The row is enclosed as the graph computes it, with rigorous radii, and the sign of var + ε₁ is
    taken from the enclosure of its variance; where that contains 0 the instance is undecided.  The
    graph's own ``norm1.varEps`` must agree to 1e-13 of its running error bound.
    """
    return NORM1.var_eps(case)


@NORM1.std_check(
    "encoderBlockGraphFDerivCorrectAt:hNorm1StdNe0",
    "encoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm1StdNe0",
    "postNormEncoderBlock_hasFDerivAt:hNorm1StdNe0",
)
def first_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row of MHA(x) + x: decided as ``hNorm1VarEpsPos`` is, for std is 0 exactly
    where var + ε₁ ≤ 0."""
    return NORM1.std(case)


@NORM2.var_eps_check(
    "encoderBlockGraphFDerivCorrectAt:hNorm2VarEpsPos",
    "encoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm2VarEpsPos",
    "postNormEncoderBlock_hasFDerivAt:hNorm2VarEpsPos",
)
def second_var_plus_eps_is_positive(case: Case) -> Measurement:
    """0 < var + ε₂ in every row of FFN(y) + y, y the first sublayer's output: decided as
    ``hNorm1VarEpsPos`` is, on the second LayerNorm's rows."""
    return NORM2.var_eps(case)


@NORM2.std_check(
    "encoderBlockGraphFDerivCorrectAt:hNorm2StdNe0",
    "encoderBlock_backpropVec_eq_adjoint_fderiv_at:hNorm2StdNe0",
    "postNormEncoderBlock_hasFDerivAt:hNorm2StdNe0",
)
def second_std_is_not_zero(case: Case) -> Measurement:
    """std ≠ 0 in every row of FFN(y) + y, y the first sublayer's output: decided as
    ``hNorm2VarEpsPos`` is."""
    return NORM2.std(case)


@of_block(
    "encoderBlockGraphFDerivCorrectAt:conclusion",
    "encoderBlockGraphFDerivCorrectAt_of_pos:conclusion",
    rejects=mutants_of(BLOCK, "jvp"),
    outside=where_it_exists(every_operation_is_right),
)
def every_operation_of_the_block_has_its_derivative(case: Case) -> Measurement:
    """Each operation's tangent map is its derivative at the values that the block has there.

    Along random directions of its arguments each operation is held against its own complex step (h
    = 1e-200), and the whole graph's JVP along each input against the exact derivative (dual
    numbers, then the complex step), entry by entry, by rules A and B.
    """
    return every_operation_is_right(case)


@of_block(
    "encoderBlock_backpropVec_eq_adjoint_fderiv_at:conclusion",
    "encoderBlock_backprop_eq_adjoint_fderiv_real:conclusion",
    "encoderBlock_backprop_eq_adjoint_fderiv_of_pos:conclusion",
    rejects=mutants_of(BLOCK, "vjp") + mutants_of(BLOCK, "value"),
    outside=where_it_exists(backprop_is_right),
)
def block_backprop_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, for each of the thirteen inputs by itself.

    J v is the exact derivative of the graph's evaluation (dual numbers, then the complex step): no
    JVP rule takes part.  Every entry of backprop is also held against the closed form's, which sees
    a wrong block as well.
    """
    return backprop_is_right(case)


@NORM1.eps_check(
    "encoderBlock_hasFDerivAt_real:hEps1Pos",
    "encoderBlock_backprop_eq_adjoint_fderiv_real:hEps1Pos",
    "encoderBlock_backprop_unique_real:hEps1Pos",
    "encoderBlockGraphFDerivCorrectAt_of_pos:hEps1Pos",
    "encoderBlock_hasFDerivAt_of_pos:hEps1Pos",
    "encoderBlock_backprop_eq_adjoint_fderiv_of_pos:hEps1Pos",
    "encoderBlock_backprop_unique_of_pos:hEps1Pos",
    "encoderBlock_hasFDerivAt_tokens:hEps1Pos",
)
def first_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the first LayerNorm."""
    return NORM1.eps(case)


@NORM2.eps_check(
    "encoderBlock_hasFDerivAt_real:hEps2Pos",
    "encoderBlock_backprop_eq_adjoint_fderiv_real:hEps2Pos",
    "encoderBlock_backprop_unique_real:hEps2Pos",
    "encoderBlockGraphFDerivCorrectAt_of_pos:hEps2Pos",
    "encoderBlock_hasFDerivAt_of_pos:hEps2Pos",
    "encoderBlock_backprop_eq_adjoint_fderiv_of_pos:hEps2Pos",
    "encoderBlock_backprop_unique_of_pos:hEps2Pos",
    "encoderBlock_hasFDerivAt_tokens:hEps2Pos",
)
def second_eps_is_positive(case: Case) -> Measurement:
    """0 < ε of the second LayerNorm."""
    return NORM2.eps(case)


@of_block("encoderBlock_eval:conclusion", rejects=mutants_of(BLOCK, "value"))
def block_is_its_closed_form(case: Case) -> Measurement:
    """What the graph computes is LN₂(FFN(y) + y), y = LN₁(MHA(x) + x), entry by entry against the
    closed form, by rules A and B.

    Σ|terms| is the graph's running error bound.  The closed form shares no code with the
    interpreter, and agrees with PyTorch's ``nn.TransformerEncoderLayer`` where that is installed.
    """
    return value_is_right(case)


@of_block(
    "postNormEncoderBlock_hasFDerivAt:hAttnPack",
    rejects=tuple(
        m
        for m in mutants_of(BLOCK, "jvp")
        if m.names <= {"attnResidual"} or m.name.startswith("jvp of mha.")
    ),
)
def attention_pack_has_its_derivative(case: Case) -> Measurement:
    """``attnPack``, for the library's own block the map to (MHA(x) + x, gamma1, beta1), has the
    derivative that forward mode computes.

    The two parameters are handed on; the JVP of the graph up to ``attnResidual`` is held against
    the exact derivative (dual numbers, then the complex step) along x and each weight.  No instance
    violates this: the map is smooth.
    """
    return pack_is_differentiable(case, "attnResidual")


@of_block(
    "postNormEncoderBlock_hasFDerivAt:hFfnPack",
    rejects=tuple(
        m
        for m in mutants_of(BLOCK, "jvp")
        if m.names <= {"ffnResidual"} or m.name.startswith("jvp of ffn.")
    ),
)
def feed_forward_pack_has_its_derivative(case: Case) -> Measurement:
    """``ffnPack``, for the library's own block the map from the first sublayer's output y and the
    outer context to (FFN(y) + y, gamma2, beta2), has the derivative that forward mode computes.

    The JVP of the graph from ``norm1.y`` to ``ffnResidual`` is held against the exact derivative
    (dual numbers, then the complex step) along y and each parameter, at the y that the block has.
    No instance violates this: it is smooth.
    """
    return pack_is_differentiable(case, "ffnResidual", "norm1.y")


@of_block(
    "postNormEncoderBlock_hasFDerivAt:conclusion",
    "encoderBlock_hasFDerivAt_real:conclusion",
    "encoderBlock_hasFDerivAt_of_pos:conclusion",
    "encoderBlock_hasFDerivAt_tokens:conclusion",
    rejects=mutants_of(BLOCK, "jvp"),
    outside=where_it_exists(derivative_is_right),
)
def block_has_its_derivative(case: Case) -> Measurement:
    """The composition, for the library's own block, has the composed derivative.

    Along a random direction of each of the thirteen inputs the JVP is held against the exact
    derivative (dual numbers, then the complex step), and along all of them against the closed
    form's JVP, entry by entry, by rules A and B.  The Taylor remainder must get below 1e-3 of
    Σ|terms|.
    """
    return derivative_is_right(case)


@RESIDUAL_NORM1.var_eps_check("encoderFfnResidualGraphFDerivCorrectAt:hNorm1VarEpsPos")
def var_plus_eps_is_positive_before_the_residual(case: Case) -> Measurement:
    """0 < var + ε₁ in every row of MHA(x) + x: decided as for the whole block."""
    return RESIDUAL_NORM1.var_eps(case)


@RESIDUAL_NORM1.std_check("encoderFfnResidualGraphFDerivCorrectAt:hNorm1StdNe0")
def std_is_not_zero_before_the_residual(case: Case) -> Measurement:
    """std ≠ 0 in every row of MHA(x) + x: decided as for the whole block."""
    return RESIDUAL_NORM1.std(case)


@of_residual(
    "encoderFfnResidualGraphFDerivCorrectAt:conclusion",
    rejects=mutants_of(RESIDUAL, "jvp"),
    outside=where_it_exists(every_operation_is_right),
)
def every_operation_up_to_the_residual_has_its_derivative(case: Case) -> Measurement:
    """Each operation's tangent map, up to FFN(y) + y, is its derivative at the values that the
    block has there; measured as for the whole block."""
    return every_operation_is_right(case)


@of_block("encoderBlock_adjoint_tokens:conclusion", rejects=reaching_tokens(BLOCK))
def block_backprop_to_the_tokens_is_the_adjoint(case: Case) -> Measurement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ for random v and s, in x alone, with J v by forward mode and by
    complex step; where ε ≤ 0 as well, for the theorem asks for nothing."""
    return first_backprop_is_adjoint(case)
