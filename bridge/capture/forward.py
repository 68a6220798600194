"""One forward pass of a whole model: its layers' arguments, order and number of calls."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.capture.copies import duplicate
from bridge.capture.exported import first_tensor
from bridge.capture.user_code import RAISED, said

__all__ = ["Call", "Example", "Passed", "examples", "run_once"]

LEAST_ID = 3
"""Smaller ids are padding and other special tokens."""


@dataclass(frozen=True, slots=True)
class Example:
    """Inputs of a whole model, with a description in words."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of a layer's first call; tensors are copies in float64."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def to(self, dtype: Any) -> Call:
        """The same call with floats of another dtype."""
        return Call(*_cast((tuple(self.args), dict(self.kwargs)), dtype))


@dataclass(frozen=True, slots=True)
class Passed:
    """A forward pass.

    Attributes:
        calls: the first call of each layer that ran, by name.
        order: the layers' names, once for each run.
        example: the model's input.
        outputs: the first tensor that each layer's first call returned, in float64.
        refused: examples that the model rejected, with the errors that it raised.
    """

    calls: Mapping[str, Call]
    order: tuple[str, ...]
    example: Example
    outputs: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


def run_once(module: Any, parts: Sequence[str], given: Iterator[Example]) -> Passed:
    """Run a copy of the model on the first example that it accepts.

    It keeps its mode, training or evaluation, and its dtype.  Gradients are on: under ``no_grad``
    PyTorch's fused layers hide what they call.

    Args:
        module: the model; it is not changed.
        parts: names of layers in it.
        given: examples, the likeliest first.

    Raises:
        ValueError: it accepts none; the text has the error that it raised on the first.
    """
    torch: Any = importlib.import_module("torch")
    try:
        run = duplicate(module)
    except RAISED as e:
        raise ValueError(f"no copy of it can be made: {said(e)}") from e
    floats = [p.dtype for p in run.parameters() if p.is_floating_point()]
    dtype = floats[0] if floats else torch.float64
    refused: list[str] = []
    for example in given:
        calls: dict[str, Call] = {}
        outputs: dict[str, Any] = {}
        order: list[str] = []
        hooks = [
            run.get_submodule(name).register_forward_pre_hook(
                _noting(torch, name, calls, order), with_kwargs=True, prepend=True
            )
            for name in parts
        ]
        hooks += [
            run.get_submodule(name).register_forward_hook(_keeping(torch, name, outputs))
            for name in parts
        ]
        try:
            args, kwargs = _cast((example.args, dict(example.kwargs)), dtype)
            with torch.enable_grad():
                run(*args, **kwargs)
            return Passed(calls, tuple(order), example, outputs, tuple(refused))
        except RAISED as e:  # the code is the user's: anything can happen
            refused.append(f"{example.description}: {said(e)}")
        finally:
            for hook in hooks:
                hook.remove()
    raise ValueError(refused[0] if refused else "no inputs were given")


def _noting(
    torch: Any, name: str, calls: dict[str, Call], order: list[str]
) -> Callable[[Any, tuple[Any, ...], dict[str, Any]], None]:
    def hook(part: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        order.append(name)
        if name not in calls:
            calls[name] = Call(*_own(torch, (args, kwargs)))

    return hook


def _keeping(torch: Any, name: str, outputs: dict[str, Any]) -> Callable[..., None]:
    def hook(part: Any, args: tuple[Any, ...], output: Any) -> None:
        if name not in outputs:
            try:
                outputs[name] = _own(torch, first_tensor(output))
            except TypeError:  # it returns no tensor
                outputs[name] = None

    return hook


def _cast(given: Any, dtype: Any) -> Any:
    """Floats in a dtype; a number outside its range becomes its largest or least, not ∞."""
    torch: Any = importlib.import_module("torch")
    limits = torch.finfo(dtype)

    def cast(x: Any) -> Any:
        if not x.is_floating_point() or x.dtype == dtype:
            return x
        if limits.max >= torch.finfo(x.dtype).max:
            return x.to(dtype)
        return torch.where(x.isinf(), x, x.clamp(limits.min, limits.max)).to(dtype)

    return torch.utils._pytree.tree_map_only(torch.Tensor, cast, given)


def _own(torch: Any, given: Any) -> Any:
    """Copies of tensors; floats in float64."""

    def copy(x: Any) -> Any:
        x = x.detach().clone()
        return x.double() if x.is_floating_point() else x

    return torch.utils._pytree.tree_map_only(torch.Tensor, copy, given)


def examples(module: Any, seq_len: int, seed: int) -> Iterator[Example]:
    """Inputs that a model may accept, the likeliest first: what its config names, or random tokens.

    Token ids are drawn from the vocabulary, floats are standard normal.  Models that need something
    else are not covered; they need ``--inputs``.
    """
    torch: Any = importlib.import_module("torch")
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Any:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    config = getattr(module, "config", None)
    if config is not None:
        yield from _configured(torch, module, config, seq_len, normal, generator)

    def tokens(width: int) -> Callable[[], Any]:
        return lambda: normal(1, seq_len, width)

    vocabulary = _embedded(torch, module)
    for width in _widths(torch, module):
        text = f"{seq_len} standard normal tokens of {width} entries"
        yield Example((normal(1, seq_len, width),), {}, text)
        if vocabulary is None:
            yield from _by_name(module, tokens(width), None, text)
        twice = (normal(1, seq_len, width), normal(1, max(seq_len - 1, 1), width))
        yield Example(twice, {}, f"{text}, and as many for a second sequence")
    if vocabulary is not None:
        low = min(LEAST_ID, vocabulary - 1)

        def ids() -> Any:
            return torch.randint(low, vocabulary, (1, seq_len), generator=generator)

        yield Example((ids(),), {}, f"{seq_len} token ids")
        for width in _widths(torch, module):
            text = f"{seq_len} token ids, or standard normal tokens of {width} entries, by name"
            yield from _by_name(module, tokens(width), ids, text)


def _configured(
    torch: Any,
    module: Any,
    config: Any,
    seq_len: int,
    normal: Callable[..., Any],
    generator: Any,
) -> Iterator[Example]:
    text = getattr(config, "text_config", None) or config
    vision = getattr(config, "vision_config", None) or config

    def of(which: Any, *names: str) -> Any:
        return next((v for n in names if (v := getattr(which, n, None))), None)

    vocabulary = of(text, "vocab_size")
    longest = of(text, "max_position_embeddings", "n_positions", "max_seq_len") or 0
    tokens = min(seq_len, longest - 4 if longest > 8 else longest) if longest > 0 else seq_len
    found: dict[str, Any] = {}
    words = []

    def ids(count: int) -> Any:
        low = min(LEAST_ID, vocabulary - 1)
        return torch.randint(low, vocabulary, (1, count), generator=generator)

    main = str(getattr(module, "main_input_name", "input_ids"))
    image = of(vision, "image_size")
    if image and (main == "pixel_values" or vision is not config):
        height, width = image if isinstance(image, list | tuple) else (image, image)
        found["pixel_values"] = normal(1, of(vision, "num_channels") or 3, height, width)
        words.append(f"standard normal pixels, {height} by {width}")
    if main == "input_features":
        frames = 2 * int(of(config, "max_source_positions") or tokens)
        found["input_features"] = normal(1, int(of(config, "num_mel_bins") or 80), frames)
        words.append(f"{frames} standard normal frames")
    if main == "input_values":
        found["input_values"] = normal(1, 400 * tokens)
        words.append(f"{400 * tokens} standard normal samples")
    if isinstance(vocabulary, int) and (main == "input_ids" or vision is not config):
        found["input_ids"] = ids(tokens)
        words.append(f"{tokens} token ids")
    if of(config, "is_encoder_decoder") and isinstance(vocabulary, int):
        found["decoder_input_ids"] = ids(max(tokens - 1, 1))
        words.append(f"{max(tokens - 1, 1)} of the decoder")
    if found:
        more = {"use_cache": False} if getattr(config, "use_cache", None) else {}
        yield Example((), {**found, **more}, " and ".join(words))
        yield Example((), found, " and ".join(words))


def _by_name(
    module: Any, tokens: Callable[[], Any], ids: Callable[[], Any] | None, text: str
) -> Iterator[Example]:
    """Values for the arguments that the model requires, by their names: ones for a mask, ids if the
    name says so, else tokens.  Nothing if a first argument alone suffices."""
    try:
        declared = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):  # compiled code has no signature
        return
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in declared if p.default is p.empty and p.kind in kinds]
    if not needed or (len(needed) == 1 and needed[0].kind is kinds[1]):
        return
    given: dict[str, Any] = {}
    for p in needed:
        if "mask" in p.name:
            given[p.name] = tokens().new_ones(tokens().shape[:2]).long()
        else:
            given[p.name] = ids() if ids is not None and _says_ids(p.name) else tokens()
    yield Example((), given, text)


def _says_ids(name: str) -> bool:
    return any(word in ("id", "ids", "idx", "token", "tokens") for word in name.lower().split("_"))


def _widths(torch: Any, module: Any) -> Iterator[int]:
    """Widths of tokens that the first layers accept."""
    seen: dict[int, None] = {}
    for part in module.modules():
        if isinstance(part, torch.nn.LayerNorm) and len(part.normalized_shape) == 1:
            seen[part.normalized_shape[0]] = None
        elif isinstance(part, torch.nn.MultiheadAttention):
            seen[part.embed_dim] = None
        elif isinstance(part, torch.nn.Linear):
            seen[part.in_features] = None
        if len(seen) == 4:
            break
    yield from seen


def _embedded(torch: Any, module: Any) -> int | None:
    found = (m for m in module.modules() if isinstance(m, torch.nn.Embedding))
    first = next(found, None)
    return None if first is None else int(first.num_embeddings)
