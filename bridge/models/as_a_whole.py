"""What holds for a model beyond its layers: whether it runs them all, and returns its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.capture import Example, Passed, layers_of, observe_whole, run_once
from bridge.models import assumptions
from bridge.models.layer import Model
from bridge.report.layers import Assumption

__all__ = ["as_a_whole", "parts_of"]

WHOLE = "num_hidden_layers"
"""transformers' name for the number of layers, whatever the configuration's own name is."""
DECODERS = ("decoder_layers", "num_decoder_layers")
"""The same for a decoder next to an encoder."""


def parts_of(model: Model) -> tuple[str, ...]:
    """Paths of all layers of a torch module, with known names or not; ``("",)`` if it is one
    layer."""
    known = tuple(model.path(la.name) for la in model.layers)
    if "" in known:
        return ("",)
    others = (p for p in layers_of(model.module) if p)
    found = (*known, *(p for p in others if not any(f"{p}.".startswith(f"{k}.") for k in known)))
    return found or ("",)


def as_a_whole(
    model: Model, parts: tuple[str, ...], passed: Passed, short: Iterator[Example], seed: int
) -> tuple[Assumption, ...]:
    """Run the whole model; nothing if it is one layer, which is judged as a layer.

    Args:
        model: the model, with its module.
        parts: from `parts_of`.
        passed: one forward pass, with these parts watched.
        short: inputs to run it on many times, the likeliest first.
        seed: determines random directions.
    """
    if parts == ("",):
        return ()
    try:
        example = run_once(model.module, (), short).example
    except ValueError:  # it accepts no shorter ones
        example = passed.example
    seen = observe_whole(model.module, parts, example, seed)
    inside = tuple(f"{p}." for p in parts)
    hooked = tuple(n for n in assumptions.hooked(model.module) if not n.startswith(inside))
    return (
        assumptions.one_function(seen.found, seen.unknown),
        *_depth(model.module, parts, passed),
        *assumptions.gradient_hooks(hooked),
    )


def _depth(module: Any, parts: tuple[str, ...], passed: Passed) -> tuple[Assumption, ...]:
    """As many layers run as the configuration of their stack says; one that runs several times
    counts as often.  A model of several stacks may have a configuration for each, or one with a
    separate number for the decoder."""
    ran: dict[tuple[int, bool], int] = {}
    said: dict[tuple[int, bool], tuple[str, int]] = {}
    for path in parts:
        config, decoder = _configured(module, path)
        depth = _said(config, decoder)
        if depth is not None:
            key = id(config), decoder and depth[0] != WHOLE
            said[key] = depth
            ran[key] = ran.get(key, 0) + passed.order.count(path)
    return tuple(
        a for key, (name, depth) in said.items() for a in assumptions.enough(ran[key], depth, name)
    )


def _configured(module: Any, path: str) -> tuple[Any, bool]:
    """The nearest configuration above a layer, and whether the layer is in a decoder."""
    holder, names = module, path.split(".")[:-1]
    config = getattr(module, "config", None)
    for name in names:
        holder = getattr(holder, name)
        config = getattr(holder, "config", None) or config
    return config, any("decoder" in n for n in names)


def _said(config: Any, decoder: bool) -> tuple[str, int] | None:
    """The key for the number of layers, with the number."""
    for name in (*(DECODERS if decoder else ()), WHOLE):
        value = getattr(config, name, None)
        if isinstance(value, int) and not isinstance(value, bool):
            return name, value
    return None
