"""Modules of a project that Lean looked behind before, and in which it found no fault.

Sending every constant to the kernel again, searching each theorem for contradictions and writing
down what it states takes Lean minutes.  The result depends

* on the compiled form of the module, and of those that it rests on, which Lean reports: those that
  it imports, those that declare what its terms mention (a metaprogram can store a term that
  mentions what its module does not import), and those that declare one of its constants in another
  way (Lean has one copy at a time);
* on what is registered anywhere and guides a search, such as instances and lemmas for `grind`;
* on Lean, and on the library `Obligations`.

If none of this has changed, the module is left out, and the earlier result counts.  Lemmas that
prove a theorem's hypotheses may be in later modules: they are asked for each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec

from bridge import __version__
from bridge.engine import Engine
from bridge.lean.answers import AnswerCache
from bridge.lean.client import Answer
from bridge.lean.project import EXPORTER, Project
from bridge.lean.requests import TrustRequest
from bridge.lean.statement import parse_statements, with_discharges
from bridge.lean.trust import Looked, looked_at, with_left_out

__all__ = ["STATED", "CleanModules"]

STATED = "stated"
"""The section of a completed answer with the hash of what each theorem states, by name."""
_SCHEMA = "clean-modules/2"


class _Clean(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result for a module: how many constants the kernel accepted and how many no kernel
    checks, what each theorem that it declares and tags states, and all modules that it rests on."""

    accepted: int
    not_checked: int
    stated: dict[str, str]
    rests: tuple[str, ...]


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result for a project: the digests of its modules then, which of them guide a search, and
    the result for each."""

    digests: dict[str, str] = msgspec.field(default_factory=dict)
    guiding: tuple[str, ...] = ()
    modules: dict[str, _Clean] = msgspec.field(default_factory=dict)

    def at(self, digests: Mapping[str, str]) -> dict[str, _Clean]:
        """The modules that are unchanged, with all that they rest on; ``digests`` are the current
        ones."""

        def same(names: Iterable[str]) -> bool:
            return all(n in digests and digests[n] == self.digests.get(n) for n in names)

        if not same({*self.guiding, *filter(_is_ours, {*digests, *self.digests})}):
            return {}
        return {name: one for name, one in self.modules.items() if same((name, *one.rests))}


@dataclass(frozen=True, slots=True)
class CleanModules:
    """The results kept for a project's modules.

    Attributes:
        project: the project; compiled already.
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
        only at modules that have changed.

        Args:
            request: the whole request.
            put: sends a request to Lean.
            use_cache: whether kept results may be used.

        Raises:
            AnswerError: Lean's answer is empty, partial or malformed.
        """
        digests = self.digests()
        kept = self._load() if use_cache else _Kept()
        clean = kept.at(digests)
        while True:
            answer = put(replace(request, already_clean=tuple(clean)))
            found = looked_at(answer["trust"])
            if clean and found.guiding != set(kept.guiding):
                clean = {}
            elif odd := {m for m, new in found.at_odds.items() if _is_news(clean.get(m), new)}:
                clean = {n: one for n, one in clean.items() if odd.isdisjoint((n, *one.rests))}
            else:
                break
        statements = parse_statements(answer["statements"])
        others = statements.discharges_of_others
        stated = statements.evidence() | {
            name: with_discharges(own, others.get(name, ()))
            for one in clean.values()
            for name, own in one.stated.items()
        }
        # What changed while Lean looked need not be what it looked at.
        if digests and self.digests() == digests:
            own = statements.own_evidence()
            below = _below(found.modules, clean)
            new = {
                m.module: _Clean(
                    m.accepted,
                    m.not_checked,
                    {name: own[name] for name in m.theorems},
                    below[m.module],
                )
                for m in found.modules
                if m.clean
            }
            self._store(_Kept(digests, tuple(sorted(found.guiding)), {**clean, **new}))
        accepted = sum(one.accepted for one in clean.values())
        not_checked = sum(one.not_checked for one in clean.values())
        return {STATED: (stated,), "trust": with_left_out(answer["trust"], accepted, not_checked)}

    def states(self, digests: Mapping[str, str]) -> dict[str, str]:
        """The state of each clean module: a hash over everything that its result depends on.

        Args:
            digests: those of the compiled modules at the time in question.
        """
        kept = self._load()
        common = sorted({*kept.guiding, *filter(_is_ours, digests)})

        def state(names: Iterable[str]) -> str:
            return AnswerCache.key(*(f"{name} {digests[name]}" for name in names))

        return {name: state((name, *one.rests, *common)) for name, one in kept.at(digests).items()}

    def digests(self) -> dict[str, str]:
        """The digest of each compiled module; empty if they are unknown."""
        found = self.engine.compiled_digests(self.project.root) or {}
        return dict(found) if EXPORTER in found else {}

    @property
    def _key(self) -> str:
        about = (self.engine.fingerprint, str(self.project.root.resolve()))
        return AnswerCache.key(_SCHEMA, __version__, *about)

    def _load(self) -> _Kept:
        found = AnswerCache.default().load(self._key, self.project.root) or {}
        try:
            return msgspec.convert(found.get("kept", ({},)), tuple[_Kept])[0]
        except msgspec.ValidationError:
            return _Kept()

    def _store(self, kept: _Kept) -> None:
        entry = msgspec.to_builtins(kept)
        AnswerCache.default().store(self._key, {"kept": (entry,)}, {})


def _is_news(clean: _Clean | None, others: Iterable[str]) -> bool:
    """Whether a clean module was not known to rest on one of these."""
    return clean is not None and any(o not in clean.rests and not _is_ours(o) for o in others)


def _is_ours(module: str) -> bool:
    """Whether the module belongs to the library `Obligations`, on which everything rests."""
    return module.split(".")[0] == EXPORTER


def _below(looked: Iterable[Looked], clean: Mapping[str, _Clean]) -> dict[str, tuple[str, ...]]:
    """All modules that each module looked at rests on; for those left out this is known."""
    direct = {m.module: m.rests for m in looked}
    direct |= {name: one.rests for name, one in clean.items()}
    found = {}
    for start in direct:
        reached, todo = {start}, [start]
        while todo:
            for name in direct.get(todo.pop(), ()):
                if name not in reached and not _is_ours(name):
                    reached.add(name)
                    todo.append(name)
        found[start] = tuple(sorted(reached - {start}))
    return found
