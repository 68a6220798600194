"""Reports to render: a realistic one with every verdict, one where all holds, and a hostile one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from bridge.checking import Certificate, CheckResult, Counterexample, Need, Witness, Worst
from bridge.lean.statement import Discharge
from bridge.report import EngineInfo, Entry, Report
from bridge.verdict import LeanStatus, Verdict
from tests.report.parts import (
    ADJOINT,
    EMBEDDED,
    EVIL,
    FAILS_C,
    HAS_DERIV,
    HOLDS_C,
    HOLDS_H,
    LAKE,
    STD_NE,
    TOOL,
    entry,
    family,
    obligation,
    result,
)
from tests.report.sample_models import evil_model, model


def realistic() -> Report:
    """Five theorems with every verdict and every status of Lean's."""
    discharged = Discharge("hVarEpsPos", "PostNorm.layerNorm_varEps_pos", ("0 < ε",))
    adjoint = "layerNorm_backpropVec_eq_adjoint_fderiv_at"
    block = "postNormEncoderBlock_hasFDerivAt"
    encoder = "encoderBlock_backpropVec_eq_adjoint_fderiv_at"
    at_block: dict[str, Any] = {
        "module": "PostNorm.Block.Encoder",
        "line": 112,
        "doc": "The post-norm encoder block is Fréchet differentiable, with its derivative "
        "spelled out as a composition.",
    }
    block_file = "lean/PostNorm/Block/Encoder.lean"
    return Report(
        tool=TOOL,
        engine=EMBEDDED,
        project="lean-obligations",
        seed=0,
        entries=(
            entry(
                obligation("layerNorm_hasFDerivAt:hVarEpsPos", discharge=discharged), found=HOLDS_H
            ),
            entry(
                obligation("layerNorm_hasFDerivAt:hStdNe0", STD_NE),
                found=HOLDS_H,
                check="std_is_not_zero",
            ),
            entry(
                obligation("layerNorm_hasFDerivAt:conclusion", HAS_DERIV),
                found=HOLDS_C,
                check="layer_norm_has_its_derivative",
            ),
            entry(
                obligation(f"{adjoint}:hVarEpsPos", line=46, discharge=discharged), found=HOLDS_H
            ),
            entry(
                obligation(f"{adjoint}:hStdNe0", STD_NE, line=46),
                Verdict.WAIVED,
                reason="equivalent to hVarEpsPos by layerNorm_std_ne_zero_iff",
            ),
            entry(
                obligation(
                    f"{adjoint}:conclusion",
                    ADJOINT,
                    line=46,
                    doc="Backpropagation through LayerNorm is the adjoint of its Fréchet "
                    "derivative, applied to the seed `δ`.",
                ),
                Verdict.FAILS,
                reason=FAILS_C.reason,
                found=FAILS_C,
                check="layer_norm_backprop_is_the_adjoint",
            ),
            entry(
                obligation(f"{block}:hAttnPack", "HasFDerivAt attnPack DattnPack x", **at_block),
                Verdict.UNPAIRED,
                file=block_file,
                reason=f"no check is registered for {block}:hAttnPack",
            ),
            entry(
                obligation(f"{block}:hNorm1VarEpsPos", **at_block),
                Verdict.INCONCLUSIVE,
                file=block_file,
                reason="9 of 154 instances are undecided: rounding hides the sign of var + ε",
                found=result(
                    Verdict.INCONCLUSIVE,
                    (
                        family("generic", drawn=80),
                        family("near-constant rows", drawn=74, undecided=9, margin=-2e-31),
                    ),
                    worst=Worst(2e-31, 0.0, -2e-31),
                ),
            ),
            entry(
                obligation(f"{block}:hNorm1StdNe0", STD_NE, **at_block),
                Verdict.STALE,
                file=block_file,
                reason="its definition changed since it was accepted: layerNormPrefix7",
            ),
            entry(
                obligation(
                    f"{block}:conclusion",
                    "HasFDerivAt (postNormEncoderBlock ε₁ ε₂) (DpostNormEncoderBlock ε₁ ε₂ x) x",
                    status=LeanStatus.SORRY,
                    foreign=("sorryAx",),
                    **at_block,
                ),
                Verdict.INCONCLUSIVE,
                file=block_file,
                reason="its hypothesis hAttnPack has no check, so no instance is known to meet it",
            ),
            entry(
                obligation(f"{encoder}:hNorm2VarEpsPos", module="PostNorm.Block.Encoder", line=140),
                Verdict.ERROR,
                file=block_file,
                reason="KeyError: 'norm2.varEps'",
                found=CheckResult(Verdict.ERROR, "KeyError: 'norm2.varEps'", 0, 0),
            ),
            entry(
                obligation(
                    f"{encoder}:conclusion",
                    "(encoderBlockGraph ε₁ ε₂).backprop ρ δ = "
                    "(fderiv (fun ρ => (encoderBlockGraph ε₁ ε₂).eval ρ) ρ).adjoint δ",
                    status=LeanStatus.AXIOM,
                    foreign=("PostNorm.chainRule",),
                    module="PostNorm.Block.Encoder",
                    line=140,
                ),
                file=block_file,
                found=HOLDS_C,
                check="encoder_backprop_is_the_adjoint",
            ),
            entry(
                obligation(
                    "layerNorm_std_ne_zero_iff:conclusion",
                    "(layerNormPrefix7 ε).eval ρ row ≠ 0 ↔ 0 < (layerNormPrefix6 ε).eval ρ row",
                    module="PostNorm.Layers.LayerNorm.Discharge",
                    line=42,
                    library=14,
                    doc="The standard deviation of a row is not zero exactly where `var + ε` is "
                    "positive.",
                ),
                Verdict.CERTIFIED,
                file="lean/PostNorm/Layers/LayerNorm/Discharge.lean",
                found=replace(HOLDS_C, verdict=Verdict.CERTIFIED, reason=""),
                check="std_is_zero_where_var_eps_is_not_positive",
            ),
        ),
    )


def all_holds() -> Report:
    """One theorem, proved by the official Lean, whose obligations all hold."""
    report = realistic()
    return replace(report, engine=LAKE, entries=report.entries[:3])


def hostile() -> Report:
    """Every text that can come from Lean, or from an exception, is an attack."""
    o = replace(
        obligation("evil:h", EVIL, discharge=Discharge("h", EVIL, (EVIL,))),
        key=f"{EVIL}:h",
        declaration=EVIL,
        binder=EVIL,
        doc=f"{EVIL}\n\n{EVIL}",
        module=EVIL,
    )
    conclusion = replace(
        obligation("evil:conclusion", EVIL, status=LeanStatus.AXIOM, foreign=(EVIL,)),
        key=f"{EVIL}:conclusion",
        declaration=EVIL,
        doc=EVIL,
        module=EVIL,
    )
    families = (
        family(EVIL, failed=1, margin=math.nan),
        family("inf", margin=math.inf),
        family("minus", EVIL, margin=-math.inf),
        family("none", drawn=0, margin=None),
    )
    found = result(
        Verdict.FAILS,
        families,
        worst=Worst(math.nan, math.inf, -math.inf),
        counterexample=Counterexample(0, EVIL, 3, ((EVIL, 1),), ((EVIL, math.nan),), EVIL),
        witness=Witness(0, EVIL, 1),
        needs=(Need(EVIL, 3, 1, 1, 1),),
        certificate=Certificate(0.0, 128, 3, 1, -math.inf),
    )
    engine = EngineInfo(EVIL, EVIL, False, EVIL)
    return Report(
        tool=f"{EVIL} 0",
        engine=engine,
        project=EVIL,
        seed=0,
        entries=(
            Entry(o, EVIL, Verdict.FAILS, EVIL, EVIL, found),
            Entry(conclusion, f"../{EVIL}", Verdict.ERROR, EVIL, EVIL, None),
        ),
    )


def hostile_model() -> Report:
    """The same for texts from a model."""
    return replace(hostile(), model=evil_model())


def graphs() -> Report:
    """A theorem whose obligations all hold, and two exported graphs: one faithful, one not."""
    right = entry(
        obligation(
            "encoderBlockGraph:fidelity",
            "the exported encoderBlockGraph agrees with its closed form",
            module="",
            line=0,
            doc="The graph that Lean exports and a closed form agree.",
        ),
        file=None,
        reason="PyTorch is not installed and took no part",
        found=HOLDS_H,
        check="graph_is_its_closed_form",
    )
    wrong = entry(
        obligation(
            "layerNormGraph:fidelity",
            "the exported layerNormGraph agrees with its closed form",
            module="",
            line=0,
        ),
        Verdict.FAILS,
        file=None,
        reason="fails on 3 of 167 instances: saved tensor centered against the closed form, those "
        "before it agree",
        found=FAILS_C,
        check="graph_is_its_closed_form",
    )
    return replace(all_holds(), entries=(*all_holds().entries, right, wrong))


def empty() -> Report:
    return replace(all_holds(), entries=())


def interrupted() -> Report:
    return replace(all_holds(), interrupted=True)


REPORTS = {
    "realistic": realistic,
    "all holds": all_holds,
    "model": model,
    "hostile": hostile,
    "hostile model": hostile_model,
    "graphs": graphs,
    "empty": empty,
    "interrupted": interrupted,
}
