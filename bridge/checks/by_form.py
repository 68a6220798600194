"""The checks of statements that have a form: they need only the form.

`bridge.checks.forms` reads forms from Lean's terms.  A new theorem about an exported graph gets its
checks without a line of Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.checking.registry import Check, Enclosure, GraphRequest, Measure, graph_requests
from bridge.checks.forms import Form, Formula, Says
from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    every_operation_is_right,
    value_is_right,
    where_it_exists,
)
from bridge.checks.side_conditions import (
    enclosed,
    enclosed_eps,
    eps_positive,
    std_not_zero,
    tensor_positive,
    var_eps_positive,
)
from bridge.verdict import Role
from numeric.closed_forms.catalogue import CLOSED_FORMS
from numeric.instances.case import Case
from numeric.judge.first_input import first_backprop_is_adjoint
from numeric.judge.measurement import Measurement
from numeric.mutants.decoder import nothing_allowed
from numeric.mutants.edits import ConstantMutant, Error
from numeric.mutants.planted import mutants_of, reaching_tokens

__all__ = ["FORMULAS", "OVERWHELMING", "Condition", "checks_of", "requests_of_forms"]

FORMULAS: Mapping[str, Formula] = {
    "softmaxGraph": ("Spec.softmax",),
    "geluGraph": ("Spec.gelu",),
    "rmsNormGraph": ("Spec.rmsNorm",),
    "layerNormGraph": ("Spec.layerNorm",),
    "mhaGraph": ("Spec.mha",),
    "biasedMhaGraph": ("Spec.biasedMha",),
    "ffnGraph": ("Spec.ffn",),
    "encoderBlockGraph": ("Spec.encoderBlock",),
    "biasedEncoderBlockGraph": ("Spec.residualNorm",),
    "encoderGraph": ("Spec.encoderBlock", "Layer.stackFormula"),
    "biasedEncoderGraph": ("Spec.residualNorm", "Layer.stackFormula"),
    "geluEncoderBlockGraph": ("Spec.postNormBlock", "normalCdf"),
    "reluEncoderBlockGraph": ("Spec.postNormBlock", "ite"),
    "crossEntropyGraph": ("Spec.crossEntropy",),
    "logSoftmaxGraph": ("Spec.logSoftmax",),
    "gpt2ModelGraph": ("Spec.between", "Spec.maskedPreNorm", "Spec.gpt2Last"),
    "llamaModelGraph": ("Spec.between", "Spec.gatedBlock", "sigmoid", "Spec.llamaLast"),
    "gemmaModelGraph": ("Spec.between", "Spec.gatedBlock", "Spec.gelu", "Spec.gemmaLast"),
    "decoderBlockGraph": ("Spec.decoderBlock", "ite"),
    "preNormReluBlockGraph": ("Spec.preNormBlock", "ite"),
    "preNormGeluBlockGraph": ("Spec.preNormBlock", "normalCdf"),
    "preNormQuickGeluBlockGraph": ("Spec.preNormBlock", "sigmoid"),
    "preNormGeluTanhBlockGraph": ("Spec.preNormBlock", "Spec.gelu"),
    "swiGluGraph": ("Spec.gated", "sigmoid"),
    "geGluGraph": ("Spec.gated", "normalCdf"),
    "geGluTanhGraph": ("Spec.gated", "Spec.gelu"),
    "rotaryGraph": ("Spec.rotary",),
    "softmaxOverGraph": ("Spec.softmaxOver",),
    "crossMhaGraph": ("Spec.crossMha",),
    "groupedMhaGraph": ("Spec.groupedMha",),
    "rmsNormOffsetGraph": ("Spec.rmsNorm",),
    "relativeMhaGraph": ("Spec.relativeMha",),
    "t5EncoderBlockGraph": ("Spec.t5Encoder", "Spec.bareFfn", "ite"),
    "t5GatedEncoderBlockGraph": ("Spec.t5Encoder", "Spec.gated", "Spec.gelu"),
    "t5DecoderBlockGraph": ("Spec.t5Decoder", "Spec.bareFfn", "ite"),
    "t5GatedDecoderBlockGraph": ("Spec.t5Decoder", "Spec.gated", "Spec.gelu"),
    "gpt2BlockGraph": ("Spec.maskedPreNorm", "Spec.gelu", "Mask.causal"),
    "llamaBlockGraph": ("Spec.gatedBlock", "sigmoid", "Mask.causal", "RowScaling.rms"),
    "mistralBlockGraph": ("Spec.gatedBlock", "sigmoid", "Mask.window", "RowScaling.rms"),
    "gemmaBlockGraph": ("Spec.gatedBlock", "Spec.gelu", "Mask.causal", "RowScaling.rmsOffset"),
}
"""Lean's name of the function that a graph's closed form computes."""

REFUTED_BY = ("eps 0, constant row", "eps 0, d_model 1", "eps overwhelms variance")
OVERWHELMING = -1e6
"""An ε below minus any variance that the generic families have."""

_MEASURES: Mapping[Says, Measure] = {
    Says.VALUE: value_is_right,
    Says.DERIVATIVE: derivative_is_right,
    Says.ADJOINT: backprop_is_right,
    Says.FIRST_ADJOINT: first_backprop_is_adjoint,
    Says.OPERATIONS: every_operation_is_right,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A side condition of a layer inside a graph: on a normalizing layer's ε, on a saved tensor, or
    on a mask.

    Each must say no on the families that violate it, and to an ε of its own that does: one that
    reads another layer's would not notice.
    """

    form: Form

    @property
    def __name__(self) -> str:
        part = (self.form.tensor or self.form.symbol).replace(".", "_")
        return f"{self.form.says}_of_{self.form.graph}_{part}"

    def __call__(self, case: Case) -> Measurement:
        """Measured by `bridge.checks.side_conditions`, by the kind of tensor."""
        tensor, symbol = self.form.tensor, self.form.symbol
        if self.form.says is Says.EPS:
            return eps_positive(case, symbol)
        if self.form.says is Says.TENSOR_NONZERO:
            return std_not_zero(case, tensor.removesuffix("std"), symbol)
        if tensor.endswith("varEps"):
            return var_eps_positive(case, tensor.removesuffix("varEps"), symbol)
        return tensor_positive(case, tensor)

    @property
    def refuted_by(self) -> tuple[str, ...]:
        """Families that violate it; a constant row has no variance, but it has a mean square."""
        of_rms = self.form.tensor.endswith("meanSquareEps")
        return () if of_rms or self.form.says is Says.KEY_ALLOWED else REFUTED_BY

    @property
    def encloses(self) -> Enclosure | None:
        """A lower bound of what must be positive; a mask is not drawn."""
        if self.form.says is Says.KEY_ALLOWED:
            return None
        if self.form.says is Says.EPS:
            return enclosed_eps(self.form.symbol)
        return enclosed(self.form.tensor)

    @property
    def rejects(self) -> tuple[Error, ...]:
        """Values of its ε that violate it; a mask that does."""
        if self.form.says is Says.KEY_ALLOWED:
            return (nothing_allowed(self.form.tensor.removesuffix("sum") + "kept"),)
        values = (0.0, OVERWHELMING) if self.form.says is Says.EPS else (OVERWHELMING,)
        return tuple(ConstantMutant(self.form.symbol, v) for v in values)


def _check(form: Form, keys: tuple[str, ...]) -> Check:
    sizes = CLOSED_FORMS[form.graph].sizes
    if form.says not in _MEASURES:
        condition = Condition(form)
        return Check(
            name=condition.__name__,
            doc=inspect.getdoc(_DOCS[form.says]) or "",
            keys=keys,
            role=Role.HYPOTHESIS,
            graph=form.graph,
            sizes=sizes,
            measure=condition,
            refuted_by=condition.refuted_by,
            form=form,
            rejects=condition.rejects,
            encloses=condition.encloses,
        )
    measure = _MEASURES[form.says]
    return Check(
        name=f"{form.says}_of_{form.graph}",
        doc=inspect.getdoc(measure) or "",
        keys=keys,
        role=Role.CONCLUSION,
        graph=form.graph,
        sizes=sizes,
        measure=measure,
        rejects=_rejects(form),
        outside=_OUTSIDE.get(form.says),
        form=form,
    )


_OUTSIDE = {
    s: where_it_exists(_MEASURES[s]) for s in (Says.DERIVATIVE, Says.ADJOINT, Says.OPERATIONS)
}
_DOCS = {
    Says.EPS: eps_positive,
    Says.TENSOR_POSITIVE: var_eps_positive,
    Says.TENSOR_NONZERO: std_not_zero,
    Says.KEY_ALLOWED: tensor_positive,
}


def _rejects(form: Form) -> tuple[Error, ...]:
    match form.says:
        case Says.VALUE:
            return mutants_of(form.graph, "value")
        case Says.ADJOINT:
            return mutants_of(form.graph, "vjp")
        case Says.FIRST_ADJOINT:
            return reaching_tokens(form.graph)
        case _:
            return mutants_of(form.graph, "jvp")


def checks_of(forms: Mapping[str, Form]) -> dict[str, Check]:
    """A check for each obligation, by its key; one for all obligations of the same form.

    A graph without a closed form has none: there is nothing to compare it with.
    """
    keys: dict[Form, list[str]] = {}
    for key, form in forms.items():
        if form.graph in CLOSED_FORMS:
            keys.setdefault(form, []).append(key)
    made = [_check(form, tuple(own)) for form, own in keys.items()]
    return {key: check for check in made for key in check.keys}


def requests_of_forms() -> tuple[GraphRequest, ...]:
    """Every graph that a check by form may run on.  Lean exports the graphs together with the
    statements, before their forms are known."""
    every = [
        _check(form, ())
        for graph in CLOSED_FORMS
        for form in (Form(Says.DERIVATIVE, graph), Form(Says.EPS, graph, "eps"))
    ]
    return graph_requests(every)
