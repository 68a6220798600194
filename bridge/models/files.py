"""Models from safetensors files, read with numpy, one layer's tensors at a time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bridge.errors import InvalidInputError
from bridge.models import assumptions
from bridge.models.activations import ACTIVATIONS
from bridge.models.layer import BIASES, Layer, Model
from bridge.models.naming import Found, find_layers, outside_of
from bridge.models.settings import Options, Setting, Settings, read_settings
from bridge.models.stored import Stored, headers_of
from bridge.report.layers import Assumption

ADAPTERS = ("adapter_model.safetensors", "adapter_config.json")
"""Files of an adapter, such as LoRA's."""

__all__ = ["ADAPTERS", "head_dim", "read_file", "with_defaults"]

FloatArray = npt.NDArray[np.float64]


def read_file(path: Path, options: Options) -> Model:
    """The model in safetensors files; its weights are read when they are needed.

    Args:
        path: of the file, or of the index of several.  A ``config.json`` next to it is read too.
        options: what the caller says about the model.

    Raises:
        InvalidInputError: the file is malformed, holds no encoder layer, or a layer is incomplete;
            or the number of heads or ε is unknown.
    """
    file = headers_of(path)
    found = find_layers(file.shapes, str(path))
    settings = read_settings(path, file.metadata, options, _fixed(found))
    layers = tuple(_layer(file, f, settings) for f in found)
    outside = outside_of(file.shapes, found)
    kinds = Counter(file.dtypes[n] for f in found for n in f.names.values())
    return Model(
        source=str(path),
        kind="safetensors",
        naming=" and ".join(dict.fromkeys(f.naming.title for f in found)),
        dtype=" and ".join(sorted(kinds)),
        settings=tuple(
            f"{title}: {setting}"
            for name, title in (("heads", "heads"), ("eps", "ε"), ("activation", "activation"))
            if (setting := settings.get(name)) is not None
        ),
        layers=layers,
        assumptions=(
            assumptions.final_norm(_final_norms(outside, found)),
            *assumptions.depth(Counter(f.stack for f in found), settings.get("layers")),
            *assumptions.configuration(settings.unread),
            *assumptions.adapters(tuple(n for n in ADAPTERS if path.with_name(n).is_file())),
        ),
        outside=outside,
    )


def _fixed(found: tuple[Found, ...]) -> dict[str, Setting]:
    """Values that the code with these names never states, since it has only one."""
    eps = {f.naming.eps for f in found}
    if len(eps) > 1 or None in eps:
        return {}
    return {"eps": Setting(eps.pop(), f"the code of {found[0].naming.title}, which has no other")}


def _final_norms(outside: tuple[str, ...], found: tuple[Found, ...]) -> tuple[str, ...]:
    """Tensors of a norm after a stack, as ``nn.TransformerEncoder`` has them: the stack's own
    ``norm`` next to its ``layers``."""
    beside = {f.stack.removesuffix("layers.") for f in found if f.stack.endswith("layers.")}
    return tuple(n for n in outside if n.removesuffix(".weight") in {f"{b}norm" for b in beside})


def head_dim(width: int, heads: int, where: str) -> int:
    """The dimension of a head.

    Raises:
        InvalidInputError: the heads do not divide the columns.
    """
    if width % heads:
        raise InvalidInputError(
            f"{where}: {heads} heads do not divide its {width} columns of queries",
            remedy="give the right number with --heads",
        )
    return width // heads


def _layer(file: Stored, found: Found, settings: Settings) -> Layer:
    where = f"{file.path}: {found.name}"
    heads = settings.need("heads", "the number of heads", str(file.path)).value
    eps = settings.need("eps", "LayerNorm's ε", str(file.path)).value
    activation = settings.get("activation")
    name = None if activation is None or activation.value not in ACTIVATIONS else activation.value
    order = _norm_order(found, settings)
    return Layer(
        name=found.name,
        type=f"{found.naming.title} names",
        stack=found.stack,
        d_model=found.sizes.d_model,
        d_ff=found.sizes.d_ff,
        num_heads=heads,
        head_dim=head_dim(found.sizes.width, heads, where),
        eps=(eps, eps),
        activation=name,
        biased=any(found.has(b) for b in BIASES),
        measurable=order.met is not False and not found.others,
        assumptions=_assumptions(found, settings, order, name),
        load=lambda: with_defaults(found.naming.tensors(found.names, file.read), found),
    )


def _norm_order(found: Found, settings: Settings) -> Assumption:
    """By the names if they decide it, else by the settings."""
    said = settings.get("norm_first")
    if any(n.startswith(found.prefix + "attention.LayerNorm.") for n in found.others):
        return assumptions.norm_order(False, "the names")
    if said is not None:
        return assumptions.norm_order(not said.value, said.source)
    return assumptions.norm_order(found.naming.post_norm, "the names")


def _assumptions(
    found: Found, settings: Settings, order: Assumption, activation: str | None
) -> tuple[Assumption, ...]:
    said, rate, decoder = (settings.get(n) for n in ("activation", "dropout", "decoder"))
    missing = tuple(n for n in ("gamma1", "gamma2") if not found.has(n))
    unbiased = tuple(n for n in ("beta1", "beta2") if not found.has(n))
    extras = () if decoder is None or not decoder.value else (f"a decoder, by {decoder.source}",)
    asked = (
        order,
        assumptions.norm_type((), unbiased),
        assumptions.gains(missing, declared=False),
        assumptions.activation(activation, "" if said is None else str(said)),
        assumptions.dropout(False, 0.0 if rate is None else rate.value),
        assumptions.attention((*extras, *assumptions.pruned(settings.get("pruned")))),
        assumptions.positions(settings.get("positions")),
        assumptions.nothing_else(found),
    )
    return tuple(a for a in asked if a is not None)


def with_defaults(tensors: dict[str, FloatArray], found: Found) -> dict[str, FloatArray]:
    """The tensors, with a gain of 1 and a bias of 0 if there is none."""
    for name in ("gamma1", "gamma2"):
        tensors.setdefault(name, np.ones(found.sizes.of(name)))
    for name in ("beta1", "beta2", "b1", "b2", *BIASES):
        tensors.setdefault(name, np.zeros(found.sizes.of(name)))
    return tensors
