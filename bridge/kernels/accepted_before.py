"""The theorems that a kernel accepted before, by module.

While the state of a module is unchanged, so are its theorems and all that they rest on
(:meth:`bridge.lean.clean_modules.CleanModules.states`): they need not be exported again.  Each
theorem is compared with what was accepted, as a term with the definitions that it unfolds to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bridge import __version__
from bridge.kernels.export import Export
from bridge.kernels.exporting import Written
from bridge.kernels.interface import Kernel
from bridge.kernels.policy import Claim
from bridge.lean.answers import AnswerCache

__all__ = ["Accepted", "AcceptedBefore", "accepted_now"]

_SCHEMA = "accepted-before/4"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The theorems of one module that a kernel accepted.

    Attributes:
        state: the state of the module.
        claims: the hash of the type, the axioms, and the hash of the type with the definitions that
            it unfolds to, of each theorem that the module declares and tags.
        roots: names of these theorems, and of the module's lemmas that prove hypotheses.
        below: names of all constants that the roots rest on.
    """

    state: str
    claims: Mapping[str, tuple[str, frozenset[str], str]] = field(default_factory=dict)
    roots: frozenset[str] = frozenset()
    below: frozenset[str] = frozenset()

    def has(self, claims: Iterable[Claim]) -> bool:
        """Whether these theorems are among them, with the same statements and axioms."""
        return all(self.claims.get(c.theorem) == _of(c) for c in claims)


def _of(claim: Claim) -> tuple[str, frozenset[str], str]:
    return claim.type_hash, claim.axioms, claim.evidence


class _Module(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As stored: ``below`` are indices into the list of all names."""

    state: str
    claims: dict[str, tuple[str, frozenset[str], str]]
    roots: frozenset[str]
    below: tuple[int, ...]


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[str, ...] = ()
    modules: dict[str, _Module] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AcceptedBefore:
    """The cache entry for one kernel and one project.

    Attributes:
        root: the project's folder.
        key: the key of the entry.
    """

    root: Path
    key: str

    @classmethod
    def of(cls, kernel: Kernel, root: Path, engine: str, pinned: str) -> AcceptedBefore:
        """The entry for a kernel: besides the states of the modules, its answers depend on Lean's
        own library (the fingerprint ``engine``) and on the hash ``pinned`` of its statements."""
        about = (engine, kernel.name, kernel.fingerprint, pinned, str(root.resolve()))
        return cls(root, AnswerCache.key(_SCHEMA, __version__, *about))

    def load(self, states: Mapping[str, str]) -> dict[str, Accepted]:
        """What the kernel accepted, by module, for modules whose state is unchanged."""
        entry = (AnswerCache.default().load(self.key, self.root) or {}).get("accepted", ({},))
        try:
            (stored,) = msgspec.convert(entry, tuple[_Stored])
            return {
                name: Accepted(
                    m.state, m.claims, m.roots, frozenset(stored.names[i] for i in m.below)
                )
                for name, m in stored.modules.items()
                if states.get(name) == m.state
            }
        except (msgspec.ValidationError, IndexError):
            return {}

    def store(self, modules: Mapping[str, Accepted]) -> None:
        """Replace the entry."""
        names = sorted({name for m in modules.values() for name in m.below})
        place = {name: i for i, name in enumerate(names)}
        stored = {
            name: _Module(
                m.state, dict(m.claims), m.roots, tuple(sorted(place[n] for n in m.below))
            )
            for name, m in modules.items()
        }
        entry = msgspec.to_builtins(_Stored(tuple(names), stored))
        AnswerCache.default().store(self.key, {"accepted": (entry,)}, {})


def accepted_now(
    export: Export,
    written: Written,
    claims: Sequence[Claim],
    states: Mapping[str, str],
    refused: Collection[int | str],
) -> dict[str, Accepted]:
    """What a kernel has accepted of an export, by module; modules of which anything rests on a
    refused constant are left out.

    Args:
        export: the export.
        written: Lean's summary of it.
        claims: the tagged theorems.
        states: the states of the clean modules.
        refused: numbers of the refused constants, and names of refused theorems without one; the
            kernel has decided about the rest.
    """
    accepted = {}
    for module in states.keys() - written.left_out:
        own = {name for name, m in written.modules.items() if m == module}
        numbers = export.below(*(written.roots[name] for name in own))
        if not numbers.isdisjoint(refused) or not own.isdisjoint(refused):
            continue
        accepted[module] = Accepted(
            states[module],
            {c.theorem: _of(c) for c in claims if c.theorem in own},
            frozenset(own),
            frozenset(export.names[number] for number in numbers),
        )
    return accepted
