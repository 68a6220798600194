"""Thirty-three common architectures, each with small random weights: nothing is downloaded."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["ARCHITECTURES", "BLOCKS_OF", "REQUIRED", "make"]

_BERT = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 32,
}
_BART = {
    "vocab_size": 50,
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 32,
}
_LLAMA = {
    **_BERT,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_GPT = {"vocab_size": 50, "n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}
_IMAGE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "image_size": 8,
    "patch_size": 4,
}

_CONFIGURED: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "BERT": ("BertConfig", "BertModel", _BERT),
    "RoBERTa": ("RobertaConfig", "RobertaModel", _BERT),
    "DistilBERT": (
        "DistilBertConfig",
        "DistilBertModel",
        {
            "vocab_size": 50,
            "dim": 16,
            "n_layers": 2,
            "n_heads": 2,
            "hidden_dim": 24,
            "max_position_embeddings": 32,
        },
    ),
    "ALBERT": ("AlbertConfig", "AlbertModel", {**_BERT, "embedding_size": 8}),
    "ELECTRA": ("ElectraConfig", "ElectraModel", {**_BERT, "embedding_size": 16}),
    "MPNet": ("MPNetConfig", "MPNetModel", _BERT),
    "DeBERTa-v2": (
        "DebertaV2Config",
        "DebertaV2Model",
        {**_BERT, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    ),
    "XLNet": (
        "XLNetConfig",
        "XLNetModel",
        {"vocab_size": 50, "d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 24},
    ),
    "RoFormer": ("RoFormerConfig", "RoFormerModel", {**_BERT, "embedding_size": 16}),
    "ESM": ("EsmConfig", "EsmModel", {**_BERT, "pad_token_id": 1, "mask_token_id": 2}),
    "ModernBERT": (
        "ModernBertConfig",
        "ModernBertModel",
        {**_BERT, "pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2},
    ),
    "Longformer": ("LongformerConfig", "LongformerModel", {**_BERT, "attention_window": 4}),
    "BART": ("BartConfig", "BartModel", _BART),
    "T5": (
        "T5Config",
        "T5Model",
        {
            "vocab_size": 50,
            "d_model": 16,
            "d_kv": 8,
            "d_ff": 24,
            "num_layers": 1,
            "num_heads": 2,
            "decoder_start_token_id": 0,
        },
    ),
    "Pegasus": ("PegasusConfig", "PegasusModel", _BART),
    "GPT-2": ("GPT2Config", "GPT2Model", _GPT),
    "GPT-Neo": (
        "GPTNeoConfig",
        "GPTNeoModel",
        {
            "vocab_size": 50,
            "hidden_size": 16,
            "num_layers": 2,
            "num_heads": 2,
            "intermediate_size": 24,
            "max_position_embeddings": 32,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 3,
        },
    ),
    "GPT-NeoX": ("GPTNeoXConfig", "GPTNeoXModel", _BERT),
    "OPT": (
        "OPTConfig",
        "OPTModel",
        {
            "vocab_size": 50,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "ffn_dim": 24,
            "max_position_embeddings": 32,
            "word_embed_proj_dim": 16,
        },
    ),
    "BLOOM": (
        "BloomConfig",
        "BloomModel",
        {"vocab_size": 50, "hidden_size": 16, "n_layer": 2, "n_head": 2},
    ),
    "LLaMA": ("LlamaConfig", "LlamaModel", _LLAMA),
    "Mistral": ("MistralConfig", "MistralModel", {**_LLAMA, "sliding_window": 3}),
    "Mixtral": (
        "MixtralConfig",
        "MixtralModel",
        {**_LLAMA, "num_local_experts": 2, "num_experts_per_tok": 1},
    ),
    "Qwen2": ("Qwen2Config", "Qwen2Model", _LLAMA),
    "Gemma": ("GemmaConfig", "GemmaModel", {**_LLAMA, "head_dim": 4}),
    "Phi": ("PhiConfig", "PhiModel", _LLAMA),
    "Falcon": (
        "FalconConfig",
        "FalconModel",
        {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2},
    ),
    "ViT": ("ViTConfig", "ViTModel", _IMAGE),
    "Swin": (
        "SwinConfig",
        "SwinModel",
        {
            "image_size": 8,
            "patch_size": 2,
            "embed_dim": 8,
            "depths": [2, 2],
            "num_heads": [2, 2],
            "window_size": 2,
        },
    ),
    "CLIP": (
        "CLIPConfig",
        "CLIPModel",
        {
            "text_config": {**_BERT, "bos_token_id": 1, "eos_token_id": 2, "projection_dim": 8},
            "vision_config": {**_IMAGE, "projection_dim": 8},
            "projection_dim": 8,
        },
    ),
    "Whisper": (
        "WhisperConfig",
        "WhisperModel",
        {
            **{k: v for k, v in _BART.items() if k != "max_position_embeddings"},
            "num_mel_bins": 4,
            "max_source_positions": 6,
            "max_target_positions": 32,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
        },
    ),
}


def _configured(config: str, model: str, options: Mapping[str, Any]) -> Any:
    transformers: Any = importlib.import_module("transformers")
    transformers.logging.set_verbosity_error()
    return getattr(transformers, model)(getattr(transformers, config)(**options))


def _encoder() -> Any:
    nn: Any = importlib.import_module("torch.nn")
    layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def _decoder() -> Any:
    nn: Any = importlib.import_module("torch.nn")
    return nn.TransformerDecoder(nn.TransformerDecoderLayer(16, 2, 24, batch_first=True), 2)


ARCHITECTURES: Mapping[str, Callable[[], Any]] = {
    **{name: (lambda p=parts: _configured(*p)) for name, parts in _CONFIGURED.items()},
    "nn.TransformerEncoder": _encoder,
    "nn.TransformerDecoder": _decoder,
}
"""Each makes a model with its own random weights."""

REQUIRED = (
    "ALBERT",
    "BERT",
    "BART",
    "T5",
    "GPT-2",
    "LLaMA",
    "Mistral",
    "Qwen2",
    "Gemma",
    "ViT",
    "CLIP",
    "Whisper",
    "nn.TransformerEncoder",
    "nn.TransformerDecoder",
)

BLOCKS_OF: Mapping[str, str] = {
    **dict.fromkeys(("BERT", "RoBERTa", "DistilBERT", "ELECTRA", "BART"), "geluEncoderBlock"),
    "ALBERT": "biasedEncoderBlock",
    "GPT-2": "gpt2Block",
    "LLaMA": "llamaBlock",
    "Pegasus": "preNormGeluBlock",
    "ViT": "preNormGeluBlock",
    "CLIP": "preNormQuickGeluBlock",
    "nn.TransformerEncoder": "reluEncoderBlock",
}
"""The library block that Lean proves an architecture's layers to be, if there is one:
``tests/lean/test_architecture_blocks.py`` asks Lean about all layers built like a block."""


def make(name: str) -> Any:
    """The model, the same each time, with every weight moved off its initial value."""
    torch: Any = importlib.import_module("torch")
    torch.manual_seed(0)
    model = ARCHITECTURES[name]().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model
