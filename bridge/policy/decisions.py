"""What a project has decided about its obligations: waivers, and the lock of what was accepted."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bridge.checking import Check, NamedCheck, named_checks, registered
from bridge.checking.loading import name_of_file
from bridge.checking.sources import source_hash
from bridge.checks.pairing import paired
from bridge.engine import unchanged
from bridge.errors import InvalidInputError
from bridge.lean.library import Library
from bridge.lean.locked_answer import KeptAnswer
from bridge.lean.trust import Outside, Trust
from bridge.policy.lock import LOCK_NAME, Drift, DriftKind, Lock, drifts, locked, read_lock
from bridge.policy.settings import Settings
from bridge.policy.waivers import WAIVERS_NAME, read_waivers, refuse_unneeded
from bridge.suggestions import did_you_mean

__all__ = [
    "TRUST_PREFIX",
    "Policy",
    "current_lock",
    "missing_keys",
    "read_policy",
    "refuse_checks_of_nothing",
    "stale_reasons",
]

TRUST_PREFIX = "trust:"
"""Waivers of what steps outside the kernel have keys ``trust:Declaration``; of code that runs when
its module is imported, ``trust:Module``."""
OTHER_SOURCES = "the Lean sources are not those that were locked, and Lean was not run"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a project has decided.

    Attributes:
        waivers: reasons for not checking, by key.
        lock: what was accepted; ``None`` if there is no lock.
        untagged: which theorems with hypotheses need not be tagged: names or globs, of theorems or
            of their modules.
        checks: names of the modules that hold the project's own checks.
        unread: Lean files that belong to no library on purpose, or globs.
    """

    waivers: Mapping[str, str] = field(default_factory=dict)
    lock: Lock | None = None
    untagged: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()

    def left_out(self, trust: Trust, library: Library) -> Trust:
        """``trust`` without the untagged theorems that discharge something, or that the project has
        named.

        Raises:
            InvalidInputError: the project names something that does not exist.
        """
        lemmas = {d.lemma for t in library.statements.theorems for d in t.discharges}
        rest = {name: module for name, module in trust.untagged.items() if name not in lemmas}
        for pattern in self.untagged:
            hits = [
                name
                for name, module in trust.untagged.items()
                if fnmatchcase(name, pattern) or fnmatchcase(module, pattern)
            ]
            if not hits:
                raise InvalidInputError(
                    f"the setting `untagged` names {pattern!r}, and no untagged theorem with "
                    "hypotheses, nor its module, is called that",
                    remedy="remove it from the settings (`obligations list --untagged`)",
                )
            for name in hits:
                rest.pop(name, None)
        return replace(trust, untagged=rest)

    def not_waived(self, outside: Iterable[Outside]) -> tuple[Outside, ...]:
        """The declarations that no waiver names."""
        return tuple(o for o in outside if TRUST_PREFIX + o.waived_as not in self.waivers)

    def refuse_unneeded(self, library: Library, outside: Sequence[str] = ()) -> None:
        """Raise if a waiver covers nothing.

        Raises:
            InvalidInputError: see :func:`bridge.policy.waivers.refuse_unneeded`.
        """
        keys = [o.key for o in library.obligations]
        known = [*keys, *(TRUST_PREFIX + name for name in outside)]
        refuse_unneeded(self.waivers, known, [k for k in keys if k in paired(library)])


def refuse_checks_of_nothing(library: Library, modules: Sequence[str]) -> None:
    """Raise if a check in one of these modules is for an obligation that does not exist.

    The bridge's own checks are for one library, so they are ignored in another.

    Raises:
        InvalidInputError: it names the key, and the nearest existing one.
    """
    keys = [o.key for o in library.obligations]
    for key, check in registered().items():
        if check.measure.__module__ in modules and key not in keys:
            raise _of_nothing(check.name, key, keys)
    for key, named in named_checks().items():
        if named.function.__module__ not in modules:
            continue
        if key not in keys:
            raise _of_nothing(named.name, key, keys)
        statement = library.statement_named(key.rpartition(":")[0])
        binders = [] if statement is None else statement.named_values
        for name in named.parameters:
            if name not in binders:
                raise InvalidInputError(
                    f"the check {named.name} for {key} asks for {name!r}, and the statement binds "
                    f"no value of that name",
                    remedy=did_you_mean(name, binders, f"it binds {', '.join(binders) or 'none'}"),
                )


def _of_nothing(check: str, key: str, keys: Sequence[str]) -> InvalidInputError:
    return InvalidInputError(
        f"the check {check} is for {key!r}, and no obligation is called that",
        remedy=did_you_mean(key, keys, "`obligations list` shows every key", cutoff=0.6),
    )


def read_policy(project: Path, settings: Settings | None = None) -> Policy:
    """The policy of the project in the folder ``project``.

    Raises:
        InvalidInputError: the lock or the waivers are malformed.
    """
    waivers, lock = read_waivers(project / WAIVERS_NAME), read_lock(project / LOCK_NAME)
    chosen = settings or Settings()
    modules = tuple(
        name_of_file(project / name) if name.endswith(".py") else name for name in chosen.checks
    )
    return Policy(waivers, lock, chosen.untagged, chosen.unread, modules)


def _function(check: Check | NamedCheck) -> Callable[..., Any]:
    """What a check measures with: a function, or the class of a side condition."""
    if isinstance(check, NamedCheck):
        return check.function
    return check.measure if inspect.isfunction(check.measure) else type(check.measure)


def current_lock(library: Library, *, with_checks: bool = True) -> Lock:
    """The lock that would be written now; ``with_checks`` hashes the sources of all checks too."""
    checks: Mapping[str, Check | NamedCheck] = {**named_checks(), **paired(library)}
    hashes: dict[str, str] = {}
    entries = {}
    for o in library.obligations:
        check = checks.get(o.key)
        if check is None or not with_checks:
            entries[o.key] = locked(o, None, None)
            continue
        if check.name not in hashes:
            hashes[check.name] = source_hash(_function(check))
        entries[o.key] = locked(o, check.name, hashes[check.name])
    return Lock(entries, library.statements.definition_hashes())


def stale_reasons(library: Library, lock: Lock | None) -> dict[str, str]:
    """Why the pairing of an obligation with its check is stale, by key."""
    if lock is None:
        return {}
    engine = library.engine
    project = library.project
    if isinstance(engine, KeptAnswer) and not (
        engine.sources == project.fingerprint() and unchanged(project.root, engine.files)
    ):
        return dict.fromkeys((o.key for o in library.obligations), OTHER_SOURCES)
    return {
        d.key: stale_reason(d)
        for d in drifts(lock, current_lock(library, with_checks=False))
        if d.makes_stale
    }


def missing_keys(library: Library, lock: Lock | None) -> tuple[str, ...]:
    """Keys that were locked and that the library no longer has."""
    if lock is None:
        return ()
    present = {o.key for o in library.obligations}
    return tuple(key for key in lock.obligations if key not in present)


def stale_reason(drift: Drift) -> str:
    """What changed since the obligation was accepted, in a sentence."""
    if drift.kind is DriftKind.DEFINITION:
        names = ", ".join(drift.definitions[:3]) or "below it"
        more = f" and {len(drift.definitions) - 3} more" if len(drift.definitions) > 3 else ""
        return f"a definition that it unfolds to changed: {names}{more}"
    if drift.old == drift.new:
        return f"the statement changed, though it still prints as {drift.new}"
    return f"the statement changed from {drift.old} to {drift.new}"
