"""The instance families: how inputs and constants are drawn, as named data.

A family says how the rows of the stream ``x`` look, how LayerNorm's ε is chosen, which sizes the
graph has, and where the family stands towards the intended use (ε > 0).  All other inputs are drawn
by their role, which their name tells.  An instance is a function of (seed, obligation key, family,
index) alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric.graph import Graph
from numeric.ops import Shape
from numeric.streams import Streams

__all__ = ["BASE_SIZES", "FAMILIES", "Batch", "Family", "Region", "draw", "sizes_of"]

FloatArray = npt.NDArray[np.float64]


class Region(StrEnum):
    """Where a family stands towards the domain of intended use, ε > 0."""

    DOMAIN = "domain"
    """ε > 0.  Hypotheses must hold here, and undecided instances count against the verdict."""
    EDGE = "edge"
    """Outside, where the hypotheses hold for some instances."""
    REFUTING = "refuting"
    """Outside, where every instance violates a hypothesis; the check must say no."""


@dataclass(frozen=True, slots=True)
class Family:
    """One way of drawing instances.

    Attributes:
        rows: the entries of ``x`` (or of any input that is not a parameter), ``(B, *shape)``.
        eps: ε for each instance, ``(B,)``, given the drawn rows.
        sizes: sizes that differ from `BASE_SIZES`.
        float32: round every input and constant to single precision.
    """

    name: str
    description: str
    region: Region
    rows: Callable[[Streams, Shape], FloatArray]
    eps: Callable[[Streams, FloatArray], FloatArray]
    sizes: Mapping[str, int]
    float32: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Instances of one shape: inputs ``(B, *shape)``, constants ``(B,)``, and a stream for each."""

    family: str
    indices: npt.NDArray[np.int64]
    inputs: Mapping[str, FloatArray]
    constants: Mapping[str, FloatArray]
    streams: Streams

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, rows: npt.NDArray[np.int64]) -> Batch:
        """Some of the instances; each keeps its numbers."""
        return Batch(
            self.family,
            self.indices[rows],
            {name: value[rows] for name, value in self.inputs.items()},
            {name: value[rows] for name, value in self.constants.items()},
            self.streams.take(rows),
        )


BASE_SIZES: Mapping[str, int] = MappingProxyType(
    {"seqLen": 4, "dModel": 8, "numHeads": 2, "headDim": 4, "dFF": 16}
)


def sizes_of(family: Family, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """The sizes of a graph whose sizes are called ``names``, for this family."""
    return tuple((name, family.sizes.get(name, BASE_SIZES[name])) for name in names)


def _generic(s: Streams, shape: Shape) -> FloatArray:
    return s.normal(shape) * _per_instance(s.child("scale").log_uniform(-1, 1), shape)


def _badly_scaled(s: Streams, shape: Shape) -> FloatArray:
    rows = shape[:-1]
    scale = s.child("row scale").log_uniform(-6, 6, rows)[..., None]
    return s.normal(shape) * scale


def _offset(s: Streams, shape: Shape) -> FloatArray:
    rows = shape[:-1]
    offset = s.child("sign").signs(rows) * s.child("offset").log_uniform(3, 8, rows)
    return s.normal(shape) + offset[..., None]


def _near_constant(s: Streams, shape: Shape) -> FloatArray:
    level = s.child("level").normal(shape[:-1])[..., None]
    spread = s.child("spread").log_uniform(-9, -3, shape[:-1])[..., None]
    return level * (1.0 + spread * s.normal(shape))


def _constant(s: Streams, shape: Shape) -> FloatArray:
    """The first row constant, and each other one with probability 1/2."""
    level = s.child("level").normal(shape[:-1])[..., None]
    rows = s.child("which").uniform(shape[:-1]) < 0.5
    rows.reshape(len(s), -1)[:, 0] = True
    return np.where(rows[..., None], level, s.normal(shape))


def _sometimes_constant(s: Streams, shape: Shape) -> FloatArray:
    """Half of the instances have a constant row."""
    keep = _per_instance(s.child("coin").uniform(), shape) < 0.5
    return np.where(keep, s.normal(shape), _constant(s, shape))


def _per_instance(value: FloatArray, shape: Shape) -> FloatArray:
    return value.reshape(-1, *(1 for _ in shape))


def _usual_eps(s: Streams, x: FloatArray) -> FloatArray:
    return s.log_uniform(-6, -1)


def _tiny_eps(s: Streams, x: FloatArray) -> FloatArray:
    return s.log_uniform(-30, -12)


def _zero_eps(s: Streams, x: FloatArray) -> FloatArray:
    return np.zeros(len(s))


def _row_variances(x: FloatArray) -> FloatArray:
    d = x.shape[-1]
    c = x - x.sum(axis=-1, keepdims=True) / d
    return np.asarray((c * c).sum(axis=-1) / d).reshape(len(x), -1)


def _slightly_negative_eps(s: Streams, x: FloatArray) -> FloatArray:
    return np.asarray(-s.uniform((), 0.1, 0.9) * _row_variances(x).min(axis=1))


def _overwhelming_eps(s: Streams, x: FloatArray) -> FloatArray:
    return np.asarray(-s.uniform((), 1.1, 4.0) * _row_variances(x).min(axis=1) - 1e-12)


def _cancelling_eps(s: Streams, x: FloatArray) -> FloatArray:
    return np.asarray(-_row_variances(x).min(axis=1))


def _family(
    name: str,
    description: str,
    region: Region = Region.DOMAIN,
    rows: Callable[[Streams, Shape], FloatArray] = _generic,
    eps: Callable[[Streams, FloatArray], FloatArray] = _usual_eps,
    float32: bool = False,
    sizes: Mapping[str, int] | None = None,
) -> Family:
    return Family(
        name, description, region, rows, eps, MappingProxyType(dict(sizes or {})), float32
    )


# Seven copies of a number do not add up to seven times it: the mean of a constant row is rounded.
_TALL = {"seqLen": 9, "dModel": 7}

_ALL = (
    _family("generic", "normal rows, ε from 1e-6 to 0.1"),
    _family("tall", "more tokens than channels, odd sizes", sizes=_TALL),
    _family("badly scaled", "each row on a scale of its own, 1e-6 to 1e6", rows=_badly_scaled),
    _family("large offset", "unit variance on an offset of 1e3 to 1e8", rows=_offset),
    _family("near-constant rows", "relative spread 1e-9 to 1e-3", rows=_near_constant),
    _family("constant rows", "at least one row with variance exactly 0", rows=_constant,
            sizes=_TALL),
    _family("d_model 1", "every variance is 0, no gradient reaches x", sizes={"dModel": 1}),
    _family("d_model 2", "normalized rows are ±1 up to ε", sizes={"dModel": 2}),
    _family("seq_len 1", "a single token", sizes={"seqLen": 1}),
    _family("tiny eps", "ε from 1e-30 to 1e-12", eps=_tiny_eps),
    _family("float32", "every number rounded to single precision", float32=True),
    _family("eps 0", "ε = 0; half of the instances have a constant row", Region.EDGE,
            _sometimes_constant, _zero_eps, sizes=_TALL),
    _family("eps slightly negative", "−ε below every row's variance", Region.EDGE,
            eps=_slightly_negative_eps),
    _family("eps cancels variance", "−ε is a row's variance as computed: hidden by rounding",
            Region.EDGE, eps=_cancelling_eps),
    _family("eps 0, constant row", "var + ε = 0 in a row", Region.REFUTING, _constant, _zero_eps,
            sizes=_TALL),
    _family("eps 0, d_model 1", "var + ε = 0 in every row", Region.REFUTING,
            eps=_zero_eps, sizes={"dModel": 1}),
    _family("eps overwhelms variance", "var + ε < 0 in a row", Region.REFUTING,
            eps=_overwhelming_eps),
)  # fmt: skip

FAMILIES: Mapping[str, Family] = MappingProxyType({f.name: f for f in _ALL})
"""Every family by name, in the order in which reports show them."""

if len(FAMILIES) != len(_ALL):
    raise AssertionError("two families have the same name")


def draw(
    family: Family,
    graph: Graph,
    *,
    seed: int,
    key: str,
    indices: Sequence[int] | npt.NDArray[np.int64],
) -> Batch:
    """Draw the instances ``indices`` of a family for the inputs and symbols of a graph.

    Args:
        key: of the obligation that the instances are for.
        indices: which instances; each is the same in every batch that holds it.
    """
    streams = Streams.of(seed, key, family.name, indices)
    inputs: dict[str, FloatArray] = {}
    for given in graph.inputs:
        inputs[given.name] = _input(
            family, given.name, streams.child("input", given.name), given.shape
        )
    if family.float32:
        inputs = {name: _single(value) for name, value in inputs.items()}
    constants: dict[str, FloatArray] = {}
    for symbol, default in graph.symbols.items():
        if symbol.startswith("eps"):
            rows = inputs[graph.inputs[0].name]
            constants[symbol] = family.eps(streams.child("constant", symbol), rows)
        else:
            constants[symbol] = np.full(len(streams), default)
    if family.float32:
        constants = {name: _single(value) for name, value in constants.items()}
    return Batch(
        family.name,
        np.asarray(indices, dtype=np.int64),
        inputs,
        constants,
        streams.child("direction"),
    )


def _single(value: FloatArray) -> FloatArray:
    return value.astype(np.float32).astype(np.float64)


def _input(family: Family, name: str, s: Streams, shape: Shape) -> FloatArray:
    """Draw one input: gains about ±1, biases about 0, weights with outputs of unit size, else
    rows."""
    role = name.rstrip("0123456789")
    if role == "gamma":
        return s.child("sign").signs(shape) * s.log_uniform(-0.5, 0.5, shape)
    if role in ("beta", "b"):
        return s.normal(shape)
    if role.startswith("W") and len(shape) == 2:
        return np.asarray(s.normal(shape) / np.sqrt(shape[0]), dtype=np.float64)
    return family.rows(s, shape)
