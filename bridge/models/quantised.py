"""Files that hold something other than a model's weights: quantised codes, or adapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.errors import InvalidInputError
from bridge.models.settings import CONFIG
from bridge.models.stored import READABLE, Stored

__all__ = ["adapter_tensors", "refuse_codes"]

_CODES = (
    "qweight",  # GPTQ and AWQ
    "qzeros",
    "g_idx",
    "SCB",  # bitsandbytes, 8 bits
    "absmax",  # bitsandbytes, 4 bits
    "quant_map",
    "weight_scale",  # compressed-tensors, FP8
    "weight_scale_inv",
    "weight_packed",
    "weight_zero_point",
)
"""Last parts of names under which quantised weights keep their codes, zero points and scales."""
_WORDS = ("quant_state", "_packed_params")
_ADAPTED = ("lora_", "adapter", "ia3_", "hada_", "lokr_", "base_layer")
"""Words in the names of what adapters add, and of the weights that they wrap."""


def refuse_codes(file: Stored, config: Mapping[str, Any]) -> None:
    """Require that the tensors are weights, not codes that represent them.

    Raises:
        InvalidInputError: they are codes, or only an adapter.
    """
    by = _quantised(file)
    if by:
        said = config.get("quantization_config")
        method = said.get("quant_method") if isinstance(said, dict) else None
        how = f"{method}, by quantization_config in {CONFIG}; " if method else ""
        raise InvalidInputError(
            f"{file.path}: its weights are quantised: {how}{by}",
            remedy="what is stored are codes, not numbers that the layer computes with: "
            "dequantise the model with the library that made it, save it in float and audit that",
        )
    adapted = adapter_tensors(file.shapes)
    if adapted and len(adapted) == len(file.shapes):
        raise InvalidInputError(
            f"{file.path}: all its tensors are an adapter's, such as {adapted[0]}",
            remedy="merge it into its model first: peft's merge_and_unload(), then save_pretrained",
        )


def adapter_tensors(names: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of tensors that an adapter adds, or wraps."""
    return tuple(n for n in names if any(word in n for word in _ADAPTED))


def _quantised(file: Stored) -> str:
    """What shows quantisation: a name, or a weight stored in no readable float type; else empty."""
    for name, dtype in file.dtypes.items():
        if name.rpartition(".")[2] in _CODES or any(word in name for word in _WORDS):
            return f"it holds {name} ({dtype})"
    for name, dtype in file.dtypes.items():
        mask = dtype in ("BOOL", "U8")  # older GPT-2 keeps its causal mask as attn.bias
        kept = name.endswith(".weight") or (name.endswith(".bias") and not mask)
        if kept and dtype not in READABLE:
            return f"{name} is stored as {dtype}"
    return ""
