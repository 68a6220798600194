"""What holds of a model beyond its layers: whether it runs them all, and returns its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.capture import Example, Passed, layers_of, observe_whole, run_once
from bridge.models import assumptions
from bridge.models.layer import Model
from bridge.report.layers import Assumption

__all__ = ["as_a_whole", "parts_of"]


def parts_of(model: Model) -> tuple[str, ...]:
    """Paths of all layers of a torch module, those with known names and the others; ``("",)`` where
    it is one layer."""
    known = tuple(model.path(la.name) for la in model.layers)
    if "" in known:
        return ("",)
    others = (p for p in layers_of(model.module) if p)
    found = (*known, *(p for p in others if not any(f"{p}.".startswith(f"{k}.") for k in known)))
    return found or ("",)


def as_a_whole(
    model: Model, parts: tuple[str, ...], passed: Passed, short: Iterator[Example], seed: int
) -> tuple[Assumption, ...]:
    """Run the whole model; nothing where it is one layer, which is judged as that.

    Args:
        model: with its module.
        parts: from `parts_of`.
        passed: one forward pass, with these parts watched.
        short: inputs to run it on many times, the likeliest first.
        seed: random directions follow from it.
    """
    if parts == ("",):
        return ()
    try:
        example = run_once(model.module, (), short).example
    except ValueError:  # it takes no shorter ones
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
    """As many layers run as its configuration says; one that runs several times counts as often."""
    said = getattr(getattr(module, "config", None), "num_hidden_layers", None)
    if not isinstance(said, int) or isinstance(said, bool):
        return ()
    ran = sum(passed.order.count(p) for p in parts)
    return assumptions.enough(ran, said)
