"""Values of an instance for user code: floats, whole numbers, arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from numeric.propositions.constants import TermError
from numeric.propositions.enclosures import Enclosure, point
from numeric.propositions.spaces import (
    Bools,
    Finite,
    Functions,
    Lists,
    Reals,
    Records,
    Space,
    Subsets,
    Variants,
)
from numeric.propositions.values import Function, Made, Record, Value

__all__ = ["plain"]


def plain(space: Space, value: Value, row: int) -> object:
    """One instance's value of a batch.

    A real number is a float; a function `Fin n → ℝ` or `Fin m → Fin n → ℝ` a float64 array, any
    other `Fin n → α` a tuple, a function of real numbers a Python function; a list is a list, a
    pair a tuple, a structure's fields are attributes.

    Args:
        space: of the value.
        value: the result of :meth:`numeric.propositions.layout.Layout.env` for a whole batch.
        row: of the instance in its batch.

    Raises:
        TermError: a value has no Python counterpart.
    """
    match space, value:
        case Reals(), Enclosure():
            return _number(value, row)
        case Bools(), int():
            return bool(value)
        case Functions(source, to), Function() if isinstance(source, Finite):
            items = [plain(to(i), value(i), row) for i in range(source.count)]
            numbers = all(isinstance(i, float | np.ndarray) for i in items)
            return np.array(items, dtype=np.float64) if numbers else tuple(items)
        case Functions(Reals(), to), Function():
            return _callable(value, to(point(0.0)), row)
        case Variants("Option"), Made(_, ()):
            return None
        case Variants("Option", _, spaces), Made(name, (inner,)):
            element = spaces(name, ())
            return None if element is None else plain(element, inner, row)
        case Subsets(element), list():
            return frozenset(plain(element, item, row) for item in value)
        case Lists(element), list():
            return [plain(element, item, row) for item in value]
        case Records("Prod"), Record(_, fields):
            return tuple(_fields(space, fields, row).values())
        case Records("Subtype"), Record(_, fields):
            return _fields(space, fields, row)["val"]
        case Records(), Record(_, fields):
            return SimpleNamespace(**_fields(space, fields, row))
        case _, int():
            return value
    raise TermError("", f"a value of a space of {type(space).__name__.lower()} has no Python value")


def _number(value: Enclosure, row: int) -> float:
    drawn: npt.NDArray[np.float64] = np.atleast_1d(value.lo)
    return float(drawn[row if len(drawn) > 1 else 0])


def _callable(value: Function, codomain: Space, row: int) -> Callable[[float], object]:
    return lambda x: plain(codomain, value(point(float(x))), row)


def _fields(space: Records, fields: Mapping[str, Value], row: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in space.fields:
        part = space.spaces(name, fields)
        if part is not None:
            found[name] = plain(part, fields[name], row)
    return found
