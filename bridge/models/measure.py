"""One sequence through one layer: margins of the side conditions, and agreements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.checking import Worst
from bridge.models.activations import ACTIVATIONS, TANH_GELU
from bridge.models.agreement import Agreement, compare, scalar_agreement, worst
from bridge.models.blocks import OVERFLOWS, ULP, Block, ClosedBlock, LeanBlock, Point, Rows
from bridge.models.layer import Layer, Pulled
from bridge.models.theorems import Theorems
from numeric.closed_forms import layer_norm, post_norm
from numeric.closed_forms.layer_norm import VarEps
from numeric.judge.measurement import Outcome

__all__ = ["HIDDEN", "Judged", "Passed", "measure"]

FloatArray = npt.NDArray[np.float64]

HIDDEN = -1e4
"""Replaces −∞ in a mask: e^−10⁴ is 0 in float64, and −10⁴ is a real number."""

AUTOGRAD = "torch autograd"
OWN_DTYPE = "the model in"
_U = 2.0**-53


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of one sequence for one obligation."""

    outcome: Outcome
    worst: Worst
    place: str


@dataclass(frozen=True, slots=True)
class Passed:
    """One sequence through one layer.

    Attributes:
        judged: results by what was measured; see `bridge.models.theorems.measure_of`.
        var_eps: lower bounds of var + ε of the rows of both LayerNorms, ``(seq_len,)`` each.
        zero_variance: how many rows of each have a variance that is 0 to rounding.
        output: the layer's own output, ``(seq_len, d_model)``: the next layer's input.
        difference: the largest difference between an entry of the layer's own output and the
            theorem's; ``None`` if the layer's own is unknown, and ``output`` is the theorem's.
        computed_by: what the theorem's value and backprop were computed with.
        compared_with: what the theorem's value and backprop were compared with.
        blind: for each gradient, the share of it that could be wrong unnoticed.
    """

    judged: Mapping[str, Judged]
    var_eps: tuple[FloatArray, FloatArray]
    zero_variance: tuple[int, int]
    output: FloatArray
    difference: float | None
    computed_by: str
    compared_with: tuple[str, ...]
    blind: Mapping[str, float]


def measure(
    layer: Layer, block: Block, theorems: Theorems, at: Point, mask: FloatArray | None
) -> Passed:
    """Measure a layer on one sequence.

    Args:
        layer: the layer.
        block: the theorem's block.
        theorems: the theorems that apply to the layer.
        at: sequence, weights and constants, as the block needs them.
        mask: the layer's own mask, ``(seq_len, seq_len)``; −∞ hides.
    """
    if isinstance(block, LeanBlock) and block.overflows(at):
        steady = block.steadied()
        block = ClosedBlock(theorems.graph, OVERFLOWS) if steady.overflows(at) else steady
    inner = block.inner(at)
    rows = inner.norms
    eps = (at.constants["eps1"], at.constants["eps2"])
    signs = tuple(layer_norm.var_eps(r.values, e, r.radius) for r, e in zip(rows, eps, strict=True))
    judged: dict[str, Judged] = {}
    for number, (sign, e) in enumerate(zip(signs, eps, strict=True), start=1):
        judged |= _side_conditions(number, sign, float(e[0]))
    judged["hPreActivationNe0"] = _away_from_zero(inner.hidden)
    cotangent = at.streams.child("cotangent").normal(at.inputs["x"].shape[1:])
    agreements, conforming, theirs = _agreements(layer, block, theorems, at, cotangent)
    values = [a for a in agreements if a.what == "output"]
    if values:  # the closed form alone cannot be compared with anything
        judged["value"] = _judged(values)
    judged["backprop"] = _judged([a for a in agreements if a.what != "output"])
    own = _own(layer, theorems, at, mask, conforming)
    return Passed(
        judged=judged,
        var_eps=(signs[0].low[0], signs[1].low[0]),
        zero_variance=(_zero_variance(rows[0]), _zero_variance(rows[1])),
        output=theirs if own is None else own,
        difference=None if own is None else float(np.abs(own - theirs).max()),
        computed_by=block.source,
        compared_with=tuple(dict.fromkeys(a.against for a in agreements)),
        blind=_blind(agreements),
    )


def _blind(agreements: list[Agreement]) -> dict[str, float]:
    """The least share of each gradient that some comparison would notice.  The gradient of bk is
    left out: it is 0 in exact arithmetic, since adding a constant to all scores does not change a
    softmax; so is the mask's, which no model has."""
    found: dict[str, float] = {}
    for a in agreements:
        name = a.what.removeprefix("gradient of ")
        short = a.against.startswith(OWN_DTYPE)
        if name != a.what and name not in ("bk", "mask") and not short:
            found[name] = min(a.blind, found.get(name, 1.0))
    return found


def _side_conditions(number: int, sign: VarEps, eps: float) -> dict[str, Judged]:
    """var + ε, std and ε of one LayerNorm; std is 0 exactly where var + ε ≤ 0."""
    row = int(np.argmin(sign.low[0]))
    low = float(sign.low[0, row])
    if sign.nonpositive.any():
        outcome = Outcome.FAILS
        row = int(np.argmax(sign.nonpositive[0]))
    else:
        outcome = Outcome.HOLDS if sign.positive.all() else Outcome.UNDECIDED
    std = float(np.sqrt(max(low, 0.0)))
    place = f"row {row}"
    positive = Outcome.HOLDS if eps > 0 else Outcome.FAILS
    return {
        f"hNorm{number}VarEpsPos": Judged(outcome, Worst(-low, 0.0, low), place),
        f"hNorm{number}StdNe0": Judged(outcome, Worst(-std, 0.0, std), place),
        f"hEps{number}Pos": Judged(positive, Worst(-eps, 0.0, eps), f"ε{'₁₂'[number - 1]}"),
    }


def _away_from_zero(rows: Rows) -> Judged:
    """That no number is 0, which ReLU's derivative requires of its input."""
    values, radius = np.abs(rows.values[0]), rows.radius[0]
    away = values - radius
    zero = (values == 0) & (radius == 0)
    token, unit = np.unravel_index(int(np.argmin(away)), away.shape)
    low = float(away[token, unit])
    if zero.any():
        outcome = Outcome.FAILS
        token, unit = np.argwhere(zero)[0]
    else:
        outcome = Outcome.HOLDS if low > 0 else Outcome.UNDECIDED
    return Judged(outcome, Worst(-low, 0.0, low), f"row {token}, hidden unit {unit}")


def _zero_variance(rows: Rows) -> int:
    """How many rows have var ≤ (d·u·max|h|)²."""
    h = rows.values[0]
    centered = h - h.mean(axis=-1, keepdims=True)
    variance = (centered * centered).mean(axis=-1)
    limit = h.shape[-1] * _U * np.abs(h).max(axis=-1)
    return int(np.count_nonzero(variance <= limit * limit))


def _judged(agreements: list[Agreement]) -> Judged:
    found = worst(agreements)
    return Judged(found.outcome, Worst(found.residual, found.tolerance, found.margin), str(found))


def _agreements(
    layer: Layer, block: Block, theorems: Theorems, at: Point, cotangent: FloatArray
) -> tuple[list[Agreement], Pulled | None, FloatArray]:
    """The theorem's value and backprop compared with all other computations of them.

    Returns:
        The agreements, the result of the layer's own code, and the theorem's value.
    """
    found = block.pull(at, cotangent)

    def moved(rerun: int, unit: float = ULP) -> dict[str, FloatArray]:
        return block.pull(at, cotangent, rerun, unit)

    agreements = [_against_complex_step(block, at, cotangent, found)]
    if isinstance(block, LeanBlock):
        closed = ClosedBlock(theorems.graph)
        agreements += compare(closed.source, found, closed.pull(at, cotangent), moved)
    conforming = None
    if layer.reference is not None:
        given = at.inputs.get("mask")
        conforming = layer.reference.conforming(
            at.inputs["x"][0],
            None if given is None else given[0],
            cotangent[0],
            own=layer.activation == theorems.activation,
        )
        expected = {"output": conforming.output, **conforming.gradients}
        against = {n: v[None] for n, v in expected.items()}
        agreements += compare(AUTOGRAD, found, against, moved)
        agreements += _in_own_dtype(layer, theorems, at, cotangent, found, moved)
    return agreements, conforming, found["output"][0]


def _in_own_dtype(
    layer: Layer,
    theorems: Theorems,
    at: Point,
    cotangent: FloatArray,
    found: Mapping[str, FloatArray],
    moved: Callable[[int, float], dict[str, FloatArray]],
) -> list[Agreement]:
    """The unchanged layer; nothing if it has another activation, or if rounding hides whether it
    agrees: the theorem is about real numbers."""
    if layer.reference is None or layer.activation != theorems.activation:
        return []
    mask = at.inputs.get("mask")
    own = layer.reference.in_own_dtype(
        at.inputs["x"][0], None if mask is None else mask[0], cotangent[0]
    )
    if own is None:
        return []
    expected = {"output": own.pulled.output, **own.pulled.gradients}
    agreements = compare(
        f"{OWN_DTYPE} {own.title}",
        found,
        {n: v[None] for n, v in expected.items()},
        lambda rerun: moved(rerun, own.unit),
        unit=own.unit / 2,
    )
    return [a for a in agreements if a.outcome is not Outcome.UNDECIDED]


def _against_complex_step(
    block: Block, at: Point, cotangent: FloatArray, found: Mapping[str, FloatArray]
) -> Agreement:
    """⟨J v, s⟩ = ⟨v, backprop s⟩ along a random v of all inputs, without any derivative rule."""
    tangents = {
        name: at.streams.child("tangent", name).signs(value.shape[1:])
        for name, value in at.inputs.items()
    }
    pushed = block.derivative(at, tangents)

    def along(pulled: Mapping[str, FloatArray]) -> float:
        return sum(float(np.vdot(t, pulled[n])) for n, t in tangents.items())

    size = float(np.abs(pushed * cotangent).sum())
    return scalar_agreement(
        "backprop along a random direction",
        "the complex step",
        float(np.vdot(pushed, cotangent)),
        along(found),
        size,
        lambda: 2.0 * abs(along(block.pull(at, cotangent, 1)) - along(found)),
    )


def _own(
    layer: Layer,
    theorems: Theorems,
    at: Point,
    mask: FloatArray | None,
    conforming: Pulled | None,
) -> FloatArray | None:
    """The layer's own output; ``None`` if nothing can compute it."""
    same_mask = mask is None or bool(np.isfinite(mask).all())
    x = at.inputs["x"]
    if layer.reference is not None:
        if layer.activation == theorems.activation and same_mask and conforming is not None:
            return conforming.output
        return layer.reference.own(x[0], mask)
    if layer.activation is None:
        return None
    return _with_activation(layer, at, mask)


def _with_activation(layer: Layer, at: Point, mask: FloatArray | None) -> FloatArray:
    """The block in closed form with the layer's own activation and mask."""
    t = {n: v for n, v in at.inputs.items() if n != "mask"}
    eps1, eps2 = at.constants["eps1"], at.constants["eps2"]
    first = post_norm.attention_run(
        {**t, "gamma": t["gamma1"], "beta": t["beta1"]},
        layer.num_heads,
        eps1,
        None if mask is None else mask[None],
    )
    y = np.asarray(first.output, dtype=np.float64)
    active = ACTIVATIONS[layer.activation or TANH_GELU](y @ t["W1"] + t["b1"][:, None])
    residual = y + active @ t["W2"] + t["b2"][:, None]
    output = layer_norm.forward(residual, t["gamma2"], t["beta2"], eps2)
    return np.asarray(output[0], dtype=np.float64)
