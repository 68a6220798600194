"""Checks that the original decoder's block and a language model's loss need beyond their
statements' forms: the block has two masks, a third LayerNorm and ReLU, and for a loss a theorem
gives the gradient.

The Lean sources are ``lean/PostNorm/Block/Decoder.lean``, ``Block/LanguageModel.lean`` and
``Block/GatedModels.lean``.
"""

from __future__ import annotations

from bridge.checking.registry import check
from bridge.checks.activated_block import NOTHING_REACHES_RELU, no_number_that_relu_gets_is_zero
from bridge.checks.by_form import OVERWHELMING
from bridge.checks.measures import backprop_is_right, where_it_exists
from bridge.checks.side_conditions import enclosed, tensor_positive, var_eps_positive
from numeric.closed_forms.catalogue import CLOSED_FORMS
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.decoder import nothing_allowed
from numeric.mutants.edits import ConstantMutant
from numeric.mutants.planted import mutants_of

DECODER = "decoderBlockGraph"
SIZES = CLOSED_FORMS[DECODER].sizes
UNDER_CONDITIONS = ("decoderBlock_hasFDerivAt", "decoderBlock_backprop_eq_adjoint_fderiv")
THEOREMS = tuple(f"{t}{end}" for t in UNDER_CONDITIONS for end in ("", "_of_pos", "_real"))


@check(
    *(f"{t}:hKeyAllowed" for t in THEOREMS),
    graph=DECODER,
    sizes=SIZES,
    rejects=[nothing_allowed("cross.core.softmax.kept")],
)
def a_token_of_the_memory_is_allowed(case: Case) -> Measurement:
    """The sum of the allowed exponentials of cross attention is positive, in every row and head:
    above its enclosure's radius (`interpret.enclosure`)."""
    return tensor_positive(case, "cross.core.softmax.sum")


@check(
    *(f"{t}:hNorm3VarEpsPos" for t in UNDER_CONDITIONS),
    graph=DECODER,
    sizes=SIZES,
    rejects=[ConstantMutant("eps3", OVERWHELMING)],  # no family makes these rows constant
    encloses=enclosed("norm3.varEps"),
)
def third_var_eps_positive(case: Case) -> Measurement:
    """var + ε₃ > 0 in every row that the third LayerNorm gets; see `var_eps_positive`."""
    return var_eps_positive(case, "norm3.", "eps3")


check(
    *(f"{t}:hPreActivationNe0" for t in THEOREMS),
    graph=DECODER,
    sizes=SIZES,
    rejects=[NOTHING_REACHES_RELU],
)(no_number_that_relu_gets_is_zero)

_ENDS = {
    "gpt2Model": ("_of_pos", "_real", "_usual"),
    "llamaModel": ("_of_pos", "_real"),
    "gemmaModel": ("_of_pos", "_real", "_usual"),
}
for _model in _ENDS:
    check(
        *(f"{_model}_gradient{end}:conclusion" for end in _ENDS[_model]),
        graph=f"{_model}Graph",
        sizes=CLOSED_FORMS[f"{_model}Graph"].sizes,
        rejects=mutants_of(f"{_model}Graph", "vjp"),
        outside=where_it_exists(backprop_is_right),
    )(backprop_is_right)
