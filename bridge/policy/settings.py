"""Settings of a project: ``obligations.toml``, or ``[tool.obligations]`` in ``pyproject.toml``.

The command line wins over them.  A key that is not known is an error that suggests the right one.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from bridge.errors import InvalidInputError
from bridge.suggestions import did_you_mean

__all__ = ["ENGINES", "Settings", "read_settings"]

ENGINES = ("auto", "lake", "embedded", "lock")
"""What ``engine`` may be, here and on the command line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project may set; ``None`` and empty mean that it does not.

    Attributes:
        engine: ``auto``, ``lake``, ``embedded`` or ``lock``.
        seed: the seed of all instances.
        instances: how many to draw for each obligation.
        timeout: seconds for Lean to answer.
        only: keys, declarations or globs to audit.
        checks: Python modules that register checks, importable or files relative to the project.
        strict: whether what an audit leaves unseen makes it incomplete.
        untagged: names of theorems, or globs, that have hypotheses and need not be tagged.
        unread: Lean files, or globs, that belong to no library on purpose; say why in a comment.
    """

    engine: str | None = None
    seed: int | None = None
    instances: int | None = None
    timeout: float | None = None
    only: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    strict: bool | None = None
    untagged: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


_TEXT_LISTS = frozenset({"only", "checks", "untagged", "unread"})
_WHOLE = frozenset({"seed", "instances"})
_NUMBERS = _WHOLE | {"timeout"}


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
    known = [f.name for f in fields(Settings)]
    for key in values:
        if key not in known:
            raise InvalidInputError(
                f"{where}: there is no setting called {key!r}",
                remedy=did_you_mean(key, known, f"there are {', '.join(known)}", cutoff=0.6),
            )
    return Settings(**{key: _checked(where, key, value) for key, value in values.items()})  # type: ignore[arg-type]


def _table(path: Path, inside: tuple[str, ...]) -> dict[str, object]:
    try:
        value: object = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except ValueError as e:
        raise InvalidInputError(
            f"{path.name} is not TOML: {e}", remedy=f"correct that place in {path}"
        ) from e
    for name in inside:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    if not isinstance(value, dict):
        raise InvalidInputError(
            f"{path.name}: expected a table but got {value!r}",
            remedy="write the settings as [tool.obligations]",
        )
    return value


def _checked(where: str, key: str, value: object) -> object:
    def wrong(expected: str) -> InvalidInputError:
        return InvalidInputError(
            f"{where}: expected {expected} but got {key} = {value!r}", remedy=f"correct {key}"
        )

    if key in _TEXT_LISTS:
        if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
            raise wrong("a list of text")
        return tuple(value)
    if key in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int if key in _WHOLE else (int, float)):
            raise wrong("a number")
        assert isinstance(value, (int, float))
        lowest = 0 if key == "seed" else 1
        if not math.isfinite(value) or value < lowest:
            raise wrong(f"a number that is at least {lowest}")
        return value
    if key == "engine" and value not in ENGINES:
        raise wrong(" or ".join(map(repr, ENGINES)))
    if key == "strict" and not isinstance(value, bool):
        raise wrong("true or false")
    return value
