"""What a kernel accepted before, module by module.

A module's theorems, and all that they rest on, are the same as long as the module's state is:
see :meth:`bridge.lean.clean_modules.CleanModules.states`.  They need not be exported again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

_SCHEMA = "accepted-before/1"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a kernel accepted of one module.

    Attributes:
        state: the module's state then.
        claims: the hash of the type, and the axioms, of each theorem that the module declares and
            tags.
        below: names of all constants that these theorems, and the module's lemmas, rest on.
    """

    state: str
    claims: Mapping[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    below: frozenset[str] = frozenset()

    def has(self, claims: Iterable[Claim]) -> bool:
        """Whether it accepted these theorems as they are stated."""
        return all(self.claims.get(c.theorem) == (c.type_hash, c.axioms) for c in claims)


class _Module(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As it is stored: ``below`` are places in the list of all names."""

    state: str
    claims: dict[str, tuple[str, frozenset[str]]]
    below: tuple[int, ...]


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[str, ...] = ()
    modules: dict[str, _Module] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AcceptedBefore:
    """What is kept of a kernel's answers about a project.

    Attributes:
        root: folder of the project.
        key: of the entry in the cache.
    """

    root: Path
    key: str

    @classmethod
    def of(cls, kernel: Kernel, root: Path, engine: str, pinned: str) -> AcceptedBefore:
        """By everything that a kernel's answer follows from besides the states of the modules: the
        fingerprint of the engine, which has Lean's own library, and the hash of what is pinned."""
        about = (engine, kernel.name, kernel.fingerprint, pinned, str(root.resolve()))
        return cls(root, AnswerCache.key(_SCHEMA, __version__, *about))

    def load(self, states: Mapping[str, str]) -> dict[str, Accepted]:
        """By module what the kernel accepted, where the module's state is still the same."""
        entry = (AnswerCache.default().load(self.key, self.root) or {}).get("accepted", ({},))
        try:
            (stored,) = msgspec.convert(entry, tuple[_Stored])
            return {
                name: Accepted(m.state, m.claims, frozenset(stored.names[i] for i in m.below))
                for name, m in stored.modules.items()
                if states.get(name) == m.state
            }
        except (msgspec.ValidationError, IndexError):
            return {}

    def store(self, modules: Mapping[str, Accepted]) -> None:
        """Keep this, and forget what was kept."""
        names = sorted({name for m in modules.values() for name in m.below})
        place = {name: i for i, name in enumerate(names)}
        stored = {
            name: _Module(m.state, dict(m.claims), tuple(sorted(place[n] for n in m.below)))
            for name, m in modules.items()
        }
        entry = msgspec.to_builtins(_Stored(tuple(names), stored))
        AnswerCache.default().store(self.key, {"accepted": (entry,)}, {})


def accepted_now(
    export: Export, written: Written, claims: Sequence[Claim], states: Mapping[str, str]
) -> dict[str, Accepted]:
    """By module what a kernel has accepted that refused nothing of an export.

    Args:
        export: what it read.
        written: what Lean says of it.
        claims: about the tagged theorems.
        states: of the modules in which nothing was amiss.
    """
    found = {}
    for module in states.keys() - written.left_out:
        own = {name for name, m in written.modules.items() if m == module}
        below = export.below(*(written.roots[name] for name in own))
        found[module] = Accepted(
            states[module],
            {c.theorem: (c.type_hash, c.axioms) for c in claims if c.theorem in own},
            frozenset(export.names[number] for number in below),
        )
    return found
