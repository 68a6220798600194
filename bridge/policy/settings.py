"""Settings of a project: ``obligations.toml``, or ``[tool.obligations]`` in ``pyproject.toml``.

The command line overrides them.  An unknown key is an error that suggests the right one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from bridge.decoding import read_toml, typed
from bridge.errors import InvalidInputError
from bridge.suggestions import did_you_mean
from numeric.backends import BACKENDS

__all__ = ["ENGINES", "Settings", "read_settings"]

EngineName = Literal["auto", "lake", "embedded", "lock"]
ENGINES: tuple[str, ...] = get_args(EngineName)
"""The values of ``engine``, here and on the command line."""
_Count = Annotated[int, Meta(ge=1)]


class Settings(Struct, frozen=True):
    """What a project may set; ``None`` and empty mean not set.

    Attributes:
        engine: ``auto``, ``lake``, ``embedded`` or ``lock``.
        backend: what runs graphs: ``numpy``, ``jax`` or ``torch``, the latter two optionally with a
            device, as in ``torch:cuda:1``.
        seed: the seed of all instances.
        instances: how many to draw for each obligation.
        timeout: seconds for Lean to answer.
        only: keys, declarations or globs to audit.
        checks: Python modules that register checks, importable or files relative to the project.
        strict: whether what an audit does not look at makes it incomplete.
        untagged: names of theorems, or globs, that have hypotheses and need not be tagged.
        unread: Lean files, or globs, that belong to no library on purpose; say why in a comment.
    """

    engine: EngineName | None = None
    backend: str | None = None
    seed: Annotated[int, Meta(ge=0)] | None = None
    instances: _Count | None = None
    timeout: Annotated[float, Meta(ge=1, le=1e9)] | None = None
    only: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    strict: bool | None = None
    untagged: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def read_settings(project: Path) -> Settings:
    """The settings of the project in the folder ``project``.

    Raises:
        InvalidInputError: both files set something, a key is unknown, or a value has the wrong
        type.
    """
    own = _table(project / "obligations.toml", ())
    shared = _table(project / "pyproject.toml", ("tool", "obligations"))
    if own and shared:
        raise InvalidInputError(
            "both obligations.toml and [tool.obligations] in pyproject.toml hold settings",
            remedy="keep one of them",
        )
    where = "obligations.toml" if own else "[tool.obligations] in pyproject.toml"
    values = own or shared
    known = Settings.__struct_fields__
    for key in values:
        if key not in known:
            raise InvalidInputError(
                f"{where}: there is no setting called {key!r}",
                remedy=did_you_mean(key, known, f"there are {', '.join(known)}", cutoff=0.6),
            )
    settings = typed(values, Settings, where, InvalidInputError, remedy="correct it")
    backend = settings.backend
    if backend is not None and backend.partition(":")[0] not in BACKENDS:
        raise InvalidInputError(
            f"{where}: expected {' or '.join(map(repr, BACKENDS))} (and a device behind a colon) "
            f"but got backend = {backend!r}",
            remedy="correct it",
        )
    return settings


def _table(path: Path, inside: tuple[str, ...]) -> dict[str, object]:
    value: object = read_toml(path) or {}
    for name in inside:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    if not isinstance(value, dict):
        raise InvalidInputError(
            f"{path.name}: expected a table but got {value!r}",
            remedy="write the settings as [tool.obligations]",
        )
    return value
