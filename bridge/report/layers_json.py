"""The section ``model`` of the JSON report."""

from __future__ import annotations

import math

from bridge.report.captured import (
    GENERAL_THEOREM,
    CapturedLayer,
    Comparison,
    Condition,
    FormBlock,
)
from bridge.report.layers import Assumption, LayerObligation, LayerReport, ModelReport, NormRows

__all__ = ["model_json"]


def _number(x: float) -> float | str:
    """JSON has no infinities; they are written as text."""
    return x if math.isfinite(x) else repr(x)


def _assumption(a: Assumption) -> dict[str, object]:
    return {"name": a.name, "expected": a.expected, "found": a.found, "met": a.met}


def _norm(rows: NormRows) -> dict[str, object]:
    return {
        "eps": _number(rows.eps),
        "least_var_eps": _number(rows.least_var_eps),
        "least_std": _number(rows.least_std),
        "sequence": rows.sequence,
        "row": rows.row,
        "rows": rows.rows,
        "zero_variance": rows.zero_variance,
    }


def _obligation(o: LayerObligation) -> dict[str, object]:
    worst = None
    if o.worst is not None:
        worst = {
            "residual": _number(o.worst.residual),
            "tolerance": _number(o.worst.tolerance),
            "margin": _number(o.worst.margin),
        }
    return {
        "key": o.key,
        "verdict": o.verdict.value,
        "reason": o.reason,
        "worst": worst,
        "place": o.place,
        "lean": o.lean,
    }


def _condition(c: Condition) -> dict[str, object]:
    return {
        "what": c.what,
        "node": c.node,
        "origin": c.origin,
        "least": _number(c.least),
        "nodes": c.nodes,
        "verdict": c.verdict.value,
    }


def _comparison(c: Comparison) -> dict[str, object]:
    return {
        "what": c.what,
        "against": c.against,
        "residual": _number(c.residual),
        "tolerance": _number(c.tolerance),
        "verdict": c.verdict.value,
        "rounding": c.rounding,
    }


def _certificate(layer: CapturedLayer) -> dict[str, object] | None:
    made = layer.certificate
    if made is None:
        return None
    return {
        "certified": layer.certified,
        "dtype": made.dtype,
        "against": made.adjoint(proved=layer.proof.proved),
        "reason": made.reason,
        "bounds": [
            {
                "what": b.what,
                "most": _number(b.most),
                "least": _number(b.least),
                "relative": _number(b.relative),
                "radius": _number(b.radius),
            }
            for b in made.bounds
        ],
    }


def _captured(layer: CapturedLayer | None) -> dict[str, object] | None:
    if layer is None:
        return None
    return {
        "form": layer.form,
        "nodes": layer.nodes,
        "inputs": layer.inputs,
        "calls": layer.calls,
        "reason": layer.reason,
        "verdict": layer.verdict.value,
        "theorem": (layer.proof.theorem or GENERAL_THEOREM) if layer.form else None,
        "lean": layer.proof.status.value,
        "supposes": list(layer.proof.supposes),
        "comparisons": [_comparison(c) for c in layer.comparisons],
        "conditions": [_condition(c) for c in layer.conditions],
        "no_gradient": list(layer.no_gradient),
        "unseen": list(layer.unseen),
        "begins": layer.begins,
        "certificate": _certificate(layer),
    }


def _block(block: FormBlock | None) -> dict[str, object] | None:
    if block is None:
        return None
    return {
        "name": block.name,
        "proved": block.proved,
        "theorem": block.theorem,
        "constants": {name: _number(value) for name, value in block.constants},
        "masks": [{"input": name, "mask": mask} for name, mask in block.masks],
        "statement": block.statement,
        "reason": block.reason,
    }


def _layer(layer: LayerReport) -> dict[str, object]:
    difference = layer.output_difference
    return {
        "name": layer.name,
        "type": layer.type,
        "sizes": dict(layer.sizes),
        "theorem": layer.theorem,
        "applies": layer.applies,
        "verdict": layer.verdict.value,
        "coverage": layer.coverage,
        "assumptions": [_assumption(a) for a in layer.assumptions],
        "norms": [_norm(n) for n in layer.norms],
        "computed_by": layer.computed_by,
        "compared_with": list(layer.compared_with),
        "output_difference": None if difference is None else _number(difference),
        "obligations": [_obligation(o) for o in layer.obligations],
        "captured": _captured(layer.captured),
    }


def model_json(model: ModelReport) -> dict[str, object]:
    """The model and its layers as a JSON object."""
    return {
        "source": model.source,
        "kind": model.kind,
        "naming": model.naming,
        "dtype": model.dtype,
        "inputs": model.inputs,
        "sequences": model.sequences,
        "seq_len": model.seq_len,
        "settings": list(model.settings),
        "assumptions": [_assumption(a) for a in model.assumptions],
        "outside": list(model.outside),
        "layers": [_layer(layer) for layer in model.layers],
        "example": model.example,
        "forms": [
            {
                "name": f.name,
                "graph": dict(f.graph),
                "origins": dict(f.origins),
                "statement": f.proof.statement,
                "block": _block(f.proof.block),
            }
            for f in model.forms
        ],
    }
