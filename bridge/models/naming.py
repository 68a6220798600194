"""The names and layouts of a post-norm layer's tensors in models.

The theorems' names and layout are those of the exported graph: x·W with W ``(in, out)``, heads side
by side in the columns of Wq, Wk, Wv.  PyTorch keeps its weights ``(out, in)``, and those of query,
key and value in one tensor; Hugging Face's BERT, and models with its names, keep them apart, as
does DistilBERT under other names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.errors import InvalidInputError

__all__ = [
    "BERT",
    "DISTILBERT",
    "NAMINGS",
    "PLAIN",
    "PYTORCH",
    "Found",
    "Naming",
    "Part",
    "Sizes",
    "find_layers",
    "outside_of",
]

FloatArray = npt.NDArray[np.float64]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One stored tensor of a layer.

    Attributes:
        name: the name after the layer's prefix; ``also`` are older names.
        inputs: the graph's inputs that it holds, one after the other along its first axis.
        needed: whether a layer without it is malformed; if not, it defaults to 0, a gain to 1.
    """

    name: str
    inputs: tuple[str, ...]
    needed: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of a layer; ``width`` is the number of heads times the head's dimension."""

    d_model: int
    width: int
    d_ff: int

    def of(self, name: str) -> Shape:
        """The shape of one of the graph's inputs."""
        d, w, f = self.d_model, self.width, self.d_ff
        return {
            "Wq": (d, w), "Wk": (d, w), "Wv": (d, w), "Wo": (w, d),
            "bq": (w,), "bk": (w,), "bv": (w,), "bo": (d,),
            "W1": (d, f), "b1": (f,), "W2": (f, d), "b2": (d,),
        }.get(name, (d,))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Naming:
    """One naming of a layer's tensors.

    Attributes:
        title: for reports.
        parts: the tensors.
        anchors: beginnings of names that no other part of a model has.
        transposed: whether weights are kept ``(out, in)``.
        post_norm: whether the names are those of a post-norm layer; ``None`` if pre-norm layers
            have the same.
        eps: LayerNorm's ε, if the code with these names fixes it.
    """

    title: str
    parts: tuple[Part, ...]
    anchors: tuple[str, ...]
    transposed: bool
    post_norm: bool | None
    eps: float | None = None

    def stored_shape(self, part: Part, sizes: Sizes) -> Shape:
        """The shape that a tensor must have."""
        shapes = [sizes.of(name) for name in part.inputs]
        first = shapes[0][::-1] if self.transposed else shapes[0]
        return (first[0] * len(shapes), *first[1:])

    def tensors(
        self, names: Mapping[str, str], read: Callable[[str], FloatArray]
    ) -> dict[str, FloatArray]:
        """The graph's inputs that the layer has, in the graph's layout.

        Args:
            names: the stored name of each part that the layer has.
            read: returns a stored tensor; or a gradient, which has the same layout.
        """
        found: dict[str, FloatArray] = {}
        for part in self.parts:
            if part.name in names:
                pieces = np.split(read(names[part.name]), len(part.inputs))
                for name, piece in zip(part.inputs, pieces, strict=True):
                    turned = piece.T if self.transposed else piece
                    found[name] = np.ascontiguousarray(turned)
        return found


def _linear(name: str, weight: str, bias: str) -> tuple[Part, Part]:
    return Part(f"{name}.weight", (weight,), needed=True), Part(f"{name}.bias", (bias,))


def _norm(name: str, number: int) -> tuple[Part, Part]:
    old = tuple(f"{name}.{o}" for o in ("gamma", "beta"))
    return (
        Part(f"{name}.weight", (f"gamma{number}",), also=old[:1]),
        Part(f"{name}.bias", (f"beta{number}",), also=old[1:]),
    )


PYTORCH = Naming(
    "PyTorch",
    (
        Part("self_attn.in_proj_weight", ("Wq", "Wk", "Wv"), needed=True),
        Part("self_attn.in_proj_bias", ("bq", "bk", "bv")),
        *_linear("self_attn.out_proj", "Wo", "bo"),
        *_linear("linear1", "W1", "b1"),
        *_linear("linear2", "W2", "b2"),
        *_norm("norm1", 1),
        *_norm("norm2", 2),
    ),
    anchors=("self_attn.in_proj_weight", "self_attn.out_proj.weight"),
    transposed=True,
    post_norm=None,
)
"""``nn.TransformerEncoderLayer``."""

BERT = Naming(
    "Hugging Face BERT",
    (
        *_linear("attention.self.query", "Wq", "bq"),
        *_linear("attention.self.key", "Wk", "bk"),
        *_linear("attention.self.value", "Wv", "bv"),
        *_linear("attention.output.dense", "Wo", "bo"),
        *_linear("intermediate.dense", "W1", "b1"),
        *_linear("output.dense", "W2", "b2"),
        *_norm("attention.output.LayerNorm", 1),
        *_norm("output.LayerNorm", 2),
    ),
    anchors=(
        "attention.self.query.weight",
        "attention.self.key.weight",
        "attention.self.value.weight",
        "attention.output.dense.weight",
    ),
    transposed=True,
    post_norm=True,
)
"""``transformers.BertLayer``, and those of RoBERTa, ELECTRA and others with its names."""

DISTILBERT = Naming(
    "Hugging Face DistilBERT",
    (
        *_linear("attention.q_lin", "Wq", "bq"),
        *_linear("attention.k_lin", "Wk", "bk"),
        *_linear("attention.v_lin", "Wv", "bv"),
        *_linear("attention.out_lin", "Wo", "bo"),
        *_linear("ffn.lin1", "W1", "b1"),
        *_linear("ffn.lin2", "W2", "b2"),
        *_norm("sa_layer_norm", 1),
        *_norm("output_layer_norm", 2),
    ),
    anchors=tuple(f"attention.{p}_lin.weight" for p in ("q", "k", "v", "out")),
    transposed=True,
    post_norm=True,
    eps=1e-12,
)
"""``transformers.models.distilbert.modeling_distilbert.TransformerBlock``."""

PLAIN = Naming(
    "the theorem's",
    (
        *(Part(f"W{p}", (f"W{p}",), needed=True) for p in "qkvo12"),
        *(Part(f"b{p}", (f"b{p}",)) for p in "qkvo12"),
        *(Part(f"{p}{n}", (f"{p}{n}",)) for p in ("gamma", "beta") for n in "12"),
    ),
    anchors=("Wq", "Wk", "Wv", "Wo"),
    transposed=False,
    post_norm=True,
)
"""The exported graph's own names and layout."""

NAMINGS = (PYTORCH, BERT, DISTILBERT, PLAIN)


@dataclass(frozen=True, slots=True)
class Found:
    """A layer, found by the names and shapes of a model's tensors.

    Attributes:
        prefix: what the names of its tensors begin with, such as ``encoder.layer.0.``.
        names: the stored name of each part that it has.
        others: tensors under the prefix that no post-norm layer has.
    """

    naming: Naming
    prefix: str
    names: Mapping[str, str]
    others: tuple[str, ...]
    sizes: Sizes

    @property
    def name(self) -> str:
        """The layer's name; ``layer`` if its tensors have no prefix."""
        return self.prefix.rstrip(".") or "layer"

    @property
    def stack(self) -> str:
        """The prefix without the layer's number, which layers of one stack share."""
        return re.sub(r"\d+\.?$", "", self.prefix)

    def has(self, graph_input: str) -> bool:
        """Whether the layer has a tensor for one of the graph's inputs."""
        return any(graph_input in p.inputs and p.name in self.names for p in self.naming.parts)


def _natural(text: str) -> list[tuple[int, str]]:
    """A key under which layer.2 comes before layer.10."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", text)]


def find_layers(shapes: Mapping[str, Shape], where: str) -> tuple[Found, ...]:
    """The post-norm layers among tensors, in the order of their names.

    Args:
        shapes: the shape of every tensor of the model, by name.
        where: the model, for messages.

    Raises:
        InvalidInputError: there is none, or a tensor of one is missing or of the wrong shape.
    """
    found = []
    for naming in NAMINGS:
        prefixes = {
            name[: -len(anchor)]
            for anchor in naming.anchors
            for name in shapes
            if name == anchor or name.endswith("." + anchor)
        }
        found += [_layer(naming, prefix, shapes, where) for prefix in sorted(prefixes)]
    if not found:
        shown = ", ".join(_shown(n, s) for n, s in list(shapes.items())[:8]) or "none"
        more = f" and {len(shapes) - 8} more" if len(shapes) > 8 else ""
        known = " or ".join(f"{n.anchors[0]} ({n.title} names)" for n in NAMINGS)
        raise InvalidInputError(
            f"{where}: no Transformer encoder layer among its tensors: {shown}{more}",
            remedy=f"a layer has tensors whose names end in {known}",
        )
    return tuple(sorted(found, key=lambda f: _natural(f.prefix)))


def _shown(name: str, shape: Shape) -> str:
    return f"{name} {list(shape)}"


def _layer(naming: Naming, prefix: str, shapes: Mapping[str, Shape], where: str) -> Found:
    names: dict[str, str] = {}
    for part in naming.parts:
        stored = next((prefix + n for n in (part.name, *part.also) if prefix + n in shapes), None)
        if stored is not None:
            names[part.name] = stored
    here = [name for name in shapes if name.startswith(prefix)]
    missing = [p for p in naming.parts if p.needed and p.name not in names]
    sizes = _sizes(naming, names, shapes)
    if sizes is None and not missing:
        raise InvalidInputError(
            f"{where}: the layer {prefix.rstrip('.') or 'layer'} has weights that are not "
            f"matrices: {', '.join(_shown(n, shapes[n]) for n in here)}",
            remedy="weights have two axes; save the layer's own tensors without reshaping them",
        )
    if missing or sizes is None:
        lacking = ", ".join(
            prefix + p.name + ("" if sizes is None else f" {list(naming.stored_shape(p, sizes))}")
            for p in missing
        )
        raise InvalidInputError(
            f"{where}: the layer {prefix.rstrip('.') or 'layer'} lacks {lacking}; it has "
            f"{', '.join(_shown(n, shapes[n]) for n in here)}",
            remedy="save the whole layer; if a part was removed on purpose, it is not a post-norm "
            "encoder layer",
        )
    for part in naming.parts:
        if part.name in names:
            _require_shape(naming, part, names[part.name], shapes, sizes, where)
    others = tuple(n for n in here if n not in names.values())
    return Found(naming, prefix, names, others, sizes)


def _sizes(naming: Naming, names: Mapping[str, str], shapes: Mapping[str, Shape]) -> Sizes | None:
    """The sizes, from the first projection and the first linear layer."""

    def matrix(graph_input: str) -> Shape | None:
        part = next(p for p in naming.parts if graph_input in p.inputs)
        shape = shapes.get(names.get(part.name, ""), ())
        if len(shape) != 2:
            return None
        rows, columns = shape[0] // len(part.inputs), shape[1]
        return (columns, rows) if naming.transposed else (rows, columns)

    first, linear = matrix("Wq"), matrix("W1")
    if first is None or linear is None:
        return None
    return Sizes(d_model=first[0], width=first[1], d_ff=linear[1])


def _require_shape(
    naming: Naming,
    part: Part,
    stored: str,
    shapes: Mapping[str, Shape],
    sizes: Sizes,
    where: str,
) -> None:
    expected, got = naming.stored_shape(part, sizes), shapes[stored]
    if got != expected:
        raise InvalidInputError(
            f"{where}: {stored} has the shape {list(got)} but {list(expected)} was expected, for "
            f"d_model {sizes.d_model}, {sizes.width} columns of all heads and d_ff {sizes.d_ff}",
            remedy=f"weights are kept {'(out, in)' if naming.transposed else '(in, out)'} in "
            f"{naming.title} names; save the layer's own tensors without reshaping them",
        )


def outside_of(names: Iterable[str], layers: Iterable[Found]) -> tuple[str, ...]:
    """The tensors that belong to no layer."""
    prefixes = tuple(f.prefix for f in layers)
    if "" in prefixes:
        return ()
    return tuple(n for n in names if not n.startswith(prefixes))
