"""Weights whose configuration `transformers` knows: its code, with these weights.

A file holds no code.  If a ``config.json`` next to it names a ``model_type`` of transformers, the
model is built from that configuration with these weights; then it is audited like a torch module,
by what it runs.  Nothing is downloaded, and no code in the folder is run.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.errors import InvalidInputError
from bridge.models import assumptions
from bridge.models.configurations import NotKnownError, foreign_entries, known_configuration
from bridge.models.files import ADAPTERS, read_file
from bridge.models.layer import Model
from bridge.models.modules import read_module
from bridge.models.quantised import adapter_tensors, refuse_codes
from bridge.models.settings import CONFIG, Options, configuration
from bridge.models.stored import Stored, headers_of
from bridge.report.layers import Assumption

__all__ = ["read_saved"]

INSTALL = "pip install 'lean-obligations[models]'"
_FLOATS = ("F64", "F32", "BF16", "F16")
"""The widest first: a model with several dtypes is built in it, which is exact."""
_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def read_saved(path: Path, options: Options) -> Model:
    """The model in safetensors files: built from its configuration if that is known, else read by
    the names of its tensors.

    Args:
        path: of the file, or of the index of several.
        options: the caller's options; if any is set the tensors are read by their names.

    Raises:
        InvalidInputError: the files are malformed or hold no weights, two sources disagree, or
            neither way finds a layer.
    """
    file = headers_of(path)
    config = configuration(path)
    refuse_codes(file, config)
    if "model_type" not in config:
        return read_file(path, options)
    try:
        return _built(path, file, config, options)
    except NotKnownError as e:
        why = f"read by the names of its tensors, and its code was not run: {e}"
    try:
        found = read_file(path, options)
    except InvalidInputError as e:
        raise InvalidInputError(f"{e.message}; it was {why}", remedy=e.remedy) from e
    return replace(found, settings=(*found.settings, why))


def _built(path: Path, file: Stored, config: Mapping[str, Any], options: Options) -> Model:
    _require_known_code(config, options)
    transformers = _transformers()
    made = known_configuration(transformers, config)
    entries = foreign_entries(config, made)
    with _alone(transformers):
        module, info = _loaded(transformers, made, config, file)
    read = read_module(module, str(path), Options())
    kind = type(module).__name__
    return replace(
        read,
        dtype=" and ".join(sorted({d for d in file.dtypes.values() if d in _FLOATS})),
        settings=(
            *read.settings,
            f"built as {kind} of transformers {transformers.__version__}, by {CONFIG}",
        ),
        assumptions=(
            *read.assumptions,
            *assumptions.configuration(entries),
            *assumptions.adapters(tuple(n for n in ADAPTERS if path.with_name(n).is_file())),
            *_all_weights(file, info),
        ),
    )


def _require_known_code(config: Mapping[str, Any], options: Options) -> None:
    """Require that the code of transformers is what the configuration means.

    Raises:
        NotKnownError: it is not, or the caller's options are about the tensors.
    """
    if options != Options():
        raise NotKnownError("options for heads, ε, activation or norms are about the tensors")
    for key, what in (
        ("auto_map", "it needs custom code, which is not run"),
        ("quantization_config", "it says that the weights are quantised"),
        ("pruned_heads", "heads were pruned"),
    ):
        value = config.get(key)
        if value and not (isinstance(value, dict) and not any(value.values())):
            raise NotKnownError(f"{what}, by {key} in {CONFIG}")


def _transformers() -> Any:
    """The module ``transformers``.

    Raises:
        NotKnownError: it, or torch, is not installed.
    """
    try:
        importlib.import_module("torch")
        return importlib.import_module("transformers")
    except ImportError as e:
        raise NotKnownError(
            f"{e.name or 'transformers'} is not installed, with which the model would be built "
            f"from {CONFIG}, run and compared: {INSTALL}"
        ) from e


@contextmanager
def _alone(transformers: Any) -> Iterator[None]:
    """Inside, nothing is downloaded, and transformers prints nothing."""
    hub: Any = importlib.import_module("huggingface_hub.constants")
    logging = transformers.utils.logging
    level, online = logging.get_verbosity(), hub.HF_HUB_OFFLINE
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    hub.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        hub.HF_HUB_OFFLINE = online
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _loaded(
    transformers: Any, made: Any, config: Mapping[str, Any], file: Stored
) -> tuple[Any, Mapping[str, Any]]:
    """The model with the weights, and the missing and surplus weights."""
    torch: Any = importlib.import_module("torch")
    load: Any = importlib.import_module("safetensors.torch")
    stored = {d for d in file.dtypes.values() if d in _FLOATS}
    dtype = getattr(torch, _DTYPES[next((d for d in _FLOATS if d in stored), "F32")])
    weights: dict[str, Any] = {}
    for part in dict.fromkeys(file.files.values()):
        held = load.load_file(part)
        weights |= {n: t for n, t in held.items() if file.files.get(n) == part}
    _require_finite(torch, weights, file)
    try:
        kind = _class_of(transformers, made, config)
        module, info = kind.from_pretrained(
            None,
            config=made,
            state_dict=weights,
            dtype=dtype,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # the report names them
            output_loading_info=True,
        )
        return module, info
    except NotKnownError:
        raise
    except Exception as e:  # whatever its code raises on this configuration
        text = (str(e).strip().splitlines() or [""])[0]
        raise NotKnownError(
            f"transformers {transformers.__version__} could not build it: "
            f"{type(e).__name__}: {text:.200}"
        ) from e


def _require_finite(torch: Any, weights: Mapping[str, Any], file: Stored) -> None:
    for name, value in weights.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            file.read(name)  # raises, and says where


def _class_of(transformers: Any, made: Any, config: Mapping[str, Any]) -> Any:
    """The class that the configuration names, else the one without a head."""
    named = config.get("architectures")
    name = named[0] if isinstance(named, list) and named else ""
    found = getattr(transformers, name, None) if isinstance(name, str) else None
    if isinstance(found, type) and getattr(found, "config_class", None) is type(made):
        return found
    mapping = transformers.MODEL_MAPPING
    if type(made) not in mapping:
        raise NotKnownError(
            f"transformers {transformers.__version__} has no model for {type(made).__name__} alone"
        )
    found = mapping[type(made)]
    return found[0] if isinstance(found, tuple | list) else found


def _all_weights(file: Stored, info: Mapping[str, Any]) -> tuple[Assumption, ...]:
    """The model has exactly the weights of the file; nothing if it does."""
    clauses = []
    adapted = set(adapter_tensors(file.shapes))
    missing = sorted(info["missing_keys"])
    mismatched = sorted(info["mismatched_keys"])
    beyond = sorted(n for n in info["unexpected_keys"] if n in adapted or re.search(r"\.\d+\.", n))
    if missing:
        clauses.append(f"not in the file, so random here: {_grouped(missing)}")
    if mismatched:
        name, held, wanted = mismatched[0]
        more = f", and {len(mismatched) - 1} more" if len(mismatched) > 1 else ""
        clauses.append(
            f"of another shape than by {CONFIG}, so random here: {name}, {list(held)} in the file "
            f"and {list(wanted)} in the model{more}"
        )
    if beyond:
        kind = ", of an adapter that was not merged" if adapted & set(beyond) else ""
        clauses.append(f"in the file, but not in the model{kind}: {_grouped(beyond)}")
    if not clauses:
        return ()
    return (Assumption("weights", "all of the model's, and no others", "; ".join(clauses), None),)


def _grouped(names: list[str]) -> str:
    """Names grouped by layer, as ``encoder.layer.2 (16 tensors)``."""
    groups: dict[str, list[str]] = {}
    for name in names:
        found = re.match(r"(.*?\.\d+)\.", name)
        groups.setdefault(found[1] if found else name, []).append(name)
    shown = [
        f"{group} ({len(held)} tensors)" if len(held) > 1 else held[0]
        for group, held in groups.items()
    ]
    more = f" and {len(shown) - 4} more" if len(shown) > 4 else ""
    return ", ".join(shown[:4]) + more
