"""Values from outside, JSON and TOML, as typed values: msgspec reads them strictly.

A refusal becomes one of the project's own errors, which gives the place, the expected value, and
the actual one.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar, overload

import msgspec
from msgspec import inspect

from bridge.errors import InvalidInputError, ObligationsError

__all__ = ["read_toml", "typed"]

T = TypeVar("T")

_PLACE = re.compile(r" - at `(?:key` in `)?\$([^`]*)`$")
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_EXPECTED = re.compile(
    r"Expected `([a-z |]+)`(?:, got `\w+`|( of length)? (>=|<=) (\S+))", re.DOTALL
)
_WORDS = {
    "array": "an array",
    "bool": "true or false",
    "float": "a number",
    "int": "an integer",
    "null": "null",
    "object": "an object",
    "str": "text",
}


@overload
def typed(
    value: object, kind: type[T], where: str, error: type[ObligationsError], *, remedy: str
) -> T: ...
@overload
def typed(
    value: object, kind: Any, where: str, error: type[ObligationsError], *, remedy: str
) -> Any: ...
def typed(
    value: object, kind: Any, where: str, error: type[ObligationsError], *, remedy: str
) -> Any:
    """A decoded value as a struct, a dataclass, or any other type of msgspec.

    Args:
        value: from JSON or TOML; nothing in it is converted to another type, except an integer to
            a float.
        kind: the required type.
        where: the start of the message.
        error: the exception to raise.
        remedy: what to do about it.

    Raises:
        ObligationsError: of the class ``error``: a field is missing, unknown or of another type.
    """
    try:
        tag = getattr(getattr(kind, "__struct_config__", None), "tag_field", None)
        if tag and isinstance(value, dict) and tag not in value:  # msgspec allows it to be left out
            raise msgspec.ValidationError(f"Object missing required field `{tag}`")
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as refused:
        raise error(f"{where}: {_said(str(refused), value, kind)}", remedy=remedy) from None
    except RecursionError:
        raise error(f"{where}: it nests too deeply to be read", remedy=remedy) from None


def _said(message: str, value: object, kind: Any) -> str:
    """msgspec's message, in the project's words, with the value at that place."""
    place = _PLACE.search(message)
    said = message[: place.start()] if place else message
    steps, there = _place(place[1] if place else "", message, value, kind)
    plain = (f".{s}" if isinstance(s, str) and s.isidentifier() else f"[{s!r}]" for s in steps)
    path = "".join(plain).lstrip(".")
    got = f"{path} = {_shown(there)}" if path else _shown(there)
    if found := re.fullmatch(r"Object missing required field `(.*)`", said, re.DOTALL):
        return f"the field {found[1]!r} is missing in {got}"
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", said, re.DOTALL):
        return f"the field {found[1]!r} is not known in {got}"
    if found := _EXPECTED.fullmatch(said):
        expected = " or ".join(_WORDS.get(name, name) for name in found[1].split(" | "))
        if found[3]:
            limit = f"at {'least' if found[3] == '>=' else 'most'} {found[4]}"
            expected += f" of length {limit}" if found[2] else f" of {limit}"
        return f"expected {expected} but got {got}"
    if said.startswith("Invalid") and (known := _known(inspect.type_info(kind), steps)):
        return f"expected {' or '.join(map(repr, known))} but got {got}"
    return f"{said[:1].lower()}{said[1:]}, in {got}"


def _shown(value: object) -> str:
    try:
        return f"{value!r:.200}"
    except (RecursionError, ValueError):  # a number of thousands of digits
        return f"a large {type(value).__name__}"


def _known(kind: inspect.Type, steps: list[Any]) -> list[object]:
    """The allowed values at a place that restricts them."""
    match kind:
        case inspect.Metadata(type=inner):
            return _known(inner, steps)
        case inspect.UnionType(types=kinds):
            return [found for one in kinds for found in _known(one, steps)]
        case inspect.LiteralType(values=values) if not steps:
            return list(values)
        case inspect.EnumType(cls=members) if not steps:
            return [member.value for member in members]
        case inspect.StructType(tag_field=str(field), tag=tag) if steps == [field]:
            return [tag]
        case inspect.StructType(fields=fields) if steps:
            return [
                k for f in fields if f.encode_name == steps[0] for k in _known(f.type, steps[1:])
            ]
        case inspect.DictType(value_type=inner) if steps:
            return _known(inner, steps[1:])
        case inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner) if steps:
            return _known(inner, steps[1:])
        case _:
            return []


def _place(path: str, message: str, value: object, kind: Any) -> tuple[list[Any], object]:
    """The steps of a path, with the keys that msgspec leaves out, and the value there."""
    steps: list[Any] = []
    there: Any = value
    for name, index in _STEP.findall(path):
        if index == "...":
            keys = (k for k in there if _message(_alone(value, steps, k), kind) == message)
            step = next(keys, None)
        else:
            step = name or int(index)
        try:
            there = there[step]
        except (LookupError, TypeError):  # the unknown part is in a name
            break
        steps.append(step)
    return steps, there


def _alone(value: Any, steps: list[Any], key: object) -> Any:
    """The value with only the entry ``key`` in the object at the end of ``steps``."""
    if not steps:
        return {key: value[key]}
    whole = value.copy() if isinstance(value, dict) else list(value)
    whole[steps[0]] = _alone(value[steps[0]], steps[1:], key)
    return whole


def _message(value: object, kind: Any) -> str:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as refused:
        return str(refused)
    return ""


def read_toml(path: Path) -> dict[str, Any] | None:
    """The content of a TOML file; ``None`` if there is no file.

    Raises:
        InvalidInputError: it is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except ValueError as e:
        raise InvalidInputError(
            f"{path.name} is not TOML: {e}", remedy=f"correct that place in {path}"
        ) from e
