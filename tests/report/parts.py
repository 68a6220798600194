"""The parts of the sample reports."""

from __future__ import annotations

import hashlib

from bridge.checking import CheckResult, Counterexample, FamilyCount, Margins, Need, Witness, Worst
from bridge.lean.obligation import LeanFacts, Obligation
from bridge.lean.statement import Discharge
from bridge.report import EngineInfo, Entry
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


EVIL = (
    "</code></td><script>alert(1)</script> | a | b\n"
    "::error file=x::pwned\r\n##[error]pwned `code` ```` [link](https://evil.example) "
    "![i](x) **b** <img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} \x1b[31mred\x1b[0m \x00\x07\x85"
    "\u202egnp.exe\u2066 \ufeff\u200b\ud800\uffff \t%0A &amp; ]]> -->"
)
