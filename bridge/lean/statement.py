"""What Lean says about one theorem, as typed values.

Lean's answer is JSON from ``lean/Obligations/Export.lean``; it is parsed and validated here, once.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from bridge.errors import AnswerError
from bridge.lean.messages import End, Part, read_messages

__all__ = [
    "Binder",
    "Conclusion",
    "Constant",
    "Discharge",
    "PropField",
    "Statement",
    "Statements",
    "parse_statements",
    "with_discharges",
]

RESERVED = frozenset({"conclusion", "fidelity"})
"""What stands for a binder in keys of other obligations."""


class PropField(Part, frozen=True):
    """A proposition inside a value, such as ``pos`` of a structure; ``path`` leads to it."""

    path: str
    type: str
    term: str
    uses: tuple[str, ...]


class Binder(Part, frozen=True, rename={"kind": "info", "is_prop": "prop"}):
    """One entry of a theorem's telescope.

    ``term`` is the canonical text of its type, closed over the binders it depends on; it does not
    change when a bound variable is renamed.  ``uses`` are the project's own constants in it.
    ``fields`` are the propositions inside its value: a caller of the theorem has to supply them,
    so each is a hypothesis (``lean/Obligations/Fields.lean`` says which count).
    """

    name: str | None
    type: str
    kind: Literal["default", "implicit", "strictImplicit", "instImplicit"]
    is_prop: bool
    term: str
    uses: tuple[str, ...]
    fields: tuple[PropField, ...] = ()


class Conclusion(Part, frozen=True):
    """What the theorem claims; ``term`` is the canonical text of the whole statement."""

    type: str
    term: str


class Discharge(Part, frozen=True):
    """A lemma that proves the hypothesis ``binder``, given ``conditions``.

    Lean checked the match.
    """

    binder: str
    lemma: str
    conditions: tuple[str, ...]


class Constant(Part, frozen=True, tag_field="kind", tag="constant"):
    """A definition of the project that statements unfold to."""

    name: str
    terms: tuple[str, ...] | None
    uses: tuple[str, ...]


def _is_sort(type: str) -> bool:
    """Whether a printed type is a universe: its values are types."""
    return type.split(" ")[0] in ("Type", "Sort")


class Statement(
    Part,
    frozen=True,
    tag_field="kind",
    tag="statement",
    rename={"docstring": "doc", "is_theorem": "theorem"},
):
    """One exported theorem: telescope, conclusion, place, axioms."""

    name: str
    module: str
    line: int
    docstring: str | None
    is_theorem: bool
    binders: tuple[Binder, ...]
    conclusion: Conclusion
    uses: tuple[str, ...]
    axioms: tuple[str, ...]
    discharges: tuple[Discharge, ...]

    @property
    def doc(self) -> str:
        """The docstring; empty if there is none."""
        return (self.docstring or "").strip()

    @property
    def hypotheses(self) -> tuple[Binder, ...]:
        """What the theorem assumes, in order: the binders that are propositions, and the
        propositions inside others, named by their path (``c.pos``)."""
        return tuple(self.placed_hypotheses.values())

    @property
    def named_values(self) -> tuple[str, ...]:
        """The binders that stand for values: neither propositions nor instances nor types."""
        return tuple(
            b.name
            for b in self.binders
            if b.name and not b.is_prop and b.kind != "instImplicit" and not _is_sort(b.type)
        )

    @property
    def placed_hypotheses(self) -> dict[tuple[int, str], Binder]:
        """The hypotheses by the place of their binder, from 1, and the path within its value."""
        found: dict[tuple[int, str], Binder] = {}
        for place, b in enumerate(self.binders, 1):
            if b.is_prop:
                found[place, ""] = b
            for f in b.fields:
                name = f"{b.name}.{f.path}"
                found[place, f.path] = Binder(name, f.type, b.kind, True, f.term, f.uses)
        return found


@dataclass(frozen=True)
class Statements:
    """A whole, verified answer to a request for statements.

    Attributes:
        lean_version: the Lean that answered.
        theorems: in the order of the sources.
        constants: the definitions that they unfold to, by name.
        axiom_modules: the module that declares each axiom that they rest on.
        discharges_of_others: lemmas that prove hypotheses of theorems that were left out.
    """

    lean_version: str
    theorems: tuple[Statement, ...]
    constants: Mapping[str, Constant]
    axiom_modules: Mapping[str, str | None]
    discharges_of_others: Mapping[str, tuple[Discharge, ...]] = field(default_factory=dict)
    # Those computed so far: binders of many theorems share their types.
    _fingerprints: dict[tuple[str, tuple[str, ...]], str] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _closures: dict[tuple[str, ...], frozenset[str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def definition_hashes(self) -> dict[str, str]:
        """sha256 of the text of every definition that a statement unfolds to, by name."""
        return {
            name: hashlib.sha256("\0".join(c.terms or ()).encode()).hexdigest()
            for name, c in self.constants.items()
        }

    def closure(self, uses: Iterable[str]) -> frozenset[str]:
        """The project's own constants among ``uses``, and all that they unfold to."""
        uses = tuple(uses)
        if uses not in self._closures:
            self._closures[uses] = self._closure(uses)
        return self._closures[uses]

    def _closure(self, uses: tuple[str, ...]) -> frozenset[str]:
        reached: set[str] = set()
        todo = list(uses)
        while todo:
            name = todo.pop()
            if name not in reached:
                reached.add(name)
                todo.extend(self._constant(name).uses)
        return frozenset(reached)

    def evidence(self) -> dict[str, str]:
        """sha256 over all that is said about each theorem, by full Lean name, except text for
        people, which depends on the notations in scope."""
        own = self.own_evidence()
        return {t.name: with_discharges(own[t.name], t.discharges) for t in self.theorems}

    def own_evidence(self) -> dict[str, str]:
        """Like :meth:`evidence`, without the lemmas that prove hypotheses: these may be in later
        modules, the rest depends only on the theorem's module and its imports."""
        hashes = self.definition_hashes()
        below = {n: f"\0{n} {c.terms is None} {hashes[n]}" for n, c in self.constants.items()}
        return {t.name: self._evidence(t, below) for t in self.theorems}

    def _evidence(self, t: Statement, below: Mapping[str, str]) -> str:
        reached = self.closure(t.uses).union(*(self.closure(b.uses) for b in t.binders))
        said = [
            [t.name, t.module, t.line, t.is_theorem, t.conclusion.term, t.uses, sorted(t.axioms)],
            [[b.name, b.kind, b.is_prop, b.term, b.uses] for b in t.binders],
            [[f.path, f.term, f.uses] for b in t.binders for f in b.fields],
            sorted([a, self.axiom_modules.get(a)] for a in t.axioms),
        ]
        unfolded = "".join(below[name] for name in sorted(reached))
        return hashlib.sha256((json.dumps(said) + unfolded).encode()).hexdigest()

    def _constant(self, name: str) -> Constant:
        constant = self.constants.get(name)
        if constant is None:
            raise AnswerError(
                f"Lean's answer is partial: it uses {name!r} and does not say what that is",
            )
        return constant

    def fingerprint(self, term: str, uses: Iterable[str]) -> str:
        """sha256 over a term and everything of the project's own that it unfolds to.

        Renaming a bound variable keeps it; changing a definition anywhere below changes it.
        """
        uses = tuple(uses)
        if (term, uses) not in self._fingerprints:
            self._fingerprints[term, uses] = self._fingerprint(term, uses)
        return self._fingerprints[term, uses]

    def _fingerprint(self, term: str, uses: tuple[str, ...]) -> str:
        below = b"".join(self._as_bytes[name] for name in sorted(self.closure(uses)))
        return hashlib.sha256(term.encode() + below).hexdigest()

    @cached_property
    def _as_bytes(self) -> dict[str, bytes]:
        """What each constant adds to the fingerprint of a term above it."""
        return {
            name: f"\0{name}\0{chr(1) if c.terms is None else chr(0).join(c.terms)}".encode()
            for name, c in self.constants.items()
        }


def with_discharges(own_evidence: str, discharges: Iterable[Discharge]) -> str:
    """:meth:`Statements.evidence`, from a theorem's own and the lemmas that prove its
    hypotheses."""
    said = [own_evidence, sorted([d.binder, d.lemma] for d in discharges)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _with_own_names(binders: tuple[Binder, ...]) -> tuple[Binder, ...]:
    """Each hypothesis with a unique name, since keys are made of it.

    One without a name is called by its position in the telescope, `#3`, counting from 1; if two
    share a name, or use one with another meaning in keys, each is called `hPos#3`: a check for
    `hPos` then covers none of them.  A value with propositions inside is named in the same way.
    """
    count = Counter(b.name for b in binders if b.is_prop or b.fields)

    def named(position: int, b: Binder) -> Binder:
        if not (b.is_prop or b.fields) or (
            b.name and count[b.name] == 1 and b.name not in RESERVED
        ):
            return b
        return replace(b, name=f"{b.name or ''}#{position}")

    return tuple(named(i, b) for i, b in enumerate(binders, 1))


class _End(End, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    lean: str
    axiom_modules: dict[str, str | None]
    discharges: dict[str, tuple[Discharge, ...]] = msgspec.field(default_factory=dict)


def parse_statements(messages: Sequence[object]) -> Statements:
    """Parse the messages of one request; the theorems come in the order of the sources.

    Args:
        messages: decoded JSON values; the last one counts the others.

    Raises:
        AnswerError: the answer is empty, partial, repeated or malformed.
    """
    read, end = read_messages(messages, Statement | Constant, _End, "statements")
    theorems: dict[str, Statement] = {}
    constants: dict[str, Constant] = {}
    for one in read:
        seen: dict[str, Any] = theorems if isinstance(one, Statement) else constants
        if one.name in seen:
            raise AnswerError(f"Lean's answer holds {one.name!r} twice")
        seen[one.name] = one
    for name, theorem in theorems.items():
        unknown = [a for a in theorem.axioms if a not in end.axiom_modules]
        if unknown:
            raise AnswerError(f"{name}: Lean does not say where {unknown[0]!r} comes from")
        theorems[name] = replace(theorem, binders=_with_own_names(theorem.binders))
    in_order = _in_source_order(theorems.values())
    return Statements(end.lean, in_order, constants, end.axiom_modules, end.discharges)


def _in_source_order(theorems: Iterable[Statement]) -> tuple[Statement, ...]:
    """Modules as Lean imports them, and in each the theorems by line.

    Lean keeps the tagged theorems of a module in the order of a hash of their names.
    """
    given = tuple(theorems)
    place = {module: i for i, module in enumerate(dict.fromkeys(t.module for t in given))}
    return tuple(sorted(given, key=lambda t: (place[t.module], t.line)))
