"""Checks that receive a statement's own instances by the names of its binders.

Such a check needs no graph and no family: the statement defines its instances, and the check says
of each whether the code that a user runs does what the theorem claims.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bridge.verdict import Role

__all__ = ["NamedCheck", "Spoil", "named_check", "named_checks", "register_named"]

Spoil = Callable[[dict[str, object]], Mapping[str, object]]
"""Turns an instance's values, by binder, into values that a check must reject."""


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check of some obligations of one theorem, on the values of its binders.

    Attributes:
        name: the function's name, for reports.
        doc: what it measures.
        keys: the obligations' keys.
        role: the obligations' role.
        function: called with the values of ``parameters`` by name.  It returns whether the
            obligation holds on them, or None if it cannot decide; a failed ``assert`` is a no.
        parameters: the binders that it uses.
        rejects: changes of an instance that it must reject, each on at least one instance.
    """

    name: str
    doc: str
    keys: tuple[str, ...]
    role: Role
    function: Callable[..., object]
    parameters: tuple[str, ...]
    rejects: tuple[Spoil, ...] = ()


_NAMED: dict[str, NamedCheck] = {}


def named_checks() -> Mapping[str, NamedCheck]:
    """Every check by binder names, by the key of its obligation."""
    return MappingProxyType(_NAMED)


def named_check(
    function: Callable[..., object], keys: tuple[str, ...], role: Role, rejects: tuple[Spoil, ...]
) -> NamedCheck:
    """A function as a check by binder names.

    Raises:
        TypeError: it has a parameter that cannot be passed by name, or no docstring.
    """
    doc = inspect.getdoc(function) or ""
    if not doc:
        raise TypeError("expected a docstring that says what is measured and how")
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.values()
    for p in parameters:
        if p.kind not in kinds:
            raise TypeError(
                f"expected parameters named like binders but got {p.name!r}, which stands "
                "for any number of values or has no name"
            )
    names = tuple(p.name for p in parameters)
    return NamedCheck(function.__name__, doc, keys, role, function, names, rejects)


def register_named(made: NamedCheck) -> None:
    """Register a check for its obligations."""
    _NAMED.update(dict.fromkeys(made.keys, made))
