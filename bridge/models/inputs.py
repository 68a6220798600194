"""What goes into the first layer: given sequences, or random ones."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bridge.errors import InvalidInputError
from numeric.streams import Streams

__all__ = ["DEFAULT_SEQ_LEN", "Given", "Inputs", "drawn", "given", "read_inputs"]

FloatArray = npt.NDArray[np.float64]
DEFAULT_SEQ_LEN = 128
_KEYS = ("x", "mask", "attention_mask")
_REMEDY = (
    "save x [seq_len, d_model] or [batch, seq_len, d_model], and optionally one of "
    "mask [seq_len, seq_len] or [batch, seq_len, seq_len], added to the scores, and "
    "attention_mask [batch, seq_len], 1 for a token and 0 for padding"
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Sequences for the first layer.

    Attributes:
        x: ``(sequences, seq_len, d_model)``.
        mask: added to the scores, ``(sequences, seq_len, seq_len)``, −∞ hides; ``None`` for none.
        description: the sequences in words.
    """

    x: FloatArray
    mask: FloatArray | None
    description: str

    def __len__(self) -> int:
        return len(self.x)

    @property
    def seq_len(self) -> int:
        """How many tokens a sequence has."""
        return int(self.x.shape[1])


@dataclass(frozen=True, slots=True)
class Given:
    """The source of the sequences; called with the d_model of a stack it returns them.

    Attributes:
        inputs: an ``.npz`` file, or arrays by name; ``None`` for random ones.
        seed: determines random sequences.
        sequences: how many random sequences.
        seq_len: how many tokens each has.
    """

    inputs: Path | Mapping[str, npt.NDArray[np.generic]] | None = None
    seed: int = 0
    sequences: int = 1
    seq_len: int = DEFAULT_SEQ_LEN

    def __call__(self, d_model: int) -> Inputs:
        """The sequences for the first layer of a stack.

        Raises:
            InvalidInputError: they are malformed, or do not match d_model.
        """
        if self.inputs is None:
            return drawn(self.seed, self.sequences, self.seq_len, d_model)
        if isinstance(self.inputs, Path):
            return read_inputs(self.inputs, d_model)
        return given(self.inputs, d_model, "inputs", self.description)

    @property
    def embedded(self) -> tuple[str, ...]:
        """Names of what is given instead of the tokens of a first layer, such as token ids that the
        whole model embeds; empty if tokens are given or drawn."""
        arrays = self.arrays()
        return () if arrays is None or "x" in arrays else tuple(arrays)

    @property
    def shape(self) -> tuple[int, int]:
        """How many sequences of how many tokens, as far as known."""
        arrays = self.arrays()
        if arrays is None:
            return self.sequences, self.seq_len
        first = next((a for a in arrays.values() if a.ndim > 1), None)
        return (1, self.seq_len) if first is None else (int(first.shape[0]), int(first.shape[1]))

    @property
    def description(self) -> str:
        """Their source, in words."""
        return f"from {self.inputs}" if isinstance(self.inputs, Path) else "given arrays"

    def arrays(self) -> dict[str, npt.NDArray[np.generic]] | None:
        """The given arrays, by name; ``None`` if they are random.

        Raises:
            InvalidInputError: the file is not an npz file.
        """
        if self.inputs is None:
            return None
        read = _loaded(self.inputs) if isinstance(self.inputs, Path) else self.inputs
        return {name: _plain(np.asarray(a), name, self._where) for name, a in read.items()}

    @property
    def _where(self) -> str:
        return f"--inputs {self.inputs}" if isinstance(self.inputs, Path) else "inputs"


def _plain(array: npt.NDArray[np.generic], name: str, where: str) -> npt.NDArray[np.generic]:
    """The array in a form that torch accepts: numbers, in this machine's byte order.

    Raises:
        InvalidInputError: it holds something other than numbers.
    """
    if array.dtype.kind not in "fiub":
        raise InvalidInputError(
            f"{where}: {name} should be numbers but its type is {array.dtype}", remedy=_REMEDY
        )
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def drawn(seed: int, sequences: int, seq_len: int, d_model: int) -> Inputs:
    """Standard normal tokens; sequence i does not depend on the number of sequences."""
    x = Streams.of(seed, "model", "tokens", range(sequences)).normal((seq_len, d_model))
    return Inputs(x, None, f"standard normal, from seed {seed}")


def read_inputs(path: Path, d_model: int) -> Inputs:
    """Sequences from an ``.npz`` file with the keys x and, optionally, mask or attention_mask.

    Raises:
        InvalidInputError: it is malformed.
    """
    return given(_loaded(path), d_model, f"--inputs {path}", f"from {path}")


def _loaded(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("it holds one array without a name")
        with file:
            found = {name: file[name] for name in file.files}
        other = next((n for n, a in found.items() if not isinstance(a, np.ndarray)), None)
        if other is not None:  # any zip file looks like one, such as torch's
            raise ValueError(f"{other} in it is not an array")
        return found
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as e:
        raise InvalidInputError(f"--inputs {path} is not an npz file: {e}", remedy=_REMEDY) from e


def given(
    arrays: Mapping[str, npt.NDArray[np.generic]], d_model: int, where: str, description: str
) -> Inputs:
    """Sequences from arrays by name.

    Args:
        arrays: x, and optionally mask or attention_mask.
        d_model: the model's d_model.
        where: the source, for messages.
        description: for the report.

    Raises:
        InvalidInputError: a name is unknown, or a shape or a value is impossible.
    """
    unknown = sorted(set(arrays) - set(_KEYS))
    if unknown or "x" not in arrays or len(arrays) > 2:
        raise InvalidInputError(
            f"{where}: expected x, and mask or attention_mask, but got {sorted(arrays)}",
            remedy=_REMEDY,
        )
    x = _numbers(arrays["x"], "x", where)
    x = x[None] if x.ndim == 2 else x
    if x.ndim != 3 or 0 in x.shape or x.shape[-1] != d_model:
        raise InvalidInputError(
            f"{where}: x has the shape {list(arrays['x'].shape)} but the first layer takes "
            f"[seq_len, {d_model}] or [batch, seq_len, {d_model}]",
            remedy=_REMEDY,
        )
    if not np.isfinite(x).all():
        raise InvalidInputError(f"{where}: x has entries that are not finite", remedy=_REMEDY)
    size, seq_len = x.shape[:2]
    if "mask" in arrays:
        mask = _numbers(arrays["mask"], "mask", where)
        shapes: tuple[tuple[int, ...], ...] = ((seq_len, seq_len), (size, seq_len, seq_len))
    elif "attention_mask" in arrays:
        kept = _numbers(arrays["attention_mask"], "attention_mask", where)
        if not np.isin(kept, (0.0, 1.0)).all():
            raise InvalidInputError(f"{where}: attention_mask has other entries than 0 and 1")
        kept = kept[None] if kept.ndim == 1 else kept
        mask = np.where(kept > 0, 0.0, -np.inf)[:, None, :]
        shapes = ((1, 1, seq_len), (size, 1, seq_len))
    else:
        return Inputs(x, None, description)
    if mask.shape not in shapes:
        name = "mask" if "mask" in arrays else "attention_mask"
        raise InvalidInputError(
            f"{where}: {name} has the shape {list(arrays[name].shape)}, which does not match x "
            f"{list(x.shape)}",
            remedy=_REMEDY,
        )
    return Inputs(x, _whole(mask, (size, seq_len, seq_len), where), description)


def _numbers(array: npt.NDArray[np.generic], name: str, where: str) -> FloatArray:
    if array.dtype.kind not in "fiub" or (name == "mask" and array.dtype.kind == "b"):
        wanted = "numbers to add to the scores" if name == "mask" else "numbers"
        raise InvalidInputError(
            f"{where}: {name} should be {wanted} but its type is {array.dtype}", remedy=_REMEDY
        )
    return np.asarray(array, dtype=np.float64)


def _whole(mask: FloatArray, shape: tuple[int, ...], where: str) -> FloatArray:
    whole = np.array(np.broadcast_to(mask, shape))
    if np.isnan(whole).any() or (whole == np.inf).any():
        raise InvalidInputError(f"{where}: the mask has entries that are NaN or ∞")
    hidden = np.isneginf(whole).all(axis=-1)
    if hidden.any():
        sequence, row = (int(i) for i in np.argwhere(hidden)[0])
        raise InvalidInputError(
            f"{where}: in sequence {sequence} the mask hides every token from token {row}"
        )
    return whole
