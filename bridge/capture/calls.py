"""An unchanged layer called several times: does one function run, and do all weights take part?

PyTorch's fused encoder layer runs only without gradients, so a layer can compute one thing under
``no_grad`` and another with gradients; neither its graph nor its gradients show that.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.capture.chance import chance
from bridge.capture.copies import copied, lifted
from bridge.capture.user_code import RAISED, said
from bridge.report.layers import Assumption

__all__ = ["Known", "observed"]

TOKENS = 8
ROUNDING = 1e-9
"""Relative, for float64: two right computations of one layer differ by about 1e-14."""

SMALL = 1e-4
"""Relative: up to it, a function known to run under ``no_grad`` is reported and covers the layer.
It is also what `bridge.models.agreement` never accepts as rounding."""

_TITLE, _EXPECTED = "what runs", "one function, with a gradient for every weight"


@dataclass(frozen=True, slots=True)
class Known:
    """A function that a layer may compute under ``no_grad`` instead of its own.

    Attributes:
        title: the function in words.
        use: makes a copy of the layer compute it with gradients too.
    """

    title: str
    use: Callable[[Any], None]


def observed(
    part: Any, d_model: int, call: Callable[[Any, Any], Any], known: Known | None = None
) -> Assumption:
    """Whether calls on one input give one output, and every parameter gets a gradient.

    The layer is copied to float64 and keeps its own mode, training or evaluation, and its
    activation.  Inputs are 8 random tokens.  Not checked: other inputs, and other dtypes.

    Args:
        part: an ``nn.Module``; it is not changed.
        d_model: the width of its tokens.
        call: runs a copy on ``(tokens, d_model)`` and returns the output.
        known: what it may compute under ``no_grad``.  If it computes exactly that, and differs by
            at most 1e-4 of the output's size, the assumption is met, with a note.

    Returns:
        An assumption that is not met if something differs, and open if the code raises an error.
    """
    torch: Any = importlib.import_module("torch")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(TOKENS, d_model, generator=generator, dtype=torch.float64)
    try:
        run = copied(part)
        for parameter in run.parameters():
            parameter.requires_grad_(True)
        with torch.enable_grad():
            first = call(run, x)
            drawn = torch.randn(first.shape, generator=generator, dtype=first.dtype)
            (first * drawn).sum().backward()
            again = call(run, x).detach()
            with lifted() as casts:
                call(run, x)
        with torch.no_grad():
            without = call(run, x)
            evaluated = call(copied(part).eval(), x) if part.training else without
            random = chance(lambda: call(run, x))
        with torch.inference_mode():
            inferred = call(run, x.clone())
        with torch.enable_grad():
            later = copied(part)  # whatever it keeps comes from another input
            call(later, x.flip(-1))
            kept = _distance(first.detach(), call(later, x).detach())
        apart = _distance(first.detach(), without)
        note = ""
        if known is not None and ROUNDING < apart <= SMALL:
            other = copied(part)
            known.use(other)
            if _distance(call(other, x).detach(), without) <= ROUNDING:
                note = f"under no_grad it computes {known.title}: {apart:.2g} of the output's size"
    except RAISED as e:  # the code is the user's: anything can happen
        text = f"not known: running it in float64 raised {said(e)}"
        return Assumption(_TITLE, _EXPECTED, text, None, apart=True)
    found = (
        [f"computes in a shorter float inside ({', '.join(dict.fromkeys(casts))})"] if casts else []
    )
    if (d := _distance(first.detach(), again)) > ROUNDING:
        found.append(f"two calls on one input differ by {d:.2g} of the output's size")
    elif random:
        found.append(random)
    elif kept > ROUNDING:
        found.append(f"after a call on another input its output differs by {kept:.2g} of its size")
    elif (d := _distance(without, inferred)) > ROUNDING:
        found.append(f"in inference mode its output differs by {d:.2g} from that under no_grad")
    elif apart > ROUNDING and not note:
        found.append(f"under no_grad its output differs by {apart:.2g} from that with gradients")
    elif part.training and (d := _distance(first.detach(), evaluated)) > ROUNDING:
        found.append(
            f"it is in training mode, where its output differs by {d:.2g} of its size from that in "
            "evaluation mode, which the block's measures use"
        )
    none = [n for n, p in run.named_parameters() if p.grad is None]
    if none:
        found.append(f"no gradient reaches {', '.join(none)}")
    text = "; ".join(found) or note or "one function"
    return Assumption(_TITLE, _EXPECTED, text, not found, note="" if found else note, apart=True)


def _distance(a: Any, b: Any) -> float:
    """max|a − b| over max|a|; infinite if either has a non-finite entry."""
    size = float(a.abs().max())
    difference = float((a - b).abs().max())
    if not difference < float("inf"):
        return float("inf")
    return difference / size if size > 0 else difference
