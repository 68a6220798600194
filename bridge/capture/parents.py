"""One forward pass of a whole model: how often each layer runs, in which order, with which
arguments.

A layer alone does not show a causal mask or rotary positions that its parent passes to it, nor that
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
from bridge.capture.forward import Example, examples
from bridge.capture.user_code import RAISED, said
from bridge.report.layers import Assumption

__all__ = ["Calls", "observe_calls"]

TOKENS = 8
DEEP = 4
"""How many levels of arguments are searched: dicts of tuples in an object, and one more."""
_TITLE, _EXPECTED = "its parent", "runs it once, in order, on tokens alone"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A call: its layer, what reached it besides its tokens, whether some of that is not a mask,
    whether its tokens are not what the previous layer in its stack returned, or pass back another
    gradient; and the call itself."""

    layer: str
    beyond: tuple[str, ...]
    foreign: bool
    changed: bool
    cut: bool
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Calls:
    """The result of watching a forward pass.

    Attributes:
        by_layer: an assumption for each layer; empty if the model could not be run.
        unknown: why it could not be run; empty if it was.
    """

    by_layer: Mapping[str, Assumption] = field(default_factory=dict)
    unknown: str = ""


def observe_calls(module: Any, parts: Mapping[str, Any], d_model: int) -> Calls:
    """Run the model once, in its own mode, and note how it calls its layers.

    Its input is 8 token ids if a config names a vocabulary, else 8 random tokens of d_model
    entries.  A copy runs.  Not checked: other inputs, and a padding mask from the caller.

    Args:
        module: the whole model; it is not changed.
        parts: its layers by name, in the order of the module.
        d_model: the width of the first.
    """
    torch: Any = importlib.import_module("torch")
    seen: list[_Seen] = []
    last: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    refused: list[str] = []

    def watch(name: str) -> Any:
        def hook(part: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            by_name = dict(zip(_argument_names(part, len(args)), args, strict=True))
            given, *others = _tensors_in(torch, {**by_name, **kwargs}) or [("", None)]
            beyond = dict(_beyond(torch, others, {**by_name, **kwargs}))
            given = given[1]
            before = last.get(_stack(name))
            changed = given is not None and before is not None and not _same(torch, before, given)
            cut = not changed and before is not None and _cut(torch, before, given)
            held = _held(torch, (args, dict(kwargs)))
            seen.append(_Seen(name, tuple(beyond), any(beyond.values()), changed, cut, *held))

        return hook

    def keep(name: str) -> Any:
        def hook(part: Any, args: tuple[Any, ...], output: Any) -> None:
            last[_stack(name)] = _first_of(torch, output)
            outputs.setdefault(name, _held(torch, last[_stack(name)]))

        return hook

    try:
        run = copied(module)
        for name in parts:
            part = run.get_submodule(name)  # before its own hooks, and after them
            part.register_forward_pre_hook(watch(name), with_kwargs=True, prepend=True)
            part.register_forward_hook(keep(name))
        with torch.enable_grad():
            for inputs in _inputs(torch, run, d_model):
                seen.clear()
                last.clear()
                outputs.clear()
                if not (failed := _refused(run, inputs)):
                    break
                refused.append(failed)
            else:
                return Calls(unknown=refused[0])
    except RAISED as e:  # the code is the user's: anything can happen
        return Calls(unknown=said(e))
    order = [s.layer for s in seen]
    expected = _expected(module, parts)
    apart = {s.layer for s in seen if not _alone_too(torch, parts[s.layer], s, outputs)}
    return Calls({n: _judged(n, seen, order, expected, n in apart) for n in parts})


def _expected(module: Any, parts: Mapping[str, Any]) -> tuple[str, ...]:
    """The layers in the order of the module; a layer in several places appears in each."""
    first = {id(part): name for name, part in parts.items()}
    held = (m for _, m in module.named_modules(remove_duplicate=False))
    return tuple(first[id(m)] for m in held if id(m) in first)


def _held(torch: Any, given: Any) -> Any:
    """Copies of the tensors, which the model may write into later; nested ones are not copied."""

    def copy(x: Any) -> Any:
        return x if x.is_nested else x.detach().clone()

    return torch.utils._pytree.tree_map_only(torch.Tensor, copy, given)


def _alone_too(torch: Any, part: Any, seen: _Seen, outputs: dict[str, Any]) -> bool:
    """Whether the layer by itself returns the same first output as in the model: if not, something
    reached it by another way than its arguments.  Errors of the layer by itself are judged
    elsewhere."""
    gave = outputs.pop(seen.layer, None)  # of its first call
    if gave is None or part.training:  # dropout may be on, which is reported elsewhere
        return True
    try:
        with torch.enable_grad():
            alone = _first_of(torch, copied(part)(*seen.args, **seen.kwargs))
    except RAISED:
        return True
    return alone is None or _same(torch, gave, alone)


def _inputs(torch: Any, run: Any, d_model: int) -> Iterator[Example]:
    """Inputs that the model may accept: token ids if a config names a vocabulary, else tokens; then
    those of `examples`."""
    vocabulary = getattr(getattr(run, "config", None), "vocab_size", None)
    if isinstance(vocabulary, int):
        low = min(3, vocabulary - 1)  # smaller ids are padding and other special tokens
        ids = torch.arange(TOKENS)[None] % max(vocabulary - low, 1) + low
        if getattr(run.config, "use_cache", None):  # a cache is filled as the layers run
            yield Example((), {"input_ids": ids, "use_cache": False}, "token ids")
        yield Example((), {"input_ids": ids}, "token ids")
    else:
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(1, TOKENS, d_model, generator=generator, dtype=torch.float64)
        yield Example((x,), {}, "tokens")
    yield from examples(run, TOKENS, 0)


def _refused(run: Any, inputs: Example) -> str:
    """The error that the model raises on these inputs; empty if it accepts them."""
    try:
        run(*inputs.args, **inputs.kwargs)
    except RAISED as e:  # the code is the user's: anything can happen
        return said(e)
    return ""


def _stack(name: str) -> str:
    """The list that holds a layer; a layer without a number is alone."""
    holder, _, last = name.rpartition(".")
    return holder if last.isdigit() else name


def _first_of(torch: Any, value: Any) -> Any:
    """The first tensor in it; None if there is none."""
    return next((v for _, v in _within(torch, "", value, 0)), None)


def _tensors_in(torch: Any, given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The tensors among arguments, each with the path to it, such as ``positions.cos``."""
    return [found for name, value in given.items() for found in _within(torch, name, value, 0)]


def _within(torch: Any, name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, torch.Tensor):
        yield name, value
        return
    if depth == DEEP or isinstance(value, torch.nn.Module | str | bytes | type):
        return
    if isinstance(value, Mapping):
        inside = [(f"{name}.{k}", v) for k, v in value.items()]
    elif isinstance(value, tuple | list):
        inside = [(f"{name}[{k}]", v) for k, v in enumerate(value)]
    else:  # an object with members, such as a cache
        members = getattr(value, "__dict__", None) or {}
        inside = [(f"{name}.{k}", v) for k, v in members.items()]
    for path, held in inside:
        yield from _within(torch, path, held, depth + 1)


def _same(torch: Any, before: Any, given: Any) -> bool:
    """Whether the tokens are the same; nested ones, which hold no padding, are not compared."""
    if before.is_nested or given.is_nested:
        return True
    if before.shape != given.shape:
        return False
    return bool(torch.allclose(before.double(), given.double(), rtol=1e-9, atol=1e-12))


def _cut(torch: Any, before: Any, given: Any) -> bool:
    """Whether the same tokens pass back another gradient than they receive, as when their owner
    detaches them."""
    if given is before or not before.requires_grad or before.is_nested or given.is_nested:
        return False
    if not given.requires_grad:
        return True
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(given.shape, generator=generator, dtype=given.dtype)
    (back,) = torch.autograd.grad(given, before, drawn, retain_graph=True, allow_unused=True)
    return back is None or not _same(torch, drawn, back)


def _argument_names(part: Any, count: int) -> list[str]:
    """The names of the layer's first arguments; their positions if it has no names."""
    try:
        declared = inspect.signature(part.forward).parameters.values()
    except (TypeError, ValueError):  # compiled code has no signature
        declared = ()  # type: ignore[assignment]
    names = [p.name for p in declared if p.kind is p.POSITIONAL_OR_KEYWORD][:count]
    return names + [f"argument {k}" for k in range(len(names), count)]


def _beyond(
    torch: Any, tensors: Sequence[tuple[str, Any]], given: Mapping[str, Any]
) -> Iterator[tuple[str, bool]]:
    """What reaches a layer besides its tokens and could change its output, and whether it is not a
    mask, so that no block in the library has it.

    Args:
        tensors: all except the tokens, with their paths.
        given: the arguments, by name.
    """
    for name, tensor in tensors:
        if "position_ids" in name or "cache_position" in name:
            continue
        if _matters(torch, tensor, name):
            mask = tensor.dtype == torch.bool or is_mask(name, tensor) or "mask" in name
            yield f"{name} {list(tensor.shape)}", not mask
    for name, value in given.items():
        if value is True and "causal" in name:
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
    apart: bool,
) -> Assumption:
    times, wanted = order.count(name), expected.count(name)
    found = []
    if times == 0:
        found.append("never runs it")
    elif times != wanted:
        found.append(f"runs it {times} times" + (f", not {wanted}" if wanted > 1 else ""))
    elif len(order) == len(expected) and order.index(name) != expected.index(name):
        found.append(f"runs it at place {order.index(name)}, not {expected.index(name)}")
    given = dict.fromkeys(g for s in seen if s.layer == name for g in s.beyond)
    if given:
        found.append(f"passes {', '.join(given)} too, which the block's measures leave out")
    mine = [s for s in seen if s.layer == name]
    if times == wanted and any(s.changed for s in mine):
        found.append("passes it other tokens than the layer before it returned")
    if any(s.cut for s in mine):
        found.append("passes back another gradient to the layer before it than this one returns")
    if apart:
        found.append("gets another output from it than it returns by itself on the same input")
    otherwise = any(s.foreign or s.changed or s.cut for s in mine)
    foreign = times not in (0, wanted) or apart or otherwise
    text = "; ".join(found) or "as expected"
    return Assumption(_TITLE, _EXPECTED, text, not found, foreign=foreign, apart=True)
