"""Modules of a project that Lean looked behind before, and in which it found nothing amiss.

To hand every constant to the kernel again, to search each theorem for contradictions and to write
down what it states takes Lean minutes.  All that follows from a module's compiled form, from those
of all that it imports, and from Lean; the library `Obligations` is among what a project compiles.
Where none of them has changed, the module is left out, and what was found counts again.

Two things also look at what is not imported.  Lemmas that prove a theorem's hypotheses are asked
for each time.  A module that comes later may teach `grind` a lemma that shows a contradiction in an
earlier one: without the cache everything is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from bridge import __version__
from bridge.engine import Engine
from bridge.lean.answers import AnswerCache
from bridge.lean.client import Answer
from bridge.lean.project import EXPORTER, Project
from bridge.lean.requests import TrustRequest
from bridge.lean.statement import parse_statements, with_discharges
from bridge.lean.trust import modules_in_order, with_modules_in_order

__all__ = ["STATED", "CleanModules"]

STATED = "stated"
"""The section of a completed answer that has what each theorem states, as a hash by name."""
_SCHEMA = "clean-modules/1"


class _Clean(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found of a module: its state then, how many constants the kernel accepted and how
    many no kernel checks, and what each of its tagged theorems states."""

    state: str
    accepted: int
    not_checked: int
    stated: dict[str, str]


@dataclass(frozen=True, slots=True)
class CleanModules:
    """What is kept of a project's modules.

    Attributes:
        project: the project, which is compiled.
        engine: the Lean that looks.
    """

    project: Project
    engine: Engine

    def completed(
        self,
        request: TrustRequest,
        put: Callable[[TrustRequest], Answer],
        *,
        use_cache: bool,
    ) -> Answer:
        """The answer to a request about all modules, with what theorems state as hashes; Lean looks
        at those modules alone that have changed.

        Args:
            request: the whole one.
            put: puts a request to Lean.
            use_cache: whether what is kept may be taken.

        Raises:
            AnswerError: Lean's answer is empty, partial or malformed.
        """
        states = self._states()
        kept = self._load(states) if use_cache else {}
        answer = put(replace(request, in_order=tuple(kept)))
        counts = {name: (c.accepted, c.not_checked) for name, c in kept.items()}
        trust = with_modules_in_order(answer["trust"], counts)
        statements = parse_statements(answer["statements"])
        others = statements.discharges_of_others
        stated = statements.evidence() | {
            name: with_discharges(own, others.get(name, ()))
            for clean in kept.values()
            for name, own in clean.stated.items()
        }
        # What changed while Lean looked need not be what it looked at.
        if states and self._states() == states:
            own = statements.own_evidence()
            for name, (accepted, not_checked) in modules_in_order(answer["trust"]).items():
                if name in states:  # Lean may spell a name in another way than a file's
                    here = {t.name: own[t.name] for t in statements.theorems if t.module == name}
                    kept[name] = _Clean(states[name], accepted, not_checked, here)
            self._store(kept)
        return {STATED: (stated,), "trust": trust}

    def _states(self) -> dict[str, str]:
        """What each module follows from; empty where that is not known."""
        found = self.engine.compiled_states(self.project.root) or {}
        ours = found.get(EXPORTER)
        return {} if ours is None else {name: f"{state} {ours}" for name, state in found.items()}

    @property
    def _key(self) -> str:
        about = (self.engine.fingerprint, str(self.project.root.resolve()))
        return AnswerCache.key(_SCHEMA, __version__, *about)

    def _load(self, states: Mapping[str, str]) -> dict[str, _Clean]:
        """The modules that are as they were, with all that they import and the library."""
        found = AnswerCache.default().load(self._key, self.project.root) or {}
        try:
            (modules,) = msgspec.convert(found.get("modules", ({},)), tuple[dict[str, _Clean]])
        except msgspec.ValidationError:
            return {}
        return {name: clean for name, clean in modules.items() if states.get(name) == clean.state}

    def _store(self, modules: Mapping[str, _Clean]) -> None:
        entry = {name: msgspec.to_builtins(clean) for name, clean in modules.items()}
        AnswerCache.default().store(self._key, {"modules": (entry,)}, {})
