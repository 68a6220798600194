"""Models from safetensors files, read with numpy, one layer's tensors at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.errors import InvalidInputError
from bridge.models import assumptions
from bridge.models.activations import ACTIVATIONS
from bridge.models.layer import BIASES, Layer, Model
from bridge.models.naming import Found, Shape, find_layers, outside_of
from bridge.models.settings import Options, Settings, read_settings
from bridge.report.layers import Assumption

__all__ = ["finite", "head_dim", "read_file", "with_defaults"]

FloatArray = npt.NDArray[np.float64]
_READABLE = {"F64", "F32", "F16", "BF16"}


@dataclass(frozen=True, slots=True)
class _File:
    """A safetensors file: what its header says.  Every reading opens it anew, so that nothing of
    one layer stays when the next one is read."""

    path: Path
    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str]
    metadata: Mapping[str, str]

    def read(self, name: str) -> FloatArray:
        """One tensor in float64, which holds every number of the stored types exactly.

        Raises:
            InvalidInputError: it is not made of floating-point numbers, or not of finite ones.
        """
        dtype = self.dtypes[name]
        if dtype not in _READABLE:
            raise InvalidInputError(
                f"{self.path}: {name} is stored as {dtype}",
                remedy=f"store weights as one of {', '.join(sorted(_READABLE))}",
            )
        with _opened(self.path) as file:
            stored = self._bfloat16(name) if dtype == "BF16" else file.get_tensor(name)
        return finite(np.asarray(stored, dtype=np.float64), name, str(self.path))

    def _bfloat16(self, name: str) -> npt.NDArray[np.float32]:
        """A tensor of a type that numpy does not have: the upper half of float32."""
        with self.path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            start, end = json.loads(file.read(length))[name]["data_offsets"]
            file.seek(8 + length + start)
            halves = np.frombuffer(file.read(end - start), dtype="<u2")
        return (halves.astype(np.uint32) << 16).view(np.float32).reshape(self.shapes[name])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, opened by `safetensors`.

    Raises:
        InvalidInputError: the package is missing, or the file is malformed.
    """
    try:
        import safetensors
    except ImportError as e:
        raise InvalidInputError(
            "the package safetensors is not installed, so that no model can be read",
            remedy="install it: pip install 'lean-obligations[models]'",
        ) from e
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            yield file
    except (safetensors.SafetensorError, OSError) as e:
        size = path.stat().st_size if path.is_file() else 0
        raise InvalidInputError(
            f"{path} is no intact safetensors file ({size:,} bytes): {e}",
            remedy="copy or download it again, and compare its size; other formats are converted "
            "with safetensors.torch.save_file(model.state_dict(), 'model.safetensors')",
        ) from e


def _header(path: Path) -> _File:
    with _opened(path) as file:
        names: list[str] = file.keys()
        slices = {name: file.get_slice(name) for name in names}
        return _File(
            path,
            {name: tuple(s.get_shape()) for name, s in slices.items()},
            {name: str(s.get_dtype()) for name, s in slices.items()},
            file.metadata() or {},
        )


def read_file(path: Path, options: Options) -> Model:
    """The model in a safetensors file; its weights stay where they are until they are asked for.

    Args:
        path: of the file.  A ``config.json`` beside it is read too.
        options: what the caller says of the model.

    Raises:
        InvalidInputError: the file is malformed, holds no encoder layer, or a layer is not whole;
            or the number of heads or ε is not known.
    """
    if not path.is_file():
        raise InvalidInputError(
            f"there is no file {path}", remedy="give --model a .safetensors file or pkg.module:name"
        )
    file = _header(path)
    found = find_layers(file.shapes, str(path))
    settings = read_settings(path, file.metadata, options)
    layers = tuple(_layer(file, f, settings) for f in found)
    outside = outside_of(file.shapes, found)
    stored = Counter(file.dtypes[n] for f in found for n in f.names.values())
    return Model(
        source=str(path),
        kind="safetensors",
        naming=" and ".join(dict.fromkeys(f.naming.title for f in found)),
        dtype=" and ".join(sorted(stored)),
        settings=tuple(
            f"{title}: {setting}"
            for name, title in (("heads", "heads"), ("eps", "ε"), ("activation", "activation"))
            if (setting := settings.get(name)) is not None
        ),
        layers=layers,
        assumptions=(assumptions.final_norm(_final_norms(outside, found)),),
        outside=outside,
    )


def _final_norms(outside: tuple[str, ...], found: tuple[Found, ...]) -> tuple[str, ...]:
    """Tensors of a norm after a stack, as ``nn.TransformerEncoder`` has them: the stack's own
    ``norm`` beside its ``layers``."""
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
            remedy="say the right number with --heads",
        )
    return width // heads


def _layer(file: _File, found: Found, settings: Settings) -> Layer:
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
    """By the names where they tell, else by what is said."""
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
        assumptions.gains(missing, told=False),
        assumptions.activation(activation, "" if said is None else str(said)),
        assumptions.dropout(False, 0.0 if rate is None else rate.value),
        assumptions.attention(extras),
        assumptions.positions(settings.get("positions")),
        assumptions.nothing_else(found),
    )
    return tuple(a for a in asked if a is not None)


def with_defaults(tensors: dict[str, FloatArray], found: Found) -> dict[str, FloatArray]:
    """The tensors with a gain of 1 and a bias of 0 where there is none."""
    for name in ("gamma1", "gamma2"):
        tensors.setdefault(name, np.ones(found.sizes.of(name)))
    for name in ("beta1", "beta2", "b1", "b2", *BIASES):
        tensors.setdefault(name, np.zeros(found.sizes.of(name)))
    return tensors


def finite(values: FloatArray, name: str, where: str) -> FloatArray:
    """The values themselves.

    Raises:
        InvalidInputError: not all of them are finite.
    """
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        at = [int(i) for i in np.unravel_index(bad[0], values.shape)]
        raise InvalidInputError(
            f"{where}: {name} {list(values.shape)} has {len(bad):,} entries that are not finite, "
            f"the first at {at}: {values[tuple(at)]}",
            remedy="a theorem about real numbers says nothing of them; train or export it again",
        )
    return values
