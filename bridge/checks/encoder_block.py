"""Checks of the theorem about any post-norm block, on the library's own block.

The theorem is about two arbitrary maps; the instances are ``encoderBlockGraph``'s.
"""

from __future__ import annotations

from functools import partial

from bridge.checking.registry import check
from bridge.checks.by_form import REFUTED_BY, Condition
from bridge.checks.forms import Form, Says
from bridge.checks.measures import (
    derivative_is_right,
    pack_derivative_is_linear,
    pack_is_differentiable,
    where_it_exists,
)
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.edits import DerivativeMutant
from numeric.mutants.planted import mutants_of

BLOCK = "encoderBlockGraph"
THEOREM = "postNormEncoderBlock_hasFDerivAt"
of_block = partial(
    check,
    graph=BLOCK,
    sizes=("seqLen", "dModel", "numHeads", "headDim", "dFF"),
)

for _number in ("1", "2"):
    for _binder, _says, _tensor in (
        ("VarEpsPos", Says.TENSOR_POSITIVE, "varEps"),
        ("StdNe0", Says.TENSOR_NONZERO, "std"),
    ):
        _condition = Condition(Form(_says, BLOCK, f"eps{_number}", f"norm{_number}.{_tensor}"))
        of_block(
            f"{THEOREM}:hNorm{_number}{_binder}",
            refuted_by=REFUTED_BY,
            rejects=_condition.rejects,
            encloses=_condition.encloses,
        )(_condition)


@of_block(
    f"{THEOREM}:hAttnPack",
    rejects=tuple(
        m
        for m in mutants_of(BLOCK, "jvp")
        if m.names <= {"attnResidual"} or m.name.startswith("jvp of mha.")
    ),
)
def attention_pack_has_its_derivative(case: Case) -> Measurement:
    """``attnPack``, for the library's own block the map to (MHA(x) + x, gamma1, beta1), has the
    derivative that forward mode computes.

    The two parameters are passed on; the JVP of the graph up to ``attnResidual`` is held against
    the exact derivative (dual numbers, then the complex step) along x and each weight.  No instance
    violates this: the map is smooth.
    """
    return pack_is_differentiable(case, "attnResidual")


@of_block(
    f"{THEOREM}:hFfnPack",
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


LAWS = ("map_add", "map_smul", "bounded")
"""What makes a map of coordinates a `BoundedLinearMap`."""


@of_block(
    *(f"{THEOREM}:DattnPack.{law}" for law in LAWS),
    rejects=(DerivativeMutant("jvp", "attnResidual", 0, "offset"),),
)
def attention_derivative_is_linear(case: Case) -> Measurement:
    """``DattnPack``, for the library's own block the JVP of the graph up to ``attnResidual``, is
    additive, homogeneous and bounded.  No instance violates this: every rule of a JVP is."""
    return pack_derivative_is_linear(case, "attnResidual")


@of_block(
    *(f"{THEOREM}:DffnPack.{law}" for law in LAWS),
    rejects=(DerivativeMutant("jvp", "ffnResidual", 0, "offset"),),
)
def feed_forward_derivative_is_linear(case: Case) -> Measurement:
    """``DffnPack``, for the library's own block the JVP of the graph from ``norm1.y`` to
    ``ffnResidual``, is additive, homogeneous and bounded.  No instance violates this."""
    return pack_derivative_is_linear(case, "ffnResidual", "norm1.y")


@of_block(
    f"{THEOREM}:conclusion",
    rejects=mutants_of(BLOCK, "jvp"),
    outside=where_it_exists(derivative_is_right),
)
def block_has_its_derivative(case: Case) -> Measurement:
    """The composition, for the library's own block, has the composed derivative."""
    return derivative_is_right(case)
