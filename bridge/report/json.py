"""The JSON report: ``obligations-report/1``."""

from __future__ import annotations

import json
import math

from bridge.checking import Certificate, Margins, Need, Worst
from bridge.lean.trust import Trust
from bridge.report.escaping import json_text
from bridge.report.layers_json import model_json
from bridge.report.model import SCHEMA, Entry, Report
from bridge.report.replay import replay_command, witness_command

__all__ = ["render_json", "report_json"]


def _number(x: float) -> float | str:
    """JSON has no infinities; they are written as text."""
    return x if math.isfinite(x) else repr(x)


def _entry(entry: Entry, replay: str) -> dict[str, object]:
    o, r = entry.obligation, entry.result
    counterexample = None
    if r is not None and r.counterexample is not None:
        c = r.counterexample
        counterexample = {
            "seed": c.seed,
            "family": c.family,
            "index": c.index,
            "shape": dict(c.shape),
            "constants": {k: _number(v) for k, v in c.constants},
            "description": c.description,
            "replay": replay,
        }
    discharge = o.lean.discharge
    return {
        "key": o.key,
        "declaration": o.declaration,
        "binder": o.binder,
        "role": o.role.value,
        "statement": o.statement,
        "doc": o.doc,
        "module": o.module,
        "file": entry.file,
        "line": o.line,
        "statement_hash": o.statement_hash,
        "lean": {
            "status": o.lean.status.value,
            "axioms": [*o.lean.standard_axioms, *o.lean.foreign_axioms],
            "foreign_axioms": list(o.lean.foreign_axioms),
            "library_axioms": o.lean.library_axioms,
            "discharged_by": None
            if discharge is None
            else {"lemma": discharge.lemma, "conditions": list(discharge.conditions)},
            "says_nothing": o.lean.says_nothing,
        },
        "check": entry.check,
        "way": entry.way or None,
        "verdict": entry.verdict.value,
        "reason": entry.reason,
        "instances": 0 if r is None else r.instances,
        "accepted": 0 if r is None else r.accepted,
        "worst": None if r is None else _worst(r.worst),
        "families": []
        if r is None
        else [
            {
                "family": f.family,
                "role": f.role,
                "drawn": f.drawn,
                "accepted": f.accepted,
                "held": f.held,
                "failed": f.failed,
                "undecided": f.undecided,
                "worst_margin": None if f.worst_margin is None else _number(f.worst_margin),
                "worst": _worst(f.worst),
                "margins": _margins(f.margins),
                "beyond": _margins(f.beyond),
            }
            for f in r.families
        ],
        "counterexample": counterexample,
        "witness": _witness(entry),
        "needs": [] if r is None else [_need(n) for n in r.needs],
        "certificate": None if r is None else _certificate(r.certificate),
    }


def _worst(worst: Worst | None) -> dict[str, object] | None:
    if worst is None:
        return None
    return {
        "residual": _number(worst.residual),
        "tolerance": _number(worst.tolerance),
        "margin": _number(worst.margin),
    }


def _margins(margins: Margins) -> dict[str, object]:
    decades = [
        {"from": float(f"1e{k}"), "below": float(f"1e{k + 1}"), "count": n}
        for k, n in margins.decades
    ]
    return {"decades": decades, "at_limit": margins.at_limit}


def _witness(entry: Entry) -> dict[str, object] | None:
    if entry.result is None or entry.result.witness is None:
        return None
    w = entry.result.witness
    found = {"seed": w.seed, "family": w.family, "index": w.index}
    return {**found, "replay": witness_command(entry)}


def _need(need: Need) -> dict[str, object]:
    return {
        "hypothesis": need.hypothesis,
        "violated": need.violated,
        "held": need.held,
        "failed": need.failed,
        "undecided": need.undecided,
        "words": need.words,
    }


def _certificate(found: Certificate | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "radius": found.radius,
        "precision": found.precision,
        "instances": found.instances,
        "enclosed": found.enclosed,
        "least": _number(found.least),
    }


def _trust(trust: Trust) -> dict[str, object]:
    return {
        "constants": trust.constants,
        "not_checked": trust.not_checked,
        "refusals": dict(trust.refusals),
        "checker": trust.checker,
        "kernels": [
            {
                "name": k.name,
                "version": k.version,
                "accepted": k.accepted,
                "known_bugs": k.known_bugs,
            }
            for k in trust.kernels
        ],
        "outside": [{"name": o.name, "how": o.how, "module": o.module} for o in trust.outside],
        "untagged": list(trust.untagged),
    }


def report_json(report: Report) -> dict[str, object]:
    """The report as a JSON object; the same audit gives the same object."""
    return {
        "schema": SCHEMA,
        "tool": report.tool,
        "engine": {
            "kind": report.engine.kind,
            "lean_version": report.engine.lean_version,
            "official": report.engine.official,
        },
        "project": report.project,
        "seed": report.seed,
        "backend": report.backend,
        "graph": report.graph or None,
        "graph_data": None if report.graph_data is None else dict(report.graph_data),
        "summary": report.summary,
        "interrupted": report.interrupted,
        "missing": list(report.missing),
        "unseen": list(report.unseen),
        "trust": None if report.trust is None else _trust(report.trust),
        "exit_code": report.exit_code,
        "obligations": [_entry(e, replay_command(e)) for e in report.entries],
        "model": None if report.model is None else model_json(report.model),
    }


def render_json(report: Report) -> str:
    """The report as text, indented, ending with a newline."""
    text = json.dumps(report_json(report), indent=2, ensure_ascii=False, allow_nan=False)
    return json_text(text) + "\n"
