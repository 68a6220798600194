"""One forward pass of a whole model: how often each layer runs, in which order, and what it gets.

A layer alone does not show a causal mask or rotary positions that its parent hands to it, nor that
its parent leaves it out.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.capture.copies import copied
from bridge.capture.exported import is_mask
from bridge.report.layers import Assumption

__all__ = ["Calls", "observe_calls"]

TOKENS = 8
_TITLE, _EXPECTED = "its parent", "runs it once, in order, on tokens alone"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A call: of which layer, what reached it besides its tokens, and whether some is no mask."""

    layer: str
    beyond: tuple[str, ...]
    foreign: bool


@dataclass(frozen=True, slots=True)
class Calls:
    """What a forward pass showed.

    Attributes:
        by_layer: an assumption for each layer; empty where the model could not be run.
        unknown: why it could not be run; empty where it was.
    """

    by_layer: Mapping[str, Assumption] = field(default_factory=dict)
    unknown: str = ""


def observe_calls(module: Any, parts: Mapping[str, Any], d_model: int) -> Calls:
    """Run the model once, without gradients, and note how it calls its layers.

    Its input is 8 token ids where a config names a vocabulary, else 8 random tokens of d_model
    entries.  A copy runs, in evaluation mode.  Not checked: other inputs, and a padding mask that
    the caller would give.

    Args:
        module: the whole model; it stays as it is.
        parts: its layers by name, in the order of the module.
        d_model: of the first.
    """
    torch: Any = importlib.import_module("torch")
    seen: list[_Seen] = []

    def watch(name: str) -> Any:
        def hook(part: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            names = _argument_names(part, len(args))
            by_name = dict(zip(names[1:], args[1:], strict=True))
            beyond = dict(_beyond(torch, {**by_name, **kwargs}))
            seen.append(_Seen(name, tuple(beyond), any(beyond.values())))

        return hook

    try:
        run = copied(module).eval()
        for name in parts:
            run.get_submodule(name).register_forward_pre_hook(watch(name), with_kwargs=True)
        with torch.no_grad():
            _call(torch, run, d_model)
    except Exception as e:  # the code is the user's: anything can happen
        return Calls(unknown=f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}")
    order = [s.layer for s in seen]
    return Calls({name: _judged(name, seen, order, tuple(parts)) for name in parts})


def _call(torch: Any, run: Any, d_model: int) -> None:
    vocabulary = getattr(getattr(run, "config", None), "vocab_size", None)
    if isinstance(vocabulary, int):
        low = min(3, vocabulary - 1)  # below are padding and the like
        run(input_ids=torch.arange(TOKENS)[None] % max(vocabulary - low, 1) + low)
        return
    generator = torch.Generator().manual_seed(0)
    run(torch.randn(1, TOKENS, d_model, generator=generator, dtype=torch.float64))


def _argument_names(part: Any, count: int) -> list[str]:
    """What the layer's code calls its first arguments; their places where it gives no names."""
    try:
        declared = inspect.signature(part.forward).parameters.values()
    except (TypeError, ValueError):  # compiled code has none
        declared = ()  # type: ignore[assignment]
    names = [p.name for p in declared if p.kind is p.POSITIONAL_OR_KEYWORD][:count]
    return names + [f"argument {k}" for k in range(len(names), count)]


def _beyond(torch: Any, given: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """What reaches a layer besides its tokens and could change its output, and whether that is no
    mask, so that no block in the library has it."""
    for name, value in given.items():
        held = value if isinstance(value, tuple | list) else (value,)
        tensors = [v for v in held if isinstance(v, torch.Tensor)]
        if "position_ids" in name or "cache_position" in name:
            continue
        if any(_matters(torch, t, name) for t in tensors):
            masks = all(t.dtype == torch.bool or is_mask(name, t) for t in tensors)
            yield f"{name} {list(tensors[0].shape)}", not masks and "mask" not in name
        elif value is True and "causal" in name:
            yield name, False


def _matters(torch: Any, tensor: Any, name: str) -> bool:
    """A mask that hides nothing, or adds 0, changes nothing."""
    if tensor.dtype == torch.bool and "mask" in name:
        return not bool(tensor.all()) and bool(tensor.any())
    return bool(tensor.any())


def _judged(
    name: str,
    seen: Sequence[_Seen],
    order: Sequence[str],
    expected: tuple[str, ...],
) -> Assumption:
    times = order.count(name)
    found = []
    if times == 0:
        found.append("never runs it")
    elif times > 1:
        found.append(f"runs it {times} times")
    elif [n for n in order if n in expected] != list(expected) and len(set(order)) == len(expected):
        found.append(f"runs it at place {order.index(name)}, not {expected.index(name)}")
    given = dict.fromkeys(g for s in seen if s.layer == name for g in s.beyond)
    if given:
        found.append(f"passes {', '.join(given)} too, which the block's measures leave out")
    foreign = any(s.foreign for s in seen if s.layer == name)
    said = "; ".join(found) or "as expected"
    return Assumption(_TITLE, _EXPECTED, said, not found, foreign=foreign, apart=True)
