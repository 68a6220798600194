"""What the unchanged code of a layer computes in one call, and autograd's gradients."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.capture.chance import chance
from bridge.capture.copies import copied, duplicate, lifted
from bridge.capture.exported import first_tensor, is_mask
from bridge.capture.forward import Call
from bridge.capture.user_code import RAISED

__all__ = [
    "Eager",
    "another_function",
    "floats_inside",
    "other_input",
    "own_dtype",
    "run_eager",
    "unlike_in_the_model",
]

FloatArray = npt.NDArray[np.float64]
ROUNDING, SHORT_LIMIT = 1e-9, 1e-5
"""Relative: two right computations in float64 differ by about 1e-14, and by about 1e-7 if a shorter
float takes part inside."""
SAME_CODE = 1e4
"""In units in the last place: the same code on the same input may add up in another order."""


@dataclass(frozen=True, slots=True)
class Eager:
    """A run with gradients.

    Attributes:
        output: the first tensor.
        parameters: gradients by name; None if the code gives none.
        inputs: gradients of the float inputs by their position; None if it gives none.
        cotangent: what was pulled back, rounded to the output's dtype, in the output's shape.
        shortest: the shortest float that a value had on the way, forward or back.
    """

    output: FloatArray
    parameters: Mapping[str, FloatArray | None]
    inputs: Mapping[str, FloatArray | None]
    cotangent: FloatArray
    shortest: Any = None


def own_dtype(part: Any) -> Any:
    """The one float dtype of a layer's parameters; None if it is float64, or not unique."""
    torch: Any = importlib.import_module("torch")
    dtypes = {p.dtype for p in part.parameters() if p.is_floating_point()} - {torch.float64}
    return next(iter(dtypes)) if len(dtypes) == 1 else None


@contextmanager
def floats_inside() -> Iterator[set[Any]]:
    """The dtypes of all floats that operations return inside, under autocast too."""
    torch: Any = importlib.import_module("torch")
    modes: Any = importlib.import_module("torch.utils._python_dispatch")
    seen: set[Any] = set()

    class Watch(modes.TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            found = func(*args, **(kwargs or {}))
            for x in torch.utils._pytree.tree_leaves(found):
                if isinstance(x, torch.Tensor) and x.is_floating_point():
                    seen.add(x.dtype)
            return found

    with Watch():
        yield seen


def run_eager(part: Any, call: Call, cotangent: FloatArray, *, lift: bool) -> Eager:
    """Run the layer, and pull the cotangent back through it.

    Args:
        part: a copy of the layer, which keeps no gradients afterwards.
        call: its arguments.
        cotangent: of the output, in its full shape.
        lift: whether casts to shorter floats inside become casts to float64.
    """
    torch: Any = importlib.import_module("torch")
    leaves: list[Any] = []

    def leaf(x: Any) -> Any:
        leaves.append(x.detach().clone())
        # A leaf itself could not be changed in place.
        return leaves[-1].requires_grad_().clone() if x.is_floating_point() else leaves[-1]

    tree = torch.utils._pytree
    with torch.enable_grad():
        args, kwargs = tree.tree_map_only(torch.Tensor, leaf, _all_of(call))
    for parameter in part.parameters():
        parameter.grad = None
        parameter.requires_grad_(True)
    with torch.enable_grad(), floats_inside() as floats:
        with lifted() if lift else nullcontext():
            output = first_tensor(part(*args, **kwargs))
        if not output.requires_grad:
            raise ValueError("its output has no gradient, as under no_grad")
        rounded = torch.from_numpy(cotangent).to(output.dtype).reshape(output.shape)
        output.backward(rounded)
    flat = tree.tree_leaves(_all_of(call))
    places = [k for k, x in enumerate(flat) if isinstance(x, torch.Tensor)]
    found = Eager(
        _numbers(output),
        {n: _gradient(p) for n, p in part.named_parameters()},
        {
            str(k): _gradient(x)
            for k, x in zip(places, leaves, strict=True)
            if x.is_floating_point()
        },
        _numbers(rounded),
        max(floats, key=lambda dtype: float(torch.finfo(dtype).eps)),
    )
    part.zero_grad(set_to_none=True)
    return found


def _all_of(call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return tuple(call.args), dict(call.kwargs)


def another_function(own: Any, call: Call) -> str:
    """That a layer computes something else without gradients, in inference mode, or after a call on
    another input; or that random numbers take part.  Empty if it is one function.

    Casts are not lifted when outputs are compared: PyTorch's fused layers, which may compute
    something else, do not run while casts are watched.

    Args:
        own: the layer; copies in float64 run.
        call: its arguments from its parent.
    """
    torch: Any = importlib.import_module("torch")

    def run(part: Any, given: Call) -> Any:
        """Run on copies, made when needed: it may write into its arguments."""
        args, kwargs = _own(torch, _all_of(given))
        return part(*args, **kwargs)

    part = copied(own)
    with torch.no_grad():
        random = chance(lambda: first_tensor(run(part, call)))
    if random:
        return random
    with torch.enable_grad():
        with lifted() as casts:
            run(part, call)
        first = _numbers(first_tensor(run(part, call)))
    limit = SHORT_LIMIT if casts else ROUNDING
    for title, guard in (
        ("under no_grad", torch.no_grad()),
        ("in inference mode", torch.inference_mode()),
    ):
        with guard:
            again = first_tensor(run(part, call))
        gap = _gap(first, _numbers(again))
        if gap > limit:
            return f"{title} the layer computes something else: its output differs by {gap:.2g}"
    part, other = copied(own), other_input(call)  # a copy keeps only the other input
    with torch.enable_grad():
        try:
            run(part, other)
        except RAISED:  # it rejects such an input
            return ""
        gap = _gap(first, _numbers(first_tensor(run(part, call))))
    if gap <= limit:
        return ""
    return f"after a call on another input its output differs by {gap:.2g}: it keeps that input"


def other_input(call: Call) -> Call:
    """Another input of the same shapes: features in another order, other token ids; masks and
    positions stay.

    Tokens in another order would not do: attention gives the same, whichever order keys have.
    """
    torch: Any = importlib.import_module("torch")

    def moved(path: Any, x: Any) -> Any:
        if not isinstance(x, torch.Tensor) or x.is_nested or x.ndim < 2 or x.numel() == 0:
            return x
        name = torch.utils._pytree.keystr(path).lower()
        numbers = x.is_floating_point() or x.dtype == torch.int64
        if not numbers or "mask" in name or "position" in name or is_mask(name, x):
            return x
        if x.is_floating_point():
            return x.flip(-1)
        return x if bool(((x == 0) | (x == 1)).all()) else x.max() + x.min() - x

    tree = torch.utils._pytree
    return Call(*tree.tree_map_with_path(moved, (tuple(call.args), dict(call.kwargs))))


def _own(torch: Any, given: Any) -> Any:
    """Copies of tensors, made when needed."""
    return torch.utils._pytree.tree_map_only(torch.Tensor, lambda x: x.detach().clone(), given)


def _gap(first: FloatArray, again: FloatArray) -> float:
    if first.shape != again.shape:
        return float("inf")
    gap = float(np.abs(first - again).max()) / max(float(np.abs(first).max()), 1e-280)
    return gap if gap == gap else float("inf")


def unlike_in_the_model(own: Any, call: Call, gave: Any) -> str:
    """That a layer by itself returns something other than in the model, on the same input:
    something reaches it that is not an argument.  Empty if it does not, or if unknown.

    Args:
        own: the layer; a copy runs.
        call: its arguments from its parent.
        gave: the first tensor that it returned there, in float64; None if unknown.
    """
    torch: Any = importlib.import_module("torch")
    dtypes = {p.dtype for p in own.parameters() if p.is_floating_point()}
    if gave is None or len(dtypes) > 1:
        return ""
    dtype = next(iter(dtypes), torch.float64)
    args, kwargs = _own(torch, _all_of(call.to(dtype)))
    with torch.enable_grad():
        output = first_tensor(duplicate(own)(*args, **kwargs)).detach().double()
    apart = float("inf")
    if output.shape == gave.shape:
        apart = float((output - gave).abs().max()) / max(float(gave.abs().max()), 1e-280)
        if apart <= SAME_CODE * float(torch.finfo(dtype).eps):
            return ""
    return f"in the model its output differs from its output by itself, by {apart:.2g} of its size"


def _gradient(x: Any) -> FloatArray | None:
    return None if x.grad is None else _numbers(x.grad)


def _numbers(x: Any) -> FloatArray:
    return np.asarray(x.detach().double().cpu().numpy(), dtype=np.float64)
