"""Reports to render: a realistic one with every verdict, one where all holds, and a hostile one."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any

import numpy as np

from bridge.checks import (
    Certificate,
    CheckResult,
    Counterexample,
    FamilyCount,
    Margins,
    Need,
    Witness,
    Worst,
)
from bridge.obligation import LeanFacts, Obligation
from bridge.report import EngineInfo, Entry, Report
from bridge.report.layers import (
    Assumption,
    LayerObligation,
    LayerReport,
    ModelReport,
    NormRows,
)
from bridge.statement import Discharge
from bridge.verdict import LeanStatus, Role, Verdict

EMBEDDED = EngineInfo(
    "embedded", "4.28.0-pre", False, "Lean 4.28.0-pre, embedded (unofficial WebAssembly build)"
)
LAKE = EngineInfo("lake", "4.28.0", True, "Lean 4.28.0, official toolchain")
TOOL = "lean-obligations 0.1.0"

VAR_EPS = "∀ row, 0 < (layerNormPrefix6 ε).eval ρ row"
STD_NE = "∀ row, (layerNormPrefix7 ε).eval ρ row ≠ 0"
HAS_DERIV = "HasFDerivAt (fun ρ => (layerNormGraph ε).eval ρ) ((layerNormGraph ε).deriv ρ) ρ"
ADJOINT = (
    "(layerNormGraph ε).backprop ρ δ = (fderiv (fun ρ => (layerNormGraph ε).eval ρ) ρ).adjoint δ"
)
DERIVATIVE = "lean/PostNorm/Layers/LayerNorm/Derivative.lean"
STANDARD = ("Classical.choice", "Quot.sound", "propext")
DOC = (
    "LayerNorm is Fréchet differentiable in `x`, `gamma` and `beta` together, and forward mode "
    "computes its derivative, at every input whose rows all have `var + ε` positive and a standard "
    "deviation that is not zero.\n\nThe side conditions are stated on the values that the prefix "
    "graphs compute."
)


def obligation(
    key: str,
    statement: str = VAR_EPS,
    *,
    status: LeanStatus | None = None,
    discharge: Discharge | None = None,
    foreign: tuple[str, ...] = (),
    doc: str = DOC,
    module: str = "PostNorm.Layers.LayerNorm.Derivative",
    line: int = 36,
    library: int = 0,
) -> Obligation:
    declaration, _, binder = key.rpartition(":")
    role = {"conclusion": Role.CONCLUSION, "fidelity": Role.FIDELITY}.get(binder, Role.HYPOTHESIS)
    if status is None:
        if role is Role.FIDELITY:
            status = LeanStatus.EXPORTED
        elif role is Role.CONCLUSION:
            status = LeanStatus.PROVED
        else:
            status = LeanStatus.ASSUMED if discharge is None else LeanStatus.DISCHARGED
    standard = STANDARD if role is Role.CONCLUSION else ()
    digest = hashlib.sha256(f"{key}\0{statement}".encode("utf-8", "surrogatepass")).hexdigest()
    facts = LeanFacts(status, standard, foreign, library, discharge)
    fields = {
        "key": key,
        "declaration": declaration,
        "binder": binder,
        "role": role,
        "statement": statement,
        "doc": doc,
        "module": module,
        "line": line,
        "statement_hash": digest,
        "lean": facts,
    }
    known = Obligation.__dataclass_fields__
    extra = {name: digest for name in known if name not in fields}
    return Obligation(**fields, **extra)  # type: ignore[arg-type]


def family(
    name: str,
    role: str = "domain",
    *,
    drawn: int = 16,
    accepted: int | None = None,
    failed: int = 0,
    undecided: int = 0,
    margin: float | None = 1e-6,
) -> FamilyCount:
    accepted = drawn if accepted is None else accepted
    held = max(0, accepted - failed - undecided)
    worst = None if margin is None else Worst(-margin, 0.0, margin)
    above = margin is not None and margin > 0
    margins = Margins.of([margin * 2.0**i for i in range(held)]) if above else Margins()
    below = [-1e-6 if margin is None else -abs(margin)] * failed
    beyond = Margins.beyond(below)
    return FamilyCount(name, role, drawn, accepted, held, failed, undecided, worst, margins, beyond)


def result(verdict: Verdict, families: tuple[FamilyCount, ...], **more: object) -> CheckResult:
    counted = [f for f in families if f.role != "refuting"]
    fields = {
        "verdict": verdict,
        "reason": "",
        "instances": sum(f.drawn for f in counted),
        "accepted": sum(f.accepted for f in counted),
        "families": families,
        **more,
    }
    return CheckResult(**fields)  # type: ignore[arg-type]


def entry(
    o: Obligation,
    verdict: Verdict = Verdict.HOLDS,
    *,
    file: str | None = DERIVATIVE,
    reason: str = "",
    check: str | None = "var_plus_eps_is_positive",
    found: CheckResult | None = None,
) -> Entry:
    return Entry(o, file, verdict, reason, check if found is not None else None, found)


DOMAIN_MARGINS = {
    "generic": 2.1e-6,
    "badly scaled": 1.7e-6,
    "large offset": 4.4e-4,
    "near-constant rows": 1.2e-6,
    "constant rows": 1.02e-6,
    "d_model 1": 1.3e-6,
    "d_model 2": 5.4e-6,
    "seq_len 1": 2.2e-5,
    "saturated softmax": 3.1e-3,
    "eps tiny": 3.6e-29,
    "float32-rounded": 1.1e-6,
}


def hypothesis_families() -> tuple[FamilyCount, ...]:
    domain = tuple(family(n, drawn=18, margin=m) for n, m in DOMAIN_MARGINS.items())
    refuting = tuple(
        family(n, "refuting", drawn=4, failed=4, margin=m)
        for n, m in (
            ("eps 0, constant row", 0.0),
            ("eps 0, d_model 1", 0.0),
            ("eps overwhelms variance", -0.31),
        )
    )
    return (*domain, *refuting)


def conclusion_families(failed: int = 0) -> tuple[FamilyCount, ...]:
    domain = tuple(
        family(n, drawn=14, margin=2e-14 * (1 + i), undecided=1 if n == "eps tiny" else 0)
        for i, n in enumerate(DOMAIN_MARGINS)
    )
    edge = (
        family("eps 0", "edge", drawn=14, accepted=8, margin=9e-14),
        family("eps < 0", "edge", drawn=14, accepted=5, margin=6e-14),
    )
    if failed:
        broken = family("large offset", drawn=14, failed=failed, margin=-3.3e-7)
        domain = tuple(broken if f.family == broken.family else f for f in domain)
    return (*domain, *edge)


HOLDS_H = result(Verdict.HOLDS, hypothesis_families(), worst=Worst(-3.6e-29, 0.0, 3.6e-29))
HOLDS_C = result(
    Verdict.HOLDS,
    conclusion_families(),
    worst=Worst(3.1e-14, 1e-13, 6.9e-14),
    reason="1 of 154 instances are undecided: rounding hides the sign of var + ε",
    witness=Witness(0, "generic", 0),
    needs=(Need("hVarEpsPos", 30, 16, 14, 0), Need("hStdNe0", 0, 0, 0, 0)),
)
COUNTEREXAMPLE = Counterexample(
    seed=0,
    family="large offset",
    index=7,
    shape=(("seqLen", 4), ("dModel", 8)),
    constants=(("eps", 1e-5),),
    description=(
        "d/d gamma: residual 3.3e-07 > tolerance 1e-13 in family 'large offset', instance 7 "
        "(seqLen=4, dModel=8; eps=1e-05)"
    ),
)
FAILS_C = result(
    Verdict.FAILS,
    conclusion_families(failed=3),
    worst=Worst(3.3e-7, 1e-13, 1e-13 - 3.3e-7),
    counterexample=COUNTEREXAMPLE,
    reason="fails on 3 of 167 instances",
)


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
    """One theorem, proved by the official Lean, of which everything holds."""
    report = realistic()
    return replace(report, engine=LAKE, entries=report.entries[:3])


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
    """One layer of a model; ``failed`` is why its conclusion fails."""
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


EVIL = (
    "</code></td><script>alert(1)</script> | a | b\n"
    "::error file=x::pwned\r\n##[error]pwned `code` ```` [link](https://evil.example) "
    "![i](x) **b** <img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} \x1b[31mred\x1b[0m \x00\x07\x85"
    "\u202egnp.exe\u2066 \ufeff\u200b\ud800\uffff \t%0A &amp; ]]> -->"
)


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
    """The same for what comes from a model."""
    return replace(hostile(), model=_hostile_model())


def _hostile_model() -> ModelReport:
    """Names of tensors and what Python objects call themselves may be anything, too."""
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


def graphs() -> Report:
    """A theorem of which everything holds, and two exported graphs: one faithful, one not."""
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
