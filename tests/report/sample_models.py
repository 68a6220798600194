"""Models as reports show them: a realistic one, and one whose every text is an attack."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from bridge.checking import Worst
from bridge.report import Report
from bridge.report.layers import (
    Assumption,
    LayerObligation,
    LayerReport,
    ModelReport,
    NormRows,
)
from bridge.verdict import Verdict
from tests.report.parts import ADJOINT, EVIL, LAKE, TOOL, entry, family, obligation, result


def norm_rows(least: float = 0.48, eps: float = 1e-12) -> NormRows:
    """The rows of one LayerNorm."""
    rows = np.full((2, 4), 1.0)
    rows[1, 2] = least
    return NormRows(eps, least, math.sqrt(max(least, 0.0)), 1, 2, 8, 0, rows)


def layer(
    name: str,
    *assumptions: Assumption,
    failed: str = "",
    measured: bool = True,
    difference: float | None = None,
) -> LayerReport:
    """One layer of a model; ``failed`` is the reason why its conclusion fails."""
    theorem = "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at"
    sizes = (("seqLen", 4), ("dModel", 16), ("numHeads", 4), ("headDim", 4), ("dFF", 24))
    met = Assumption("order of the norms", "post-norm", "post-norm, by the names", True)
    every = (met, *assumptions)
    if not measured:
        return LayerReport(name, "BertLayer", sizes, None, False, every)
    verdict = Verdict.FAILS if failed else Verdict.HOLDS
    return LayerReport(
        name,
        "BertLayer",
        sizes,
        theorem,
        all(a.met for a in every),
        every,
        (norm_rows(), norm_rows(0.91)),
        (
            LayerObligation(
                f"{theorem}:hNorm1VarEpsPos",
                Verdict.HOLDS,
                "",
                Worst(-0.48, 0.0, 0.48),
                "sequence 1, row 2",
            ),
            LayerObligation(
                f"{theorem}:conclusion",
                verdict,
                failed,
                Worst(3e-15, 1e-12, 9.97e-13),
                "sequence 0",
            ),
        ),
        "the graph that Lean exports at this size",
        ("the complex step", "the closed form", "torch autograd"),
        difference,
    )


ERF = Assumption("activation", "tanh-GELU", "erf-GELU, by its values", False)
PRE_NORM = Assumption("order of the norms", "post-norm", "pre-norm, by norm_first", False)


def model() -> Report:
    """A model with a layer that the theorem covers, one that fails, and two that it does not."""
    theorem = "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at"
    failed = "gradient of Wq against torch autograd: residual 0.4 > tolerance 1e-12"
    layers = (
        layer("encoder.layer.0"),
        layer("encoder.layer.1", failed=failed),
        layer("encoder.layer.2", ERF, difference=5.5e-8),
        layer("encoder.layer.3", PRE_NORM, measured=False),
    )
    families = tuple(
        family(la.name, "layer" if la.applies else "uncovered", drawn=1, accepted=int(la.applies))
        for la in layers
    )
    found = result(Verdict.FAILS, families, worst=Worst(0.4, 1e-12, -0.4), reason=failed)
    return Report(
        tool=TOOL,
        engine=LAKE,
        project="lean-obligations",
        seed=0,
        entries=(
            entry(
                obligation(f"{theorem}:conclusion", ADJOINT),
                Verdict.FAILS,
                reason=f"in layer encoder.layer.1: {failed}",
                check="model",
                found=found,
            ),
        ),
        model=ModelReport(
            source="bert.safetensors",
            kind="safetensors",
            naming="Hugging Face BERT",
            dtype="F32",
            inputs="standard normal, from seed 0",
            sequences=2,
            seq_len=4,
            settings=("heads: 4, by num_attention_heads in config.json",),
            layers=layers,
            assumptions=(
                Assumption("after the stack", "nothing", "a norm of its own: norm", False),
            ),
            outside=("embeddings.word_embeddings.weight",),
        ),
    )


def evil_model() -> ModelReport:
    """Names of tensors and of Python objects may be anything, too."""
    evil = Assumption(EVIL, EVIL, EVIL, None)
    rows = replace(norm_rows(), eps=math.nan, least_var_eps=-math.inf, least_std=math.nan)
    found = LayerObligation(f"{EVIL}:h", Verdict.FAILS, EVIL, Worst(math.nan, 1.0, math.nan), EVIL)
    one = LayerReport(
        *(EVIL, EVIL, ((EVIL, 1),), EVIL, False, (evil,), (rows, rows), (found,), EVIL, (EVIL,)),
        output_difference=math.inf,
    )
    bare = LayerReport(EVIL, EVIL, ((EVIL, 1),), None, False, (evil,))
    return ModelReport(
        *(EVIL, "torch", EVIL, EVIL, EVIL, 1, 1, (EVIL,), (one, bare), (evil,), (EVIL,))
    )
