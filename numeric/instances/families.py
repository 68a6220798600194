"""The instance families, as named data: what is special about the instances of each.

A family defines the rows of the stream ``x``, how LayerNorm's ε is chosen, how saturated the
attention's softmax is, how much a sublayer adds to its stream, which sizes the graph has, and
whether the family lies in the domain of intended use (ε > 0).  `instances.draw` draws from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric.ops import Shape
from numeric.streams import Streams

__all__ = ["BASE_SIZES", "FAMILIES", "Family", "Region", "define_family", "families_of", "sizes_of"]

FloatArray = npt.NDArray[np.float64]
Draw = Callable[[Streams, Mapping[str, FloatArray]], FloatArray]


class Region(StrEnum):
    """Where a family lies relative to the domain of intended use, ε > 0."""

    DOMAIN = "domain"
    """ε > 0.  Hypotheses must hold here, and undecided instances count against the verdict."""
    EDGE = "edge"
    """Outside, where the hypotheses hold for some instances."""
    REFUTING = "refuting"
    """Outside, where every instance violates a hypothesis; the check must reject it."""


@dataclass(frozen=True, slots=True)
class Family:
    """One way of drawing instances.

    Attributes:
        rows: the entries of ``x`` (or of any input that is not a parameter), ``(B, *shape)``.
        eps: ε for each instance, ``(B,)``, given the variances ``(B, rows)`` of the rows that its
            LayerNorm normalizes.
        scores: the largest absolute score of the attention, ``(B,)``.
        branch: ``(B,)`` from 0 to 1, how much a sublayer adds to its stream; 0 makes each row of
            the second sublayer's input exactly constant.
        sizes: sizes that differ from `BASE_SIZES`.
        needs: sizes that a graph must have for the family to differ from others.
        float32: round every input and constant to single precision.
        graphs: the graphs that the family is for; empty for all that have none of their own.
        constants: how to draw constants other than ε, by symbol: ``(B,)`` from a stream and the
            inputs, each ``(B, *shape)``.
    """

    name: str
    description: str
    region: Region
    rows: Callable[[Streams, Shape], FloatArray]
    eps: Callable[[Streams, FloatArray], FloatArray]
    scores: Callable[[Streams], FloatArray]
    branch: Callable[[Streams], FloatArray]
    sizes: Mapping[str, int]
    needs: tuple[str, ...] = ()
    float32: bool = False
    graphs: tuple[str, ...] = ()
    constants: Mapping[str, Draw] = field(default_factory=dict)

    def fits(self, sizes: Mapping[str, int]) -> bool:
        """Whether a graph of these sizes has the family's special property.

        Sizes other than the family's own are allowed, except for one token and for one or two
        channels.
        """
        own = ((name, self.sizes.get(name)) for name in ("seqLen", "dModel"))
        return all(n is None or n > 2 or sizes.get(name) == n for name, n in own)


BASE_SIZES: Mapping[str, int] = MappingProxyType(
    {
        "seqLen": 4,
        "dModel": 8,
        "numHeads": 2,
        "headDim": 4,
        "dFF": 16,
        "depth": 2,
        "memoryLen": 5,
        "dMemory": 6,
        "classes": 7,
        "vocab": 7,
        "buckets": 6,  # of relative positions
        "visible": 3,  # the tokens of the memory that are not padding
        "numGroups": 2,
        "perGroup": 3,  # heads that share keys and values
    }
)


def sizes_of(
    family: Family, names: Sequence[str], defaults: Mapping[str, int] = BASE_SIZES
) -> tuple[tuple[str, int], ...]:
    """The sizes of a graph whose sizes are called ``names``, for this family."""
    return tuple((name, family.sizes.get(name, defaults[name])) for name in names)


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


def _usual_eps(s: Streams, variances: FloatArray) -> FloatArray:
    return s.log_uniform(-6, -1)


def _tiny_eps(s: Streams, variances: FloatArray) -> FloatArray:
    return s.log_uniform(-30, -12)


def _zero_eps(s: Streams, variances: FloatArray) -> FloatArray:
    return np.zeros(len(s))


def _slightly_negative_eps(s: Streams, variances: FloatArray) -> FloatArray:
    return np.asarray(-s.uniform((), 0.1, 0.9) * variances.min(axis=1))


def _overwhelming_eps(s: Streams, variances: FloatArray) -> FloatArray:
    return np.asarray(-s.uniform((), 1.1, 4.0) * variances.min(axis=1) - 1e-12)


def _cancelling_eps(s: Streams, variances: FloatArray) -> FloatArray:
    return np.asarray(-variances.min(axis=1))


def _usual_scores(s: Streams) -> FloatArray:
    return s.log_uniform(-1.0, 1.3)


def _saturating_scores(s: Streams) -> FloatArray:
    """Nearly all weight on one token.  The graph's exp has no shift: scores stay where neither it
    nor its tangent under the complex step overflows or underflows."""
    return s.uniform((), 40.0, 160.0)


def _full(s: Streams) -> FloatArray:
    return np.ones(len(s))


def _none(s: Streams) -> FloatArray:
    return np.zeros(len(s))


def _faint(s: Streams) -> FloatArray:
    return s.log_uniform(-9, -3)


def _perhaps_none(s: Streams) -> FloatArray:
    return np.where(s.child("coin").uniform() < 0.5, 0.0, 1.0)


def _faint_or_none(s: Streams) -> FloatArray:
    return np.where(s.child("coin").uniform() < 0.5, 0.0, _faint(s))


def _family(
    name: str,
    description: str,
    region: Region = Region.DOMAIN,
    rows: Callable[[Streams, Shape], FloatArray] = _generic,
    eps: Callable[[Streams, FloatArray], FloatArray] = _usual_eps,
    scores: Callable[[Streams], FloatArray] = _usual_scores,
    branch: Callable[[Streams], FloatArray] = _full,
    float32: bool = False,
    needs: tuple[str, ...] = (),
    sizes: Mapping[str, int] | None = None,
) -> Family:
    chosen = MappingProxyType(dict(sizes or {}))
    return Family(name, description, region, rows, eps, scores, branch, chosen, needs, float32)


# The sum of seven copies of a number is not exactly seven times it: the mean of a constant row is
# rounded.
_TALL = {"seqLen": 9, "dModel": 7, "numHeads": 3, "headDim": 2, "dFF": 5, "depth": 3}
_ONE_CHANNEL = {"dModel": 1, "numHeads": 1, "headDim": 1, "dFF": 3}
_TWO_CHANNELS = {"dModel": 2, "numHeads": 2, "headDim": 1, "dFF": 3}

_ALL = (
    _family("generic", "normal rows, ε from 1e-6 to 0.1"),
    _family("tall", "more tokens than channels, odd sizes", sizes=_TALL),
    _family("badly scaled", "each row on a scale of its own, 1e-6 to 1e6", rows=_badly_scaled),
    _family("large offset", "unit variance on an offset of 1e3 to 1e8", rows=_offset,
            branch=_faint),
    _family("near-constant rows", "relative spread 1e-9 to 1e-3", rows=_near_constant,
            branch=_faint, sizes={"numHeads": 1, "headDim": 8}),
    _family("constant rows", "at least one row with variance exactly 0", rows=_constant,
            branch=_faint_or_none, sizes=_TALL),
    _family("saturated softmax", "scores up to 40 to 160: nearly all weight on one token",
            scores=_saturating_scores, needs=("numHeads",),
            sizes={"numHeads": 4, "headDim": 2}),
    _family("d_model 1", "every variance is 0, no gradient reaches x", sizes=_ONE_CHANNEL),
    _family("d_model 2", "normalized rows are ±1 up to ε", sizes=_TWO_CHANNELS),
    _family("seq_len 1", "a single token", sizes={"seqLen": 1}),
    _family("tiny eps", "ε from 1e-30 to 1e-12", eps=_tiny_eps),
    _family("float32", "every number rounded to single precision", float32=True),
    _family("eps 0", "ε = 0; half of the instances have a constant row", Region.EDGE,
            _sometimes_constant, _zero_eps, branch=_perhaps_none, sizes=_TALL),
    _family("eps slightly negative", "−ε below every row's variance", Region.EDGE,
            eps=_slightly_negative_eps),
    _family("eps cancels variance", "−ε is a row's variance as computed: hidden by rounding",
            Region.EDGE, eps=_cancelling_eps),
    _family("eps 0, constant row", "var + ε = 0 in a row", Region.REFUTING, _constant, _zero_eps,
            branch=_none, sizes=_TALL),
    _family("eps 0, d_model 1", "var + ε = 0 in every row", Region.REFUTING,
            eps=_zero_eps, sizes=_ONE_CHANNEL),
    _family("eps overwhelms variance", "var + ε < 0 in a row", Region.REFUTING,
            eps=_overwhelming_eps),
)  # fmt: skip

_BY_NAME = {f.name: f for f in _ALL}

FAMILIES: Mapping[str, Family] = MappingProxyType(_BY_NAME)
"""Every family by name, in the order in which reports show them."""

if len(FAMILIES) != len(_ALL):
    raise AssertionError("two families have the same name")


def families_of(graph: str) -> tuple[Family, ...]:
    """The families for a graph: its own where it has some, else those for every graph."""
    own = tuple(f for f in FAMILIES.values() if graph in f.graphs)
    return own or tuple(f for f in FAMILIES.values() if not f.graphs)


def define_family(
    name: str,
    description: str,
    *,
    graphs: Sequence[str],
    region: Region = Region.DOMAIN,
    rows: Callable[[Streams, Shape], FloatArray] = _generic,
    constants: Mapping[str, Draw] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Family:
    """Add a family of instances for a project's own graphs, which then have no other families.

    Args:
        name: unique; reports and `obligations replay` name it.
        description: what is special about its instances.
        graphs: names of the graphs, without the root namespace.
        region: where it lies relative to the intended use.
        rows: draws an input ``(B, *shape)`` from a stream and ``shape``; the default has entries
            of mixed scale.
        constants: draws constants ``(B,)`` by symbol, from a stream and the inputs.
        sizes: sizes that differ from the check's defaults.

    Raises:
        ValueError: the name is taken, or ``graphs`` is empty.
    """
    if name in _BY_NAME:
        raise ValueError(f"expected a new name for a family but got {name!r}, which there is")
    if not graphs:
        raise ValueError(f"family {name!r}: expected the graphs that it is for but got none")
    made = replace(
        _family(name, description, region, rows, sizes=sizes),
        graphs=tuple(graphs),
        constants=MappingProxyType(dict(constants or {})),
    )
    _BY_NAME[name] = made
    return made
