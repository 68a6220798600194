"""`waivers.toml`: obligations that someone decided not to check, with the reason.

::

    [[waiver]]
    key = "encoderBlock_backpropVec_eq_adjoint_fderiv_at:hWeird"
    reason = "implied by hNorm1VarEpsPos; see the paper, section 3"

A waiver that nothing needs any more is an error, so that the file cannot hide what it no longer
covers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from bridge.errors import InvalidInputError

__all__ = ["WAIVERS_NAME", "read_waivers", "refuse_unneeded"]

WAIVERS_NAME = "waivers.toml"
SHAPE = 'a waiver is: [[waiver]], key = "theorem:hName", reason = "why it need not be checked"'


def read_waivers(path: Path) -> dict[str, str]:
    """Reasons by key; empty where there is no file.

    Raises:
        InvalidInputError: the file is malformed, repeats a key, or gives no reason.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except ValueError as e:
        raise InvalidInputError(
            f"{path.name} is not TOML: {e}", remedy=f"correct that place in {path}"
        ) from e
    unknown = sorted(set(value) - {"waiver"})
    entries = value.get("waiver", [])
    if unknown or not isinstance(entries, list):
        raise InvalidInputError(
            f"{path.name}: expected only [[waiver]] tables but got {unknown or entries!r}",
            remedy=SHAPE,
        )
    reasons: dict[str, str] = {}
    for position, entry in enumerate(entries):
        where = f"{path.name}, waiver {position + 1}"
        if not isinstance(entry, dict) or set(entry) != {"key", "reason"}:
            raise InvalidInputError(
                f"{where}: expected exactly `key` and `reason` but got {entry!r}", remedy=SHAPE
            )
        key, reason = entry["key"], entry["reason"]
        if not isinstance(key, str) or not isinstance(reason, str) or not reason.strip():
            raise InvalidInputError(
                f"{where}: expected text in `key` and a reason in `reason` but got {entry!r}",
                remedy=SHAPE,
            )
        if key in reasons:
            raise InvalidInputError(f"{where}: {key!r} is waived twice", remedy="remove one")
        reasons[key] = reason.strip()
    return reasons


def refuse_unneeded(
    waivers: Mapping[str, str], keys: Iterable[str], checked: Iterable[str]
) -> None:
    """Raise where a waiver covers nothing: no such obligation, or one that has a check.

    Raises:
        InvalidInputError: the first waiver that is not needed, and why.
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
