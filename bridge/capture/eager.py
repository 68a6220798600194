"""What the untouched code of a layer computes in one call, and the gradients of autograd."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.capture.copies import duplicate, lifted
from bridge.capture.exported import first_tensor
from bridge.capture.forward import Call

__all__ = ["Eager", "run_eager", "unlike_in_the_model", "without_gradients"]

FloatArray = npt.NDArray[np.float64]
SAME_CODE = 1e4
"""In units in the last place: the same code on the same input may add up in another order."""


@dataclass(frozen=True, slots=True)
class Eager:
    """A run with gradients.

    Attributes:
        output: the first tensor.
        parameters: gradients by name; None where the code gives none.
        inputs: gradients of the float inputs by their place among all; None where it gives none.
        cotangent: what was pulled back, rounded to the output's dtype, in the output's shape.
        shortest: the shortest float that a value had on the way, forward or back.
    """

    output: FloatArray
    parameters: Mapping[str, FloatArray | None]
    inputs: Mapping[str, FloatArray | None]
    cotangent: FloatArray
    shortest: Any = None


@contextmanager
def _floats() -> Iterator[set[Any]]:
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
        call: what it is given.
        cotangent: of the output, in its full shape.
        lift: whether casts to shorter floats inside become casts to float64.
    """
    torch: Any = importlib.import_module("torch")
    leaves: list[Any] = []

    def leaf(x: Any) -> Any:
        own = x.detach().clone()
        leaves.append(own.requires_grad_() if own.is_floating_point() else own)
        return own

    args, kwargs = torch.utils._pytree.tree_map_only(
        torch.Tensor, leaf, (tuple(call.args), dict(call.kwargs))
    )
    for parameter in part.parameters():
        parameter.grad = None
        parameter.requires_grad_(True)
    with torch.enable_grad(), _floats() as floats:
        with lifted() if lift else nullcontext():
            output = first_tensor(part(*args, **kwargs))
        if not output.requires_grad:
            raise ValueError("its output has no gradient, as under no_grad")
        rounded = torch.from_numpy(cotangent).to(output.dtype).reshape(output.shape)
        output.backward(rounded)
    flat = torch.utils._pytree.tree_leaves((args, kwargs))
    found = Eager(
        _numbers(output),
        {n: _gradient(p) for n, p in part.named_parameters()},
        {
            str(k): _gradient(x)
            for k, x in enumerate(flat)
            if isinstance(x, torch.Tensor) and x.is_floating_point()
        },
        _numbers(rounded),
        max(floats, key=lambda dtype: float(torch.finfo(dtype).eps)),
    )
    part.zero_grad(set_to_none=True)
    return found


def without_gradients(part: Any, call: Call) -> tuple[float, bool]:
    """How far the output under ``no_grad`` is from that with gradients, of its size.

    Nothing is lifted: PyTorch's fused layers, which may compute something else, are not taken where
    casts are watched.

    Returns:
        The distance, and whether the layer computes in a shorter float inside, so that some 1e-7 is
        rounding.
    """
    torch: Any = importlib.import_module("torch")
    with torch.enable_grad():
        with lifted() as casts:
            part(*call.args, **call.kwargs)
        first = _numbers(first_tensor(part(*call.args, **call.kwargs)))
    with torch.no_grad():
        again = _numbers(first_tensor(part(*call.args, **call.kwargs)))
    size = max(float(np.abs(first).max()), 1e-280)
    apart = float(np.abs(first - again).max()) / size
    return (apart if apart == apart else float("inf")), bool(casts)


def unlike_in_the_model(own: Any, call: Call, gave: Any) -> str:
    """That a layer by itself returns something else than it did in the model, on the same input:
    something reaches it that is no argument.  Empty where it does not, or where that is not known.

    Args:
        own: the layer as it is; a copy runs.
        call: what its parent gave it.
        gave: the first tensor that it returned there, in float64; None where it is not known.
    """
    torch: Any = importlib.import_module("torch")
    dtypes = {p.dtype for p in own.parameters() if p.is_floating_point()}
    if gave is None or len(dtypes) > 1:
        return ""
    dtype = next(iter(dtypes), torch.float64)
    given = call.to(dtype)
    with torch.enable_grad():
        output = first_tensor(duplicate(own)(*given.args, **given.kwargs)).detach().double()
    apart = float("inf")
    if output.shape == gave.shape:
        apart = float((output - gave).abs().max()) / max(float(gave.abs().max()), 1e-280)
        if apart <= SAME_CODE * float(torch.finfo(dtype).eps):
            return ""
    return f"in the model it returned something else than by itself: {apart:.2g} of its size"


def _gradient(x: Any) -> FloatArray | None:
    return None if x.grad is None else _numbers(x.grad)


def _numbers(x: Any) -> FloatArray:
    return np.asarray(x.detach().double().cpu().numpy(), dtype=np.float64)
