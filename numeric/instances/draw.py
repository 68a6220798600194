"""Draws instances: inputs and constants of a graph, from a family.

All inputs except the stream ``x`` are drawn by their role, which follows from the name.  An
instance depends only on (seed, key, family, index) and the graph's name, sizes and inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from numeric.closed_forms import attention, layer_norm, stack
from numeric.closed_forms.catalogue import CLOSED_FORMS, Arguments
from numeric.closed_forms.form import ClosedForm
from numeric.errors import GraphError
from numeric.graph import Graph
from numeric.instances.families import Family
from numeric.interpret.per_instance import largest
from numeric.ops import Array, Shape
from numeric.streams import Streams

__all__ = ["Batch", "draw"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Instances of one shape: inputs ``(B, *shape)``, constants ``(B,)``, and a stream for each.

    ``known`` caches values that follow from them, by name: see `numeric.instances.case.Case.once`.
    """

    family: str
    indices: npt.NDArray[np.int64]
    inputs: Mapping[str, FloatArray]
    constants: Mapping[str, FloatArray]
    streams: Streams
    known: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def bytes(self) -> int:
        """The size of all inputs."""
        return sum(value.nbytes for value in self.inputs.values())

    def take(self, rows: npt.NDArray[np.int64]) -> Batch:
        """Some of the instances, with the same numbers."""
        return Batch(
            self.family,
            self.indices[rows],
            {name: value[rows] for name, value in self.inputs.items()},
            {name: value[rows] for name, value in self.constants.items()},
            self.streams.take(rows),
        )


def draw(
    family: Family,
    graph: Graph,
    *,
    seed: int,
    key: str,
    indices: Sequence[int] | npt.NDArray[np.int64],
) -> Batch:
    """Draw the instances ``indices`` of a family for the inputs and symbols of a graph.

    ε is chosen after the rows that its LayerNorm normalizes.  Inside a block these come from the
    closed form of the graph's name, so that a wrong graph gets the same instances; a graph without
    a closed form normalizes its first input.

    Args:
        key: the purpose of the instances, such as an obligation's key, or a form of statements.
        indices: which instances; each is the same in every batch that contains it.
    """
    streams = Streams.of(seed, key, family.name, indices)
    branch = family.branch(streams.child("branch"))
    # A tiny scale without a shift would leave only rounding for the weights that follow.
    names = {given.name.rpartition(".")[2] for given in graph.inputs}
    alone = set() if "beta1" in names else {"gamma1"}
    inputs = {
        given.name: _input(
            family,
            given.name,
            streams.child("input", given.name),
            given.shape,
            np.ones_like(branch) if given.name.rpartition(".")[2] in alone else branch,
        )
        for given in graph.inputs
    }
    _scale_scores(inputs, graph, family.scores(streams.child("scores")))
    if family.float32:
        inputs = {name: _single(value) for name, value in inputs.items()}
    return Batch(
        family.name,
        np.asarray(indices, dtype=np.int64),
        inputs,
        _constants(family, graph, inputs, streams),
        streams.child("direction"),
    )


def _constants(
    family: Family, graph: Graph, inputs: Mapping[str, FloatArray], streams: Streams
) -> dict[str, FloatArray]:
    """A value for each symbol: the family's draw; each ε after the rows, in order of their numbers;
    the graph's own for all others."""
    constants = {s: np.full(len(streams), value) for s, value in graph.symbols.items()}
    for symbol in sorted(set(constants) & set(family.constants)):
        constants[symbol] = family.constants[symbol](streams.child("constant", symbol), inputs)
    for symbol in sorted(s for s in set(constants) - set(family.constants) if s.startswith("eps")):
        rows = _normalized(graph, symbol, inputs, constants)
        chosen = family.eps(streams.child("constant", symbol), _row_variances(rows))
        constants[symbol] = _single(chosen) if family.float32 else chosen
    return constants


def _normalized(
    graph: Graph,
    symbol: str,
    inputs: Mapping[str, FloatArray],
    constants: Mapping[str, FloatArray],
) -> FloatArray:
    """The rows that the LayerNorm with this ε normalizes, ``(B, rows, d_model)``."""
    model = CLOSED_FORMS.get(graph.name)
    name = graph.inputs[0].name if model is None else model.normalized.get(symbol)
    if name is None:
        raise GraphError(
            f"graph {graph.name!r}", f"expected symbols of ε among {model} but got {symbol!r}"
        )
    if model is None or name in inputs:
        return inputs[name]
    saved = model.run(Arguments(inputs, constants, graph.sizes))
    return np.asarray(saved[name], dtype=np.float64)


def _row_variances(x: FloatArray) -> FloatArray:
    d = x.shape[-1]
    c = x - x.sum(axis=-1, keepdims=True) / d
    return np.asarray((c * c).sum(axis=-1) / d).reshape(len(x), -1)


def _single(value: FloatArray) -> FloatArray:
    return value.astype(np.float32).astype(np.float64)


def _input(family: Family, name: str, s: Streams, shape: Shape, branch: FloatArray) -> FloatArray:
    """Draw one input: gains about ±1, biases about 0, weights with outputs of unit size, otherwise
    rows.

    A sublayer's contribution to its stream, and the first sublayer's output, scale with ``branch``;
    if that is 0, every row of both is constant.
    """
    name = name.rpartition(".")[2]  # a block of a stack has its number in front
    role = name.rstrip("0123456789")
    faint = branch.reshape(-1, *(1 for _ in shape))
    if role == "gamma":
        value = s.child("sign").signs(shape) * s.log_uniform(-0.5, 0.5, shape)
        return value * faint if name == "gamma1" else value
    if role == "beta":
        value = s.normal(shape)
        if name == "beta1":
            level = s.child("level").normal().reshape(faint.shape)
            value = np.where(faint == 1.0, value, faint * value + (1.0 - faint) * level)
        return value
    if role == "cos":
        return np.cos(s.uniform(shape, -np.pi, np.pi))
    if role == "sin":
        return np.sin(s.uniform(shape, -np.pi, np.pi))
    if role == "memory":  # not scaled: the keys' and values' weights already are
        return s.normal(shape)
    if role in ("table", "head"):  # embeddings that are the head's weights too: logits of unit size
        return np.asarray(s.normal(shape) / np.sqrt(shape[1]), dtype=np.float64)
    if role == "mask":  # finite, as a graph's numbers are: e^-30 is negligible
        return np.where(s.child("hides").uniform(shape) < 0.3, -30.0, s.normal(shape))
    if role.startswith("b") and len(shape) == 1:
        return s.normal(shape) * faint if name in ("b2", "bo") else s.normal(shape)
    if role.startswith("W") and len(shape) == 2:
        value = np.asarray(s.normal(shape) / np.sqrt(shape[0]), dtype=np.float64)
        return value * faint if name in ("W2", "Wd", "Wo") else value
    return family.rows(s, shape)


def _scale_scores(inputs: dict[str, Array], graph: Graph, target: FloatArray) -> None:
    """Scale Wq and Wk equally so that the attention's largest absolute score is ``target``; for
    softmax alone, its argument.  In a stack it is the first block's."""
    if graph.name in ("softmaxGraph", "softmaxOverGraph", "crossEntropyGraph", "logSoftmaxGraph"):
        size = np.abs(inputs["x"]).max(axis=(1, 2), keepdims=True)
        inputs["x"] = inputs["x"] * (target[:, None, None] / np.where(size > 0, size, 1.0))
        return
    form = CLOSED_FORMS.get(graph.name)
    if form is not None and form.scores:
        _scale_written(inputs, graph, form, target)
        return
    if graph.sizes.get("depth"):
        first = stack.layer_tensors(inputs, 0, inputs["x"])
        _scale_first(first, graph, target)
        inputs.update({stack.prefix(0) + n: v for n, v in first.items() if n != "x"})
        return
    _scale_first(inputs, graph, target)


def _scale_written(
    inputs: dict[str, Array], graph: Graph, form: ClosedForm, target: FloatArray
) -> None:
    """The same for each attention of a formula in turn, with every ε at 0, where normalized rows
    are largest."""
    constants = {
        s: np.full(len(target), 0.0 if s.startswith("eps") else value)
        for s, value in graph.symbols.items()
    }
    for tensor, names in form.scores.items():
        most = largest(np.abs(form.run(Arguments(inputs, constants, graph.sizes))[tensor]))
        factor = np.sqrt(np.where(most > 0, target / np.where(most > 0, most, 1.0), 1.0))
        for name in names:
            inputs[name] = inputs[name] * factor.reshape(-1, *(1 for _ in inputs[name].shape[1:]))


def _normalized_first(inputs: Mapping[str, Array]) -> Array:
    """Tokens whose scores bound those of a pre-norm block, whatever ε ≥ 0, which is drawn later.

    A larger ε moves each row of LN(x) straight towards β, and a score is linear in either row: it
    is largest among the rows at ε = 0 and β.
    """
    x, gamma, beta = (inputs[name] for name in ("x", "gamma1", "beta1"))
    rows = layer_norm.forward(x, gamma, beta, np.zeros(len(x)))
    return np.concatenate([rows, np.broadcast_to(beta[:, None, :], x.shape)], axis=1)


def _scale_first(inputs: dict[str, Array], graph: Graph, target: FloatArray) -> None:
    """The same for one block, or for an attention alone."""
    if not {"x", "Wq", "Wk", "Wv", "Wo"} <= set(inputs):
        return
    unmasked = {name: value for name, value in inputs.items() if name != "mask"}
    form = CLOSED_FORMS.get(graph.name)
    if form is not None and form.normalized.get("eps1") == "x":
        unmasked["x"] = _normalized_first(inputs)
    scores = attention.run(unmasked, graph.sizes["numHeads"]).scores
    most = largest(np.abs(scores))
    factor = np.sqrt(np.where(most > 0, target / np.where(most > 0, most, 1.0), 1.0))
    for name in {"Wq", "Wk", "bq", "bk"} & set(inputs):
        inputs[name] = inputs[name] * factor.reshape(-1, *(1 for _ in inputs[name].shape[1:]))
