"""What tensors do not show: the number of heads, ε, the activation, the order of the norms.

These come from the command line, from ``config.json`` next to the file, or from the file's
metadata.  Two sources that disagree are an error; a missing value is unknown, never guessed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.errors import InvalidInputError
from bridge.models.activations import NAMES
from bridge.models.stored import read_json

__all__ = [
    "CONFIG",
    "HARMLESS",
    "MODEL_TYPES",
    "SYNONYMS",
    "Options",
    "Setting",
    "Settings",
    "configuration",
    "read_settings",
    "touches",
    "unread_entries",
]

CONFIG = "config.json"
_KEYS = {
    "heads": ("num_attention_heads", "num_heads", "nhead", "n_heads"),
    "eps": ("layer_norm_eps", "layer_norm_epsilon"),
    "activation": ("hidden_act", "activation", "activation_function"),
    "norm_first": ("norm_first",),
    "dropout": ("hidden_dropout_prob", "dropout"),
    "positions": ("position_embedding_type",),
    "decoder": ("is_decoder",),
    "layers": ("num_hidden_layers", "n_layers", "num_layers"),
    "pruned": ("pruned_heads",),
}
SYNONYMS = tuple(_KEYS.values())
"""Keys with the same meaning, one line each."""
MODEL_TYPES = frozenset(
    {
        "bert",
        "bert-generation",
        "camembert",
        "data2vec-text",
        "distilbert",
        "electra",
        "ernie",
        "layoutlm",
        "roberta",
        "splinter",
        "xlm-roberta",
    }
)
"""The model types of transformers whose layers are the block that their names indicate; others with
BERT's names are not, such as RoFormer with rotary positions."""
HARMLESS = frozenset(
    {
        "_attn_implementation",
        "attention_dropout",
        "attention_probs_dropout_prob",
        "chunk_size_feed_forward",
        "initializer_range",
        "num_beam_groups",
        "num_labels",
        "output_attentions",
    }
)
"""Keys that do not affect a layer's function, although they contain a word of `_TOUCHES`."""
_AFTER_THE_STACK = ("classifier_", "pooler_", "summary_")
_TOUCHES = (
    "act",
    "adapter",
    "alibi",
    "attention",
    "attn",
    "causal",
    "cross",
    "depth",
    "expert",
    "gate",
    "glu",
    "group",
    "head",
    "layer",
    "norm",
    "quant",
    "relative",
    "rope",
    "rotary",
    "window",
)
_OPTION = {"heads": "--heads", "eps": "--eps", "activation": "--activation"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller says about the model; ``None`` leaves it to the model."""

    heads: int | None = None
    eps: float | None = None
    activation: str | None = None
    post_norm: bool | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and its source."""

    value: Any
    source: str

    def __str__(self) -> str:
        return f"{self.value}, by {self.source}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is known about a file's layers, by name; what is missing is unknown.

    ``unread`` are entries of the configuration that may change what a layer computes, and that
    are not understood.
    """

    values: Mapping[str, Setting]
    unread: tuple[str, ...] = ()

    def get(self, name: str) -> Setting | None:
        """A setting, or ``None`` if unknown."""
        return self.values.get(name)

    def need(self, name: str, what: str, where: str) -> Setting:
        """A setting without which nothing can be computed.

        Raises:
            InvalidInputError: it is unknown.
        """
        found = self.values.get(name)
        if found is None:
            raise InvalidInputError(
                f"{where}: {what} is not known: its tensors do not show it, and no "
                f"{CONFIG} next to it says it",
                remedy=f"give it with {_OPTION[name]}, or as {_KEYS[name][0]!r} in {CONFIG}",
            )
        return found


def read_settings(
    path: Path,
    metadata: Mapping[str, str],
    options: Options,
    fixed: Mapping[str, Setting] | None = None,
) -> Settings:
    """Gather what is known about the model in the file ``path``.

    Args:
        path: of the file; ``config.json`` is read from the same folder.
        metadata: the file's metadata, with the keys of a configuration.
        options: what the caller says.
        fixed: defaults.

    Raises:
        InvalidInputError: a value is malformed, or two sources disagree.
    """
    said: dict[str, list[Setting]] = {}
    given = {
        "heads": options.heads,
        "eps": options.eps,
        "activation": options.activation,
        "norm_first": None if options.post_norm is None else not options.post_norm,
    }
    names = {**_OPTION, "norm_first": "--pre-norm" if options.post_norm is False else "--post-norm"}
    for name, value in given.items():
        if value is not None:
            said.setdefault(name, []).append(_checked(name, value, names[name], path))
    config = configuration(path)
    for values, source in ((config, CONFIG), (metadata, "the file's metadata")):
        for name, keys in _KEYS.items():
            for key in (k for k in keys if values.get(k) is not None):
                setting = _checked(name, values[key], f"{key} in {source}", path)
                said.setdefault(name, []).append(setting)
    agreed = {name: _agreed(name, found, path) for name, found in said.items()}
    return Settings({**(fixed or {}), **agreed}, unread_entries(config))


def touches(key: str) -> bool:
    """Whether an entry of this name may change what a layer computes."""
    return any(word in key.lower() for word in _TOUCHES) and not key.startswith(_AFTER_THE_STACK)


def unread_entries(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Entries that may change what a layer computes and are not understood, as ``key = value``;
    those of configurations inside it too, with the path of their keys."""
    kind = config.get("model_type")
    found = [f"model_type = {kind}"] if kind is not None and kind not in MODEL_TYPES else []
    if config.get("auto_map"):  # custom code, which may compute anything from these tensors
        found.append(f"auto_map = {json.dumps(config['auto_map'], default=str):.60}")
    understood = {k for keys in SYNONYMS for k in keys} | HARMLESS
    for key, value in config.items():
        if touches(key) and key not in understood and value:
            found.append(f"{key} = {json.dumps(value, default=str):.60}")
        elif isinstance(value, dict) and key.endswith(
            "_config"
        ):  # of another part, or of the whole
            found += [f"{key}.{k} = {json.dumps(v, default=str):.60}" for k, v in _inside(value)]
    return tuple(found)


def _inside(config: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Entries of a nested configuration that touch a layer."""
    return [(k, v) for k, v in config.items() if touches(k) and k not in HARMLESS and v]


def configuration(path: Path) -> Mapping[str, Any]:
    """The content of the ``config.json`` next to a model; empty if there is none.

    Raises:
        InvalidInputError: it holds no JSON object.
    """
    file = path.with_name(CONFIG)
    if not file.is_file():
        return {}
    return read_json(file, dict[str, Any], remedy="correct it, or move it away from the model")


def _checked(name: str, value: Any, source: str, path: Path) -> Setting:
    """The value in its expected type; text in metadata is read as JSON."""
    if isinstance(value, str) and name not in ("activation", "positions"):
        try:
            value = json.loads(value.lower())
        except ValueError:
            raise _malformed(name, value, source, path) from None
    match name, value:
        case ("pruned", dict()):
            return Setting(value, source)
        case ("heads" | "layers", int()) if value >= 1 and not isinstance(value, bool):
            return Setting(value, source)
        case ("eps" | "dropout", int() | float()) if _is_number(value):
            return Setting(float(value), source)
        case ("activation", str()):
            return Setting(NAMES.get(value.lower(), value), source)
        case ("norm_first" | "decoder", bool()) | ("positions", str()):
            return Setting(value, source)
    raise _malformed(name, value, source, path)


def _is_number(value: float) -> bool:
    return not isinstance(value, bool) and math.isfinite(value)


def _malformed(name: str, value: Any, source: str, path: Path) -> InvalidInputError:
    expected = {
        "heads": "a whole number, at least 1",
        "layers": "a whole number, at least 1",
        "pruned": "an object: the pruned heads, by layer",
        "eps": "a number",
        "dropout": "a number",
        "activation": "a name such as gelu_new",
        "positions": "a name",
    }.get(name, "true or false")
    return InvalidInputError(f"{path}: {source}: expected {expected} but got {value!r:.100}")


def _agreed(name: str, found: list[Setting], path: Path) -> Setting:
    first = found[0]
    for other in found[1:]:
        if other.value != first.value:
            raise InvalidInputError(
                f"{path}: {first.source} says {first.value}, and {other.source} says {other.value}",
                remedy="leave out the one that is wrong",
            )
    return first
