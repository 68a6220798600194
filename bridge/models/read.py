"""From the argument of ``--model`` to a model."""

from __future__ import annotations

import os
from pathlib import Path

from bridge.errors import InvalidInputError
from bridge.models.built import read_saved
from bridge.models.files import ADAPTERS
from bridge.models.layer import Model
from bridge.models.settings import Options
from bridge.models.stored import INDEX

__all__ = ["read_model"]

_OTHER_FORMATS = {".bin", ".pt", ".pth", ".ckpt", ".h5", ".onnx", ".npz"}


def read_model(model: object, options: Options | None = None) -> Model:
    """The model that ``model`` refers to.

    Args:
        model: a path of a ``.safetensors`` file, of the index of several, or of a folder with
            either; a reference ``pkg.module:object`` to a torch module, or to a function that
            returns one or such a path; or a torch module itself.
        options: what the caller says about it.

    Raises:
        InvalidInputError: it does not exist, or cannot be used.
    """
    options = options or Options()
    if isinstance(model, Path) or (isinstance(model, str) and _is_path(model)):
        path = Path(model)
        if path.is_dir():
            path = _within(path)
        if path.suffix in _OTHER_FORMATS:
            raise InvalidInputError(
                f"--model {path}: expected a .safetensors file",
                remedy="convert it: safetensors.torch.save_file(module.state_dict(), "
                "'model.safetensors'); pickles are not read, since they run code",
            )
        return read_saved(path, options)
    from bridge.models.modules import read_module, referred

    if isinstance(model, str):
        found = referred(model)
        if isinstance(
            found, str | os.PathLike
        ):  # a function may write a folder, and return its path
            return read_model(Path(found), options)
        return read_module(found, model, options)
    return read_module(model, type(model).__name__, options)


def _within(folder: Path) -> Path:
    """The model saved in a folder: one file, or the index of several."""
    names = ("model.safetensors", f"model{INDEX}")
    found = next((folder / n for n in names if (folder / n).is_file()), None)
    adapter = next((n for n in ADAPTERS if (folder / n).is_file()), None)
    if found is None and adapter is not None:
        raise InvalidInputError(
            f"--model {folder}: {adapter} is an adapter (such as LoRA): it changes a model that is "
            "not in this folder",
            remedy="merge it into its model first: peft's merge_and_unload(), then save_pretrained",
        )
    if found is None:
        raise InvalidInputError(
            f"--model {folder}: expected a folder with {' or '.join(names)}",
            remedy="name the .safetensors file itself",
        )
    return found


def _is_path(text: str) -> bool:
    suffix = Path(text).suffix
    return ":" not in text or suffix in {".safetensors", *_OTHER_FORMATS} or Path(text).exists()
