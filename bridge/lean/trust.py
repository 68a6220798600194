"""What is behind the statements: the kernel's second opinion, and what steps outside it.

Lean's answer to ``#export_trust`` (``lean/Obligations/Trust.lean``), as typed values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from bridge.errors import AnswerError
from bridge.lean.messages import End, Part, read_messages
from bridge.lean.obligation import readable_name

__all__ = [
    "Inspected",
    "KernelOpinion",
    "Looked",
    "Outside",
    "Trust",
    "looked_at",
    "parse_trust",
    "with_left_out",
]

SWAPPED = frozenset({"implemented_by", "extern"})
"""Code that runs instead of the definition that theorems are about."""


AT_IMPORT = "initialize"
"""Code that runs whenever a module is imported."""


class Outside(Part, frozen=True, tag_field="kind", tag="outside"):
    """A declaration of the project that the kernel does not vouch for, and how it steps outside."""

    name: str
    how: str
    module: str

    @property
    def words(self) -> str:
        """For people.  Code that runs at import has no unique name, so its module is named."""
        where = f" in {self.module}" if self.how == AT_IMPORT else ""
        return f"{readable_name(self.name)}{where} ({self.how})"

    @property
    def waived_as(self) -> str:
        """What a waiver calls it: its name; the module too if that is what runs."""
        return self.module if self.how == AT_IMPORT else self.name


@dataclass(frozen=True, slots=True)
class KernelOpinion:
    """A kernel that took part in an audit.

    Attributes:
        name: its name in reports.
        version: its version, or that of its Lean.
        accepted: how many constants it accepted.
        known_bugs: proofs of False that it is known to accept, with sources; empty if none is.
    """

    name: str
    version: str
    accepted: int
    known_bugs: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """A whole, verified answer.

    Attributes:
        constants: how many constants the kernel accepted once more.
        refusals: constants that it, or a further checker, refused, and why; by full Lean name.
        refused: tagged theorems that rest on a refused constant, and on which; by full Lean name.
        outside: axioms, unsafe definitions, and definitions with other code than their own.
        untagged: theorems with hypotheses that are not tagged as obligations, and their modules.
        vacuous: tagged theorems that say nothing, by name, with the reason.
        not_checked: how many constants no kernel checks, since they are ``unsafe`` or ``partial``.
        checker: a further program that accepted the compiled files too; empty if none ran.
        kernels: every kernel that took part, and what it accepted.
        stated: the hash of what each tagged theorem states and rests on, by full Lean name, from
            Lean while none of the project's code runs; see :meth:`Statements.evidence`.
    """

    constants: int
    refusals: Mapping[str, str]
    refused: Mapping[str, str]
    outside: tuple[Outside, ...]
    untagged: Mapping[str, str]
    vacuous: tuple[tuple[str, str], ...]
    not_checked: int = 0
    checker: str = ""
    kernels: tuple[KernelOpinion, ...] = ()
    stated: Mapping[str, str] = field(default_factory=dict)

    @property
    def doubt(self) -> str:
        """Why what is proved may be false: every kernel that took part is known to accept proofs of
        False.  Empty if another one took part."""
        if not self.kernels or not all(k.known_bugs for k in self.kernels):
            return ""
        return self.kernels[0].known_bugs

    @property
    def further_kernels(self) -> tuple[KernelOpinion, ...]:
        """The kernels besides the engine's own replay, which comes first, and the checker."""
        return self.kernels[1 + bool(self.checker) :]

    def why_refused(self, theorem: str) -> str:
        """Which refused constant a refused theorem rests on, and why that is refused."""
        constant = self.refused[theorem]
        said = self.refusals.get(constant, "it was not given to the kernel")
        return f"the kernel refuses {readable_name(constant)}: {said}"

    @property
    def swapped(self) -> tuple[Outside, ...]:
        """Definitions that run as something other than what theorems are about."""
        return tuple(o for o in self.outside if o.how in SWAPPED)

    @property
    def axioms(self) -> frozenset[str]:
        """Axioms that the running Lean does not ship, whatever the names of their modules."""
        return frozenset(o.name for o in self.outside if o.how == "axiom")

    @property
    def at_import(self) -> tuple[Outside, ...]:
        """What runs whenever a module of the project is imported."""
        return tuple(o for o in self.outside if o.how == AT_IMPORT)


class Looked(Part, frozen=True):
    """The result for one module.

    Attributes:
        module: its name.
        clean: whether no fault was found in it.
        accepted: how many of its constants the kernel accepted.
        not_checked: how many no kernel checks.
        theorems: the theorems that it both declares and tags.
        rests: other modules, of the project or of `Obligations`, that it imports, that declare what
            its constants mention, or that declare one of them in another way.
    """

    module: str
    clean: bool
    accepted: int
    not_checked: int
    theorems: tuple[str, ...]
    rests: tuple[str, ...]


class _Untagged(Part, frozen=True, tag_field="kind", tag="untagged"):
    name: str
    module: str


class _Vacuous(Part, frozen=True, tag_field="kind", tag="vacuous"):
    name: str
    why: str


class _Refusal(Part, frozen=True, tag_field="kind", tag="refusal"):
    name: str
    why: str


class _Refused(Part, frozen=True, tag_field="kind", tag="refused"):
    name: str
    constant: str


class _End(End, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    constants: int
    not_checked: int
    all: int
    modules: tuple[Looked, ...] = ()
    guiding: frozenset[str] = frozenset()
    at_odds: dict[str, frozenset[str]] = msgspec.field(default_factory=dict)


_KINDS = Outside | _Untagged | _Vacuous | _Refusal | _Refused


@dataclass(frozen=True, slots=True)
class Inspected:
    """Which modules an answer to ``#export_trust`` is about.

    Attributes:
        modules: the result for each module that was not left out.
        guiding: all modules that register something that guides a search in others, such as an
            instance.
        at_odds: for modules that were left out, those that were not and declare one of their
            constants in another way: what was found before need not hold.
    """

    modules: tuple[Looked, ...]
    guiding: frozenset[str]
    at_odds: Mapping[str, frozenset[str]]


def looked_at(messages: Sequence[object]) -> Inspected:
    """Which modules an answer to ``#export_trust`` is about.

    Raises:
        AnswerError: the answer is empty, partial or malformed.
    """
    _, end = read_messages(messages, _KINDS, _End, "trust")
    return Inspected(end.modules, end.guiding, end.at_odds)


def with_left_out(
    messages: Sequence[object], accepted: int, not_checked: int
) -> tuple[object, ...]:
    """An answer to ``#export_trust`` that left out modules, completed as if it had not.

    Args:
        messages: the answer.
        accepted: how many constants of these modules the kernel accepted before.
        not_checked: how many no kernel checks.

    Raises:
        AnswerError: the answer is empty, partial or malformed.
    """
    _, end = read_messages(messages, _KINDS, _End, "trust")
    whole = replace(
        end,
        constants=end.constants + accepted,
        not_checked=end.not_checked + not_checked,
        all=end.all + accepted + not_checked,
    )
    return (*messages[:-1], msgspec.to_builtins(whole))


def parse_trust(messages: Sequence[object]) -> Trust:
    """Check one answer to ``#export_trust``.

    Raises:
        AnswerError: the answer is empty, partial or malformed.
    """
    read, end = read_messages(messages, _KINDS, _End, "trust")

    def those(kind: type[Any]) -> list[Any]:
        return [one for one in read if isinstance(one, kind)]

    refusals = {r.name: r.why for r in those(_Refusal)}
    left = end.all - end.constants - end.not_checked
    if left < len(refusals) or (left and not refusals):
        raise AnswerError(
            f"Lean's answer about trust does not add up: of {end.all} constants {end.constants} "
            f"were accepted, {len(refusals)} refused and {end.not_checked} not checked"
        )
    return Trust(
        end.constants,
        refusals,
        {r.name: r.constant for r in those(_Refused)},
        tuple(those(Outside)),
        {u.name: u.module for u in those(_Untagged)},
        tuple((v.name, v.why) for v in those(_Vacuous)),
        end.not_checked,
    )
