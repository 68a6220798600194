"""From measurements of the layers to verdicts.

The rule, for each obligation: it fails if a layer violates it; else it is inconclusive if a layer
does not meet the theorem's assumptions, or rounding hides an answer; else it holds.  So the exit
code is 1 if a number fails, and 4 if a layer is not covered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.checking import CheckResult, FamilyCount, Margins, Worst
from bridge.lean.library import Library
from bridge.lean.obligation import Obligation
from bridge.models.measure import Judged, Passed
from bridge.models.theorems import Theorems, measure_of
from bridge.report import Entry
from bridge.report.layers import LayerObligation, LayerReport
from bridge.verdict import LeanStatus, Role, Verdict
from numeric.judge.measurement import Outcome

__all__ = ["CHECK", "entries_of", "layer_obligations"]

CHECK = "model"
"""Replaces the name of a check in reports: there is none, only the model's own layers."""

_VERDICT = {
    Outcome.HOLDS: Verdict.HOLDS,
    Outcome.UNDECIDED: Verdict.INCONCLUSIVE,
    Outcome.FAILS: Verdict.FAILS,
}


def layer_obligations(
    theorems: Theorems,
    obligations: Sequence[Obligation],
    passed: Sequence[Passed],
    eps: tuple[float, float],
) -> tuple[LayerObligation, ...]:
    """The verdict of each obligation on one layer: that of its worst sequence.

    Args:
        theorems: the theorems for the layer.
        obligations: their obligations.
        passed: the sequences.
        eps: ε of the layer's LayerNorms.
    """
    return tuple(
        replace(_on_layer(theorems, o, obligations, passed), lean=_lean(o, eps))
        for o in obligations
    )


def _lean(obligation: Obligation, eps: tuple[float, float]) -> str:
    """Lean's status at this layer: ``discharged`` needs its condition, which is about ε."""
    facts = obligation.lean
    if facts.status is not LeanStatus.DISCHARGED or facts.discharge is None:
        return facts.status.value
    for condition in facts.discharge.conditions:
        number = {"0 < ε₁": 0, "0 < ε₂": 1}.get(condition)
        if number is None:
            return f"discharged if {condition}, which was not checked"
        if not eps[number] > 0:
            return f"assumed: not {condition}, for {condition[4:]} = {eps[number]:g}"
    conditions = " and ".join(
        f"{c} holds, {c[4:]} = {eps['₁₂'.index(c[-1])]:g}" for c in facts.discharge.conditions
    )
    return f"discharged: {conditions}" if conditions else "discharged"


def _on_layer(
    theorems: Theorems,
    obligation: Obligation,
    obligations: Sequence[Obligation],
    passed: Sequence[Passed],
) -> LayerObligation:
    name = measure_of(theorems, obligation)
    if name is None:
        said = f"nothing is measured for {obligation.binder}"
        return LayerObligation(obligation.key, Verdict.UNPAIRED, said)
    found = [p.judged[name] for p in passed if name in p.judged]
    if len(found) < len(passed):
        said = "there is nothing to compare it with"
        return LayerObligation(obligation.key, Verdict.INCONCLUSIVE, said)
    sequence = max(range(len(found)), key=lambda i: (found[i].outcome, -_slack(found[i].worst)))
    worst = found[sequence]
    place = worst.place if len(passed) == 1 else f"sequence {sequence}, {worst.place}"
    verdict = _VERDICT[worst.outcome]
    reason = "" if verdict is Verdict.HOLDS else place
    if verdict is Verdict.INCONCLUSIVE:
        reason = f"rounding hides the answer: {place}"
    if obligation.role is Role.CONCLUSION and verdict is not Verdict.FAILS:
        unmet = _unmet(theorems, obligation, obligations, passed)
        if unmet:
            verdict, reason = Verdict.INCONCLUSIVE, f"{unmet} does not hold"
    return LayerObligation(obligation.key, verdict, reason, worst.worst, place)


def _slack(worst: Worst) -> float:
    """The slack, in comparable units."""
    return 1.0 - worst.residual / worst.tolerance if worst.tolerance > 0 else worst.margin


def _unmet(
    theorems: Theorems,
    conclusion: Obligation,
    obligations: Sequence[Obligation],
    passed: Sequence[Passed],
) -> str:
    """A hypothesis of the theorem that does not hold on all sequences; empty if all do."""
    for o in obligations:
        if o.declaration == conclusion.declaration and o.role is Role.HYPOTHESIS:
            name = measure_of(theorems, o)
            for p in passed:
                judged: Judged | None = None if name is None else p.judged.get(name)
                if judged is None or judged.outcome is not Outcome.HOLDS:
                    return o.binder
    return ""


def entries_of(
    library: Library,
    obligations: Sequence[Obligation],
    layers: Sequence[LayerReport],
    stale: Mapping[str, str],
    swapped: str,
) -> list[Entry]:
    """The obligations with their verdicts over all layers.

    Args:
        library: the library with the statements.
        obligations: of the theorems for the layers.
        layers: the measurements.
        stale: by key, how the present state differs from the accepted one.
        swapped: why the exported graphs may not be the theorems'; empty if there is no reason.
    """
    entries = []
    for o in obligations:
        file = library.project.file_of(o.module)
        result = _over_layers(o, layers)
        verdict, reason = result.verdict, result.reason
        if o.key in stale:
            verdict, reason = Verdict.STALE, stale[o.key]
        elif swapped and verdict is not Verdict.FAILS:
            verdict, reason = Verdict.INCONCLUSIVE, swapped
        entries.append(Entry(o, file, verdict, reason, CHECK, result))
    return entries


def _over_layers(obligation: Obligation, layers: Sequence[LayerReport]) -> CheckResult:
    rows = [(layer, _find(obligation, layer)) for layer in layers]
    failing = [(la, f) for la, f in rows if f is not None and f.verdict is Verdict.FAILS]
    uncovered = [la for la, _ in rows if not la.applies]
    open_ = [
        (la, f)
        for la, f in rows
        if la.applies and f is not None and f.verdict not in (Verdict.HOLDS, Verdict.FAILS)
    ]
    if failing:
        verdict = Verdict.FAILS
        layer, found = failing[0]
        more = f", and in {len(failing) - 1} more layers" if len(failing) > 1 else ""
        reason = f"in layer {layer.name}: {found.reason}{more}"
    elif uncovered:
        verdict = Verdict.INCONCLUSIVE
        why = "; ".join(str(a) for a in uncovered[0].unmet)
        reason = f"not covered: {len(uncovered)} of {len(rows)} layers; {why}"
    elif open_:
        layer, found = open_[0]
        verdict = Verdict.UNPAIRED if found.verdict is Verdict.UNPAIRED else Verdict.INCONCLUSIVE
        reason = f"in layer {layer.name}: {found.reason}"
    else:
        verdict, reason = Verdict.HOLDS, ""
    families = tuple(_count(layer, found) for layer, found in rows)
    measured = [f.worst for _, f in rows if f is not None and f.worst is not None]
    return CheckResult(
        verdict=verdict,
        reason=reason,
        instances=sum(f.drawn for f in families),
        accepted=sum(f.accepted for f in families),
        worst=min(measured, key=_slack, default=None),
        families=families,
    )


def _find(obligation: Obligation, layer: LayerReport) -> LayerObligation | None:
    return next((o for o in layer.obligations if o.key == obligation.key), None)


def _count(layer: LayerReport, found: LayerObligation | None) -> FamilyCount:
    """A layer as a separate family: one instance, which counts if the theorem applies."""
    verdict = None if found is None else found.verdict
    worst = None if found is None else found.worst
    held, failed = layer.applies and verdict is Verdict.HOLDS, verdict is Verdict.FAILS
    return FamilyCount(
        family=layer.name,
        role="layer" if layer.applies else "uncovered",
        drawn=1,
        accepted=int(layer.applies),
        held=int(held),
        failed=int(failed),
        undecided=int(layer.applies and verdict not in (Verdict.HOLDS, Verdict.FAILS)),
        worst=worst,
        margins=Margins() if worst is None or not held else Margins.of([worst.margin]),
        beyond=Margins.beyond([worst.margin]) if worst is not None and failed else Margins(),
    )
