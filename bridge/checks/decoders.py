"""Checks of gated, masked and grouped layers, and of the blocks made of them.

The closed forms beside them are `numeric.closed_forms.formulas`; the Lean sources are ``Gated``,
``RmsNormOffset``, ``MaskedSoftmax``, ``Rotary``, ``AttentionCore`` and ``GroupedAttention`` under
``lean/PostNorm/Layers``, and ``MaskedPreNorm``, ``GatedBlock`` and ``Decoder`` under ``lean/PostNorm/Block``.
Each has the theorems of `layer_theorems`, and so the same checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from bridge.checking.registry import Measure, check
from bridge.checks.activated_block import NOTHING_REACHES_RELU, no_number_that_relu_gets_is_zero
from bridge.checks.by_form import OVERWHELMING
from bridge.checks.measures import (
    backprop_is_right,
    derivative_is_right,
    eps_positive,
    value_is_right,
    where_it_exists,
)
from numeric.closed_forms.formulas import WRITTEN_FORMS
from numeric.instances.case import Case
from numeric.interpret.enclosure import radii
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.decoder import nothing_allowed
from numeric.mutants.edits import ConstantMutant, Error
from numeric.mutants.planted import mutants_of

UNDER_CONDITIONS = ("{}_hasFDerivAt", "{}_backprop_eq_adjoint_fderiv")
REAL = tuple(f"{t}_real" for t in UNDER_CONDITIONS)
FROM_EPS = (*(f"{t}_of_pos" for t in UNDER_CONDITIONS), *REAL)


def least_is_positive(case: Case, tensor: str, what: str) -> Measurement:
    """Every entry of a saved tensor is above its enclosure's radius (`interpret.enclosure`).  Where
    the enclosure contains 0 the instance is undecided.  The margin is the least lower bound."""
    trace = case.run()
    at = trace.graph.index(tensor)
    value = np.asarray(trace.values[at], dtype=np.float64)
    radius = radii(trace, at)[at]
    with np.errstate(invalid="ignore"):  # a sum that overflows has no enclosure: undecided
        low, high = ((value + sign * radius).reshape(len(case), -1) for sign in (-1, 1))
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    outcome = np.where(
        (high <= 0).any(axis=1),
        Outcome.FAILS,
        np.where((low > 0).all(axis=1), Outcome.HOLDS, Outcome.UNDECIDED),
    ).astype(np.int8)
    return Measurement(
        residual=-low.min(axis=1),
        tolerance=np.zeros(len(case)),
        outcome=outcome,
        part=np.zeros(len(case), dtype=np.int64),
        parts=(f"least {what}",),
        undecided_because=f"the enclosure of {what} contains 0",
    )


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with its theorems: ``stem`` is what their names begin with."""

    stem: str

    @property
    def graph(self) -> str:
        """The exported graph."""
        return f"{self.stem}Graph"

    def keys(self, theorems: tuple[str, ...], binder: str) -> tuple[str, ...]:
        """The obligations of this binder in these theorems."""
        return tuple(f"{t.format(self.stem)}:{binder}" for t in theorems)

    def register(
        self, keys: tuple[str, ...], rejects: tuple[Error, ...], outside: Measure | None = None
    ) -> Callable[[Measure], Measure]:
        """The decorator of one of this layer's checks."""
        sizes = WRITTEN_FORMS[self.graph].sizes
        return check(*keys, graph=self.graph, sizes=sizes, rejects=rejects, outside=outside)

    def conclusions(self, ends: tuple[str, ...]) -> None:
        """The value against the closed form; the JVP and backprop against exact derivatives and
        the closed form's."""
        graph = self.graph
        self.register((f"{self.stem}_eval:conclusion",), mutants_of(graph, "value"))(value_is_right)
        for theorem, mode, measure in (
            ("hasFDerivAt", "jvp", derivative_is_right),
            ("backprop_eq_adjoint_fderiv", "vjp", backprop_is_right),
        ):
            keys = tuple(f"{self.stem}_{theorem}{end}:conclusion" for end in ends)
            errors = mutants_of(graph, "jvp" if mode == "jvp" else "vjp")
            self.register(keys, errors, where_it_exists(measure))(measure)

    def positive(self, binder: str, tensor: str, what: str, *rejects: Error) -> None:
        """A condition under which the first two theorems stand: a saved tensor is positive."""
        measure = _named(partial(least_is_positive, tensor=tensor, what=what), least_is_positive)
        self.register(self.keys(UNDER_CONDITIONS, binder), rejects)(measure)

    def eps(self, binder: str, symbol: str) -> None:
        """0 < ε, in the theorems that ask for nothing else."""
        rejects = (ConstantMutant(symbol, 0.0), ConstantMutant(symbol, OVERWHELMING))
        measure = _named(partial(eps_positive, symbol=symbol), eps_positive)
        self.register(self.keys(FROM_EPS, binder), rejects)(measure)


def _named(measure: Measure, of: Callable[..., Measurement]) -> Measure:
    """A measure with the name and the docstring of the function that it calls."""

    def named(case: Case) -> Measurement:
        return measure(case)

    named.__name__ = of.__name__
    named.__doc__ = of.__doc__
    return named


ALL_ENDS = ("", "_of_pos", "_real")

for _stem in ("swiGlu", "geGlu", "geGluTanh", "rotary"):
    Layer(_stem).conclusions(("", "_real"))

for _stem, _sums in (
    ("softmaxOver", "sum"),
    ("crossMha", "core.softmax.sum"),
    ("groupedMha", "core.softmax.sum"),
):
    _layer = Layer(_stem)
    _layer.conclusions(("", "_real"))
    _masked = _sums.removesuffix("sum") + "kept"
    _measure = _named(
        partial(least_is_positive, tensor=_sums, what="sum of the allowed exponentials"),
        least_is_positive,
    )
    _layer.register(
        _layer.keys((*UNDER_CONDITIONS, *REAL), "hKeyAllowed"), (nothing_allowed(_masked),)
    )(_measure)

for _stem, _norms in (
    ("rmsNormOffset", (("", "eps", "h{}"),)),
    *(
        (f"{_name}Block", (("norm1.", "eps1", "hNorm1{}"), ("norm2.", "eps2", "hNorm2{}")))
        for _name in ("llama", "mistral", "gemma")
    ),
):
    _layer = Layer(_stem)
    _layer.conclusions(ALL_ENDS)
    for _prefix, _symbol, _binder in _norms:
        _layer.positive(
            _binder.format("MeanSquareEpsPos"),
            f"{_prefix}meanSquareEps",
            "mean(x²) + ε",
            ConstantMutant(_symbol, OVERWHELMING),
        )
        _layer.eps(f"h{_symbol.capitalize()}Pos", _symbol)

Layer("gpt2Block").conclusions(ALL_ENDS)

_layer = Layer("decoderBlock")  # the rest by its form
_layer.positive(  # no family makes the third norm's rows constant
    "hNorm3VarEpsPos", "norm3.varEps", "var + ε", ConstantMutant("eps3", OVERWHELMING)
)
_layer.register(
    _layer.keys((*UNDER_CONDITIONS, *FROM_EPS), "hKeyAllowed"),
    (nothing_allowed("cross.core.softmax.kept"),),
)(
    _named(
        partial(
            least_is_positive,
            tensor="cross.core.softmax.sum",
            what="sum of the allowed exponentials",
        ),
        least_is_positive,
    )
)
_layer.register(
    _layer.keys((*UNDER_CONDITIONS, *FROM_EPS), "hPreActivationNe0"), (NOTHING_REACHES_RELU,)
)(no_number_that_relu_gets_is_zero)

_layer = Layer("gpt2Model")  # the rest by its form
_layer.register(
    _layer.keys(("{}_gradient_of_pos", "{}_gradient_real"), "conclusion"),
    mutants_of("gpt2ModelGraph", "vjp"),
    where_it_exists(backprop_is_right),
)(backprop_is_right)
