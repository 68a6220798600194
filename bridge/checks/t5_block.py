"""Checks that T5's blocks need beyond their statements' forms: the decoder has two masks, and the
first T5 has ReLU.

The Lean source is ``lean/PostNorm/Block/T5``.
"""

from __future__ import annotations

from bridge.checking.registry import check
from bridge.checks.activated_block import no_number_that_relu_gets_is_zero
from bridge.checks.side_conditions import tensor_positive
from numeric.closed_forms.catalogue import CLOSED_FORMS
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.decoder import nothing_allowed
from numeric.mutants.t5 import NOTHING_REACHES_RELU


def _keys(block: str, hypothesis: str) -> tuple[str, ...]:
    ends = ("", "_of_pos", "_real", *(("_usual",) if "Gated" in block else ()))
    return tuple(
        f"{block}_{theorem}{end}:{hypothesis}"
        for theorem in ("hasFDerivAt", "backprop_eq_adjoint_fderiv")
        for end in ends
    )


def a_token_of_the_memory_is_allowed(case: Case) -> Measurement:
    """The sum of the allowed exponentials of cross attention is positive, in every row and head:
    above its enclosure's radius (`interpret.enclosure`)."""
    return tensor_positive(case, "cross.mha.core.softmax.sum")


for _block in ("t5EncoderBlock", "t5DecoderBlock"):
    check(
        *_keys(_block, "hPreActivationNe0"),
        graph=f"{_block}Graph",
        sizes=CLOSED_FORMS[f"{_block}Graph"].sizes,
        rejects=[NOTHING_REACHES_RELU],
    )(no_number_that_relu_gets_is_zero)

for _block in ("t5DecoderBlock", "t5GatedDecoderBlock"):
    check(
        *_keys(_block, "hKeyAllowed"),
        graph=f"{_block}Graph",
        sizes=CLOSED_FORMS[f"{_block}Graph"].sizes,
        rejects=[nothing_allowed("cross.mha.core.softmax.kept")],
    )(a_token_of_the_memory_is_allowed)
