"""Checks of the blocks with biases, a mask and other activations, post-norm and pre-norm.

The closed forms beside them are `encoder_block` and `pre_norm` with the activations
of `activations`; the Lean sources are under ``lean/PostNorm/Block/Activated``.  Every block
has the same theorems, and so the same checks.
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
from bridge.checks.side_conditions import LayerNormAt
from numeric.instances.case import Case
from numeric.interpret.enclosure import radii
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import Edit, GraphMutant
from numeric.mutants.planted import mutants_of

SIZES = ("seqLen", "dModel", "numHeads", "headDim", "dFF")
BLOCKS = (
    "geluEncoderBlock",
    "reluEncoderBlock",
    "preNormGeluBlock",
    "preNormGeluTanhBlock",
    "preNormQuickGeluBlock",
)
UNDER_CONDITIONS = ("{}_hasFDerivAt", "{}_backprop_eq_adjoint_fderiv")
FROM_EPS = tuple(t + end for end in ("_of_pos", "_real") for t in UNDER_CONDITIONS)
ENDS = ("", "_of_pos", "_real")


def _keys(block: str, theorems: tuple[str, ...], binder: str) -> tuple[str, ...]:
    return tuple(f"{t.format(block)}:{binder}" for t in theorems)


def _side_conditions(block: str) -> None:
    """0 < variance + ε in every row that each LayerNorm normalizes, and 0 < ε: decided as for the
    block with tanh-GELU, from a rigorous enclosure of the row."""
    graph = f"{block}Graph"
    for number in ("1", "2"):
        norm = LayerNormAt(graph, SIZES, f"norm{number}.", f"eps{number}")
        norm.var_eps_check(*_keys(block, UNDER_CONDITIONS, f"hNorm{number}VarEpsPos"))(norm.var_eps)
        norm.eps_check(*_keys(block, FROM_EPS, f"hEps{number}Pos"))(norm.eps)


def _conclusions(block: str) -> None:
    """The value against the closed form; the JVP and backprop against exact derivatives and the
    closed form's."""
    graph = f"{block}Graph"
    check(f"{block}_eval:conclusion", graph=graph, sizes=SIZES, rejects=mutants_of(graph, "value"))(
        value_is_right
    )
    check(
        *(f"{block}_hasFDerivAt{end}:conclusion" for end in ENDS),
        graph=graph,
        sizes=SIZES,
        rejects=mutants_of(graph, "jvp"),
        outside=where_it_exists(derivative_is_right),
    )(derivative_is_right)
    check(
        *(f"{block}_backprop_eq_adjoint_fderiv{end}:conclusion" for end in ENDS),
        graph=graph,
        sizes=SIZES,
        rejects=mutants_of(graph, "vjp"),
        outside=where_it_exists(backprop_is_right),
    )(backprop_is_right)


for _block in BLOCKS:
    _side_conditions(_block)
    _conclusions(_block)


@check(
    *_keys("reluEncoderBlock", (*UNDER_CONDITIONS, *FROM_EPS), "hPreActivationNe0"),
    graph="reluEncoderBlockGraph",
    sizes=SIZES,
    rejects=[
        GraphMutant(
            "nothing reaches ReLU",
            (Edit("ffn.hiddenPre", op="scale", args=("ffn.hiddenPre.matmul",), constant=0.0),),
        )
    ],
)
def no_number_that_relu_gets_is_zero(case: Case) -> Measurement:
    """x·W1 + b1 ≠ 0 in every entry: its absolute value is above its enclosure's radius
    (`interpret.enclosure`).  Where the enclosure contains 0 the instance is undecided, unless it is
    exactly 0.  The margin is the least absolute value less the radius."""
    trace = case.run()
    at = trace.graph.index("ffn.hiddenPre")
    value = np.abs(np.asarray(trace.values[at], dtype=np.float64))
    radius = radii(trace, at)[at]
    size = len(case)
    away = (value - radius).reshape(size, -1).min(axis=1)
    zero = ((value == 0) & (radius == 0)).reshape(size, -1).any(axis=1)
    outcome = np.where(
        zero, Outcome.FAILS, np.where(away > 0, Outcome.HOLDS, Outcome.UNDECIDED)
    ).astype(np.int8)
    return Measurement(
        residual=-away,
        tolerance=np.zeros(size),
        outcome=outcome,
        part=np.zeros(size, dtype=np.int64),
        parts=("least |x·W1 + b1|",),
        undecided_because="the enclosure of x·W1 + b1 contains 0",
    )
