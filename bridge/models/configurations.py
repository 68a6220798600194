"""Configurations of `transformers`: which class reads them, and which entries it ignores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.errors import InvalidInputError
from bridge.models.settings import CONFIG, HARMLESS, SYNONYMS, touches

__all__ = ["NotKnownError", "foreign_entries", "known_configuration"]

_NOT_PASSED = ("attn_implementation", "experts_implementation", "kernel_config", "fusion_config")
"""Entries about how transformers computes, not what; some would start a download."""
_BARE = ("position_embedding_type", "absolute")
"""Entries of BERT's older configurations, whose values are the only choice in newer code."""
_ALSO = ("bias", "causal", "decoder", "mask", "position", "scale", "skip")
"""Words in names of entries that may matter although a class of transformers ignores them."""


class NotKnownError(Exception):
    """Why transformers builds no model from a configuration; the text is a clause."""


def known_configuration(transformers: Any, config: Mapping[str, Any]) -> Any:
    """The configuration as an object of its class.

    Args:
        transformers: the module.
        config: the content of ``config.json``, with a ``model_type``.

    Raises:
        NotKnownError: transformers has no such ``model_type``, or its class rejects the values.
    """
    kind = config["model_type"]
    known = transformers.CONFIG_MAPPING
    if not isinstance(kind, str) or kind not in known:
        raise NotKnownError(
            f"transformers {transformers.__version__} knows no model_type {kind!r:.60}"
        )
    try:
        return known[kind].from_dict(_passed(config))
    except Exception as e:  # its class may check anything, and raise anything
        text = (str(e).strip().splitlines() or [""])[0]
        raise NotKnownError(
            f"transformers {transformers.__version__} takes no such configuration: "
            f"{type(e).__name__}: {text:.200}"
        ) from e


def _passed(config: Mapping[str, Any]) -> dict[str, Any]:
    """The entries without those about how to compute, here and in nested configurations."""
    return {
        key: _passed(value) if isinstance(value, dict) and key.endswith("_config") else value
        for key, value in config.items()
        if not key.lstrip("_").startswith(_NOT_PASSED)
    }


def foreign_entries(config: Mapping[str, Any], made: Any) -> tuple[str, ...]:
    """Entries that may matter to a layer and that the class of the configuration ignores, as ``key
    = value``: transformers' code does not use them.

    Args:
        config: the content of ``config.json``.
        made: the object made from it.

    Raises:
        InvalidInputError: an ignored entry contradicts an entry that is read and has another name
            for the same.
    """
    for key, own in type(made).attribute_map.items():
        if config.get(key) is not None and config.get(own) not in (None, config[key]):
            raise _disagree(own, config[own], key, config[key], f"both are read as {own}")
    foreign = _foreign(_passed(config), made, "")
    understood: set[str] = set()
    for key, value in foreign:
        for name, read in _same_thing(key, made):
            if read != value:
                raise _disagree(
                    name, read, key, value, f"{type(made).__name__} reads the former alone"
                )
            understood.add(key)
    open_ = [(k, v) for k, v in foreign if k not in understood and _matters(k, v)]
    return tuple(f"{k} = {json.dumps(v, default=str):.60}" for k, v in open_)


def _disagree(name: str, read: Any, key: str, value: Any, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{CONFIG}: {name} says {read!r:.60}, and {key} says {value!r:.60}; {why}",
        remedy="leave out the one that is wrong",
    )


def _same_thing(key: str, made: Any) -> Iterator[tuple[str, Any]]:
    """What is read under other names for the same as ``key``."""
    for names in SYNONYMS:
        if key in names:
            for name in names:
                read = getattr(made, name, None)
                if name != key and isinstance(read, int | float | str):
                    yield name, read


def _matters(key: str, value: Any) -> bool:
    name = key.rpartition(".")[2]
    if not value or name in HARMLESS or (name, value) == _BARE:
        return False
    return touches(name) or any(word in name.lower() for word in _ALSO)


def _foreign(config: Mapping[str, Any], made: Any, prefix: str) -> list[tuple[str, Any]]:
    """Entries that change nothing in the object except their own attribute, which it does not
    declare."""
    kind = type(made)
    try:
        declared = set(kind().to_dict()) | set(kind.attribute_map)
    except Exception:  # a class without default values
        declared = set(kind.attribute_map)
    found: list[tuple[str, Any]] = []
    for key, value in config.items():
        part = getattr(made, key, None)
        if isinstance(value, dict) and hasattr(part, "to_dict"):
            found += _foreign(value, part, f"{prefix}{key}.")
        elif key not in declared and not _is_read(key, config, made):
            inner = isinstance(value, dict) and key.endswith("_config") and not touches(key)
            found += [(f"{prefix}{key}.{k}", v) for k, v in value.items()] if inner else []
            found += [] if inner else [(f"{prefix}{key}", value)]
    return found


def _is_read(key: str, config: Mapping[str, Any], made: Any) -> bool:
    """Whether the object changes without the entry, as with RoPE's base under an old name."""

    def without(values: Mapping[str, Any]) -> Any:
        return json.dumps({k: v for k, v in values.items() if k != key}, default=str)

    try:
        other = type(made).from_dict({k: v for k, v in config.items() if k != key})
    except Exception:  # it needs the entry
        return True
    return bool(without(made.to_dict()) != without(other.to_dict()))
