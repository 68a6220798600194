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
from bridge.capture.forward import Example, examples
from bridge.capture.user_code import RAISED, said
from bridge.report.layers import Assumption

__all__ = ["Calls", "observe_calls"]

TOKENS = 8
DEEP = 4
"""How deep arguments are looked into: dicts of tuples in an object, and one more."""
_TITLE, _EXPECTED = "its parent", "runs it once, in order, on tokens alone"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A call: of which layer, what reached it besides its tokens, whether some is no mask, whether
    its tokens are not what the layer before it in its stack gave, or hand back another gradient;
    with the call itself."""

    layer: str
    beyond: tuple[str, ...]
    foreign: bool
    changed: bool
    cut: bool
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


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
    """Run the model once, in its own mode, and note how it calls its layers.

    Its input is 8 token ids where a config names a vocabulary, else 8 random tokens of d_model
    entries.  A copy runs.  Not checked: other inputs, and a padding mask that
    the caller would give.

    Args:
        module: the whole model; it stays as it is.
        parts: its layers by name, in the order of the module.
        d_model: of the first.
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
    """The layers in the order of the module; one that it holds in several places, in each."""
    first = {id(part): name for name, part in parts.items()}
    held = (m for _, m in module.named_modules(remove_duplicate=False))
    return tuple(first[id(m)] for m in held if id(m) in first)


def _held(torch: Any, given: Any) -> Any:
    """Copies of the tensors, which the model may write into later; nested ones stay as they are."""

    def copy(x: Any) -> Any:
        return x if x.is_nested else x.detach().clone()

    return torch.utils._pytree.tree_map_only(torch.Tensor, copy, given)


def _alone_too(torch: Any, part: Any, seen: _Seen, outputs: dict[str, Any]) -> bool:
    """Whether the layer by itself gives the first output that it gave in the model: else something
    reached it on another way than by its arguments.  What breaks by itself is judged elsewhere."""
    gave = outputs.pop(seen.layer, None)  # of its first call
    if gave is None or part.training:  # dropout may be on, which is said elsewhere
        return True
    try:
        with torch.enable_grad():
            alone = _first_of(torch, copied(part)(*seen.args, **seen.kwargs))
    except RAISED:
        return True
    return alone is None or _same(torch, gave, alone)


def _inputs(torch: Any, run: Any, d_model: int) -> Iterator[Example]:
    """What the model may take: token ids where a config names a vocabulary, else tokens; then what
    `examples` knows."""
    vocabulary = getattr(getattr(run, "config", None), "vocab_size", None)
    if isinstance(vocabulary, int):
        low = min(3, vocabulary - 1)  # below are padding and the like
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
    """What the model raises on these inputs; empty where it takes them."""
    try:
        run(*inputs.args, **inputs.kwargs)
    except RAISED as e:  # the code is the user's: anything can happen
        return said(e)
    return ""


def _stack(name: str) -> str:
    """The list in which a layer stands; a layer that has no number stands alone."""
    holder, _, last = name.rpartition(".")
    return holder if last.isdigit() else name


def _first_of(torch: Any, value: Any) -> Any:
    """The first tensor in it; None where there is none."""
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
    """Whether the same tokens hand back another gradient than they are given, as where their owner
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
    """What the layer's code calls its first arguments; their places where it gives no names."""
    try:
        declared = inspect.signature(part.forward).parameters.values()
    except (TypeError, ValueError):  # compiled code has none
        declared = ()  # type: ignore[assignment]
    names = [p.name for p in declared if p.kind is p.POSITIONAL_OR_KEYWORD][:count]
    return names + [f"argument {k}" for k in range(len(names), count)]


def _beyond(
    torch: Any, tensors: Sequence[tuple[str, Any]], given: Mapping[str, Any]
) -> Iterator[tuple[str, bool]]:
    """What reaches a layer besides its tokens and could change its output, and whether that is no
    mask, so that no block in the library has it.

    Args:
        tensors: all but the tokens, with their paths.
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
        found.append("hands it other tokens than the layer before it gave")
    if any(s.cut for s in mine):
        found.append("hands another gradient back to the layer before it than this one gives")
    if apart:
        found.append("gets another output from it than it gives by itself on the same input")
    otherwise = any(s.foreign or s.changed or s.cut for s in mine)
    foreign = times not in (0, wanted) or apart or otherwise
    text = "; ".join(found) or "as expected"
    return Assumption(_TITLE, _EXPECTED, text, not found, foreign=foreign, apart=True)
