"""Values of inductive types: `none` and `some x`, an activation of the project's own, a tree.

Which constructor a value has is the same on all instances of a batch.  If it depends on real
numbers, as in ``if b = 0 then none else some (a / b)``, it differs between instances; these are
then evaluated one by one (:func:`one_by_one`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from numeric.propositions.constants import Differs, TermError
from numeric.propositions.enclosures import Enclosure
from numeric.propositions.truth import UNDECIDED, Truth
from numeric.propositions.values import Env, Function, Made, Record, Value

__all__ = ["one_by_one", "taken_apart"]


def taken_apart(type: str, value: Value) -> Made:
    """A value as its constructor, with the constructor's arguments.

    Raises:
        TermError: it is not of that type.
    """
    match value:
        case Made():
            return value
        case int() if type == "Nat" and value >= 0:
            return Made("Nat.succ", (value - 1,)) if value else Made("Nat.zero")
        case int() if type == "Int":
            made = "Int.ofNat" if value >= 0 else "Int.negSucc"
            return Made(made, (value if value >= 0 else -value - 1,))
        case int() if type == "Bool":
            return Made("Bool.true" if value else "Bool.false")
        case list() if type == "List":
            return Made("List.cons", (value[0], value[1:])) if value else Made("List.nil")
        case _:
            raise TermError(type, f"a case distinction on {type} is not supported in numbers")


def one_by_one(evaluate: Callable[[Env], Truth], env: Env, count: int) -> Truth:
    """The truth of a proposition on ``count`` instances: on all at once if possible.

    If even a single instance does not decide which constructor it is, the proposition is undecided.

    Raises:
        TermError: as ``evaluate`` does.
    """
    try:
        return evaluate(env)
    except Differs:
        pass
    except RecursionError:
        raise TermError("", "a recursion that goes deeper than numbers follow") from None
    rows = []
    for row in range(count):
        try:
            rows.append(evaluate(tuple(_row(value, row) for value in env)))
        except Differs:
            open_ = np.asarray(np.nan)
            rows.append(Truth(np.asarray(UNDECIDED, dtype=np.int8), open_, open_))
    return Truth(
        np.array([int(np.ravel(t.code)[0]) for t in rows], dtype=np.int8),
        np.array([float(np.ravel(t.margin)[0]) for t in rows]),
        np.array([float(np.ravel(t.slack)[0]) for t in rows]),
    )


def _row(value: Value, row: int) -> Value:
    """One instance of a batch of values."""
    match value:
        case Enclosure(lo, hi, size):
            return Enclosure(_at(lo, row), _at(hi, row), _at(size, row))
        case Truth(code, margin, slack):
            return Truth(_at(code, row), _at(margin, row), _at(slack, row))
        case Function():
            return Function(lambda x: _row(value(x), row))
        case Record(structure, fields):
            return Record(structure, {name: _row(v, row) for name, v in fields.items()})
        case Made(constructor, arguments):
            return Made(constructor, tuple(_row(v, row) for v in arguments))
        case list():
            return [_row(v, row) for v in value]
        case _:
            return value


def _at(x: npt.NDArray[Any], row: int) -> npt.NDArray[Any]:
    return x[row : row + 1] if x.ndim and len(x) > 1 else x
