"""`waivers.toml`: obligations that the project decided not to check, with the reason.

::

    [[waiver]]
    key = "encoderBlock_backpropVec_eq_adjoint_fderiv_at:hWeird"
    reason = "implied by hNorm1VarEpsPos; see the paper, section 3"

An unused waiver is an error, so that the file cannot hide what it no longer covers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from bridge.decoding import read_toml, typed
from bridge.errors import InvalidInputError

__all__ = ["WAIVERS_NAME", "read_waivers", "refuse_unneeded"]

WAIVERS_NAME = "waivers.toml"
SHAPE = 'a waiver is: [[waiver]], key = "theorem:hName", reason = "why it need not be checked"'


class _Waiver(Struct, frozen=True, forbid_unknown_fields=True):
    key: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("expected a reason")


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    waiver: tuple[_Waiver, ...] = ()


def read_waivers(path: Path) -> dict[str, str]:
    """Reasons by key; empty if there is no file.

    Raises:
        InvalidInputError: the file is malformed, repeats a key, or gives no reason.
    """
    given = typed(read_toml(path) or {}, _File, path.name, InvalidInputError, remedy=SHAPE)
    reasons: dict[str, str] = {}
    for one in given.waiver:
        if one.key in reasons:
            raise InvalidInputError(
                f"{path.name}: {one.key!r} is waived twice", remedy="remove one"
            )
        reasons[one.key] = one.reason.strip()
    return reasons


def refuse_unneeded(
    waivers: Mapping[str, str], keys: Iterable[str], checked: Iterable[str]
) -> None:
    """Raise if a waiver covers nothing: no such obligation, or one that has a check.

    Raises:
        InvalidInputError: the first unused waiver, and why.
    """
    known, paired = set(keys), set(checked)
    for key in waivers:
        if key not in known:
            raise InvalidInputError(
                f"{WAIVERS_NAME}: no obligation is called {key!r}",
                remedy="remove the waiver, or correct its key (`obligations list`)",
            )
        if key in paired:
            raise InvalidInputError(
                f"{WAIVERS_NAME}: {key!r} has a check, so the waiver is not needed",
                remedy="remove the waiver, or the check",
            )
