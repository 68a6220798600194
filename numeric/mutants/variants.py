"""Errors of other activations, of RMSNorm, and of the pre-norm block."""

from __future__ import annotations

from numeric.mutants.edits import Edit
from numeric.mutants.planting import copies, in_both_modes, planted

__all__ = ["PRE_NORM", "QUICK_GELU", "RELU", "RMS_NORM", "SMOOTH_GELU"]

SMOOTH_GELU = (
    planted("GELU left out", copies("ffn.hiddenAct.y", "ffn.hiddenPre")),
    planted("SiLU-like: tanh for Φ", Edit("ffn.hiddenAct.cdf", op="tanh")),
    planted("Φ without its argument's factor", Edit("ffn.hiddenAct.y", args=(
        "ffn.hiddenAct.cdf", "ffn.hiddenAct.cdf"))),
    *in_both_modes(
        ("ffn.hiddenAct.cdf", 0, "drop"), ("ffn.hiddenAct.y", 0, "one percent"),
    ),
)  # fmt: skip

RELU = (
    planted("ReLU left out", copies("ffn.hiddenAct.y", "ffn.hiddenPre")),
    planted("tanh for ReLU", Edit("ffn.hiddenAct.y", op="tanh")),
    *in_both_modes(("ffn.hiddenAct.y", 0, "drop"), ("ffn.hiddenAct.y", 0, "one percent")),
)  # fmt: skip

PRE_NORM = (
    planted("first skip from the norm", Edit("attnResidual", args=("mha.projected", "norm1.y"))),
    planted("no first skip", copies("attnResidual", "mha.projected")),
    planted("no second skip", copies("ffnResidual", "ffn.projected")),
    planted("second skip from x", Edit("ffnResidual", args=("ffn.projected", "x"))),
    planted("second skip from the norm", Edit("ffnResidual", args=(
        "ffn.projected", "norm2.y"))),
    planted("feed-forward reads the residual", Edit("ffn.hiddenPre.matmul", args=(
        "attnResidual", "W1"))),
    planted("attention's values read x", Edit("mha.v.matmul", args=("x", "Wv"))),
    planted("ε₂ is ε₁", Edit("norm2.varEps", symbol="eps1")),
    planted("gamma1 and gamma2 swapped", Edit("norm1.gammaBroadcast", args=("gamma2",)), Edit(
        "norm2.gammaBroadcast", args=("gamma1",))),
    planted("beta1 left out", copies("norm1.y", "norm1.scaled")),
    *in_both_modes(
        ("attnResidual", 1, "drop"), ("ffnResidual", 0, "drop"), ("ffnResidual", 1, "negate"),
        ("norm1.normalized", 1, "drop"), ("norm2.centered", 1, "drop"),
        ("ffn.hiddenPre.matmul", 1, "one entry"),
    ),
)  # fmt: skip


RMS_NORM = (
    planted("ε left out", Edit("meanSquareEps", op="scale", args=("meanSquare",), constant=1.0)),
    planted("sum for mean", Edit("meanSquare", op="sum")),
    planted("divided by the mean square", Edit("invRms", args=("meanSquareEps",))),
    planted("gamma added", Edit("y", op="add")),
    planted("x not divided", copies("normalized", "x")),
    *in_both_modes(
        ("square", 1, "drop"), ("rms", 0, "one percent"), ("normalized", 0, "drop"),
        ("normalized", 1, "negate"), ("y", 1, "drop"),
    ),
)  # fmt: skip


QUICK_GELU = (
    planted("GELU left out", copies("ffn.hiddenAct.y", "ffn.hiddenPre")),
    planted("SiLU for quick-GELU", Edit("ffn.hiddenAct.steep", constant=1.0)),
    *in_both_modes(
        ("ffn.hiddenAct.sigmoid", 0, "drop"), ("ffn.hiddenAct.y", 0, "one percent"),
    ),
)  # fmt: skip
