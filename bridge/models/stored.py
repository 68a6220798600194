"""Tensors in safetensors files: one file, or several with an index next to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from bridge.decoding import typed
from bridge.errors import InvalidInputError
from bridge.models.naming import Shape

__all__ = ["INDEX", "READABLE", "Stored", "finite", "headers_of", "read_json"]

T = TypeVar("T")
FloatArray = npt.NDArray[np.float64]
INDEX = ".safetensors.index.json"
"""The ending of an index's name."""
READABLE = {"F64", "F32", "F16", "BF16"}


@dataclass(frozen=True, slots=True)
class Stored:
    """The tensors of a checkpoint, from the headers of its files.

    Every read opens a file anew, so that nothing of one layer stays in memory for the next.

    Attributes:
        path: the path that the caller gave: a safetensors file, or the index of several.
        files: the file of each tensor.
    """

    path: Path
    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str]
    metadata: Mapping[str, str]
    files: Mapping[str, Path]

    def read(self, name: str) -> FloatArray:
        """One tensor in float64, which holds every number of the stored types exactly.

        Raises:
            InvalidInputError: it does not consist of finite floating-point numbers.
        """
        dtype, path = self.dtypes[name], self.files[name]
        if dtype not in READABLE:
            raise InvalidInputError(
                f"{path}: {name} is stored as {dtype}",
                remedy=f"store weights as one of {', '.join(sorted(READABLE))}",
            )
        with _opened(path) as file:
            stored = self._bfloat16(name) if dtype == "BF16" else file.get_tensor(name)
        return finite(np.asarray(stored, dtype=np.float64), name, str(path))

    def _bfloat16(self, name: str) -> npt.NDArray[np.float32]:
        """A tensor of a type that numpy does not have: the upper half of float32."""
        with self.files[name].open("rb") as file:
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
            "the package safetensors is not installed, so no model can be read",
            remedy="install it: pip install 'lean-obligations[models]'",
        ) from e
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            yield file
    except (safetensors.SafetensorError, OSError) as e:
        size = path.stat().st_size if path.is_file() else 0
        raise InvalidInputError(
            f"{path} is not an intact safetensors file ({size:,} bytes): {e}",
            remedy="copy or download it again, and compare its size; other formats are converted "
            "with safetensors.torch.save_file(model.state_dict(), 'model.safetensors')",
        ) from e


def headers_of(path: Path) -> Stored:
    """The tensors of a safetensors file, or of the files that an index names.

    Raises:
        InvalidInputError: there is no such file, or one of them is malformed; or the index names a
            file or a tensor that does not exist.
    """
    if not path.is_file():
        raise InvalidInputError(
            f"there is no file {path}", remedy="give --model a .safetensors file or pkg.module:name"
        )
    return _indexed(path) if path.name.endswith(INDEX) else _single(path)


def _single(path: Path) -> Stored:
    with _opened(path) as file:
        names: list[str] = file.keys()
        slices = {name: file.get_slice(name) for name in names}
        return Stored(
            path,
            {name: tuple(s.get_shape()) for name, s in slices.items()},
            {name: str(s.get_dtype()) for name, s in slices.items()},
            file.metadata() or {},
            dict.fromkeys(names, path),
        )


def _indexed(path: Path) -> Stored:
    """The tensors that the index maps to files next to it; others in these files do not count."""
    places = _weight_map(path)
    parts: dict[str, Stored] = {}
    for name, file in places.items():
        if file not in parts:
            beside = path.with_name(file)
            if not beside.is_file():
                raise InvalidInputError(
                    f"{path} names the file {file}, which is not next to it",
                    remedy="put all files of the checkpoint into one folder",
                )
            parts[file] = _single(beside)
        if name not in parts[file].shapes:
            raise InvalidInputError(
                f"{path} says that {name} is in {file}, which does not hold it",
                remedy="copy or download all files of the checkpoint again, the index too",
            )
    return Stored(
        path,
        {name: parts[file].shapes[name] for name, file in places.items()},
        {name: parts[file].dtypes[name] for name, file in places.items()},
        {},
        {name: path.with_name(file) for name, file in places.items()},
    )


class _Index(Struct, frozen=True):
    weight_map: Annotated[dict[str, str], Meta(min_length=1)]


def _weight_map(path: Path) -> dict[str, str]:
    """The file of each tensor, by the index."""
    remedy = "name a .safetensors file, or the index that was saved with several"
    found = read_json(path, _Index, remedy=remedy).weight_map
    for name, file in found.items():
        if Path(file).name != file:
            raise InvalidInputError(
                f"{path}: expected the name of a file next to it for {name} but got {file!r:.100}",
                remedy="put all files of the checkpoint into one folder",
            )
    return found


def read_json(path: Path, kind: type[T], *, remedy: str) -> T:
    """The content of a JSON file next to a model; Python's own writer allows NaN and infinities.

    Raises:
        InvalidInputError: it cannot be read, is not JSON, or not of this type; with the remedy.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_said_once)
    except (OSError, ValueError, RecursionError) as e:
        raise InvalidInputError(f"{path} cannot be read: {e}", remedy=remedy) from e
    return typed(value, kind, str(path), InvalidInputError, remedy=remedy)


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ValueError: it has two values for one key.
    """
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found and found[key] != value:
            raise ValueError(f"it has two values for {key}: {found[key]!r:.60} and {value!r:.60}")
        found[key] = value
    return found


def finite(values: FloatArray, name: str, where: str) -> FloatArray:
    """Return the values.

    Raises:
        InvalidInputError: not all of them are finite.
    """
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        at = [int(i) for i in np.unravel_index(bad[0], values.shape)]
        raise InvalidInputError(
            f"{where}: {name} {list(values.shape)} has {len(bad):,} entries that are not finite, "
            f"the first at {at}: {values[tuple(at)]}",
            remedy="a theorem about real numbers does not cover them; train or export it again",
        )
    return values
