"""Requests to Lean: small documents that import modules and run our commands.

A request whose document reads the project's modules as data runs none of their code; see
``lean/Obligations/Clean.lean``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.engine import OUTPUT_FILE

__all__ = [
    "ConstantsRequest",
    "GraphRequest",
    "GraphsRequest",
    "GuardRequest",
    "LibraryRequest",
    "Request",
    "StatementsRequest",
    "TogetherRequest",
    "TrustRequest",
    "lean_document",
]


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """One member of an exported family: its name, and sizes other than the defaults."""

    name: str
    sizes: tuple[tuple[str, int], ...] = ()

    def to_json(self) -> dict[str, object]:
        """The request as Lean reads it."""
        return {"name": self.name, "sizes": dict(self.sizes)}


class Request(Protocol):
    """A document that asks Lean for something; each section of the answer has a name."""

    @property
    def sections(self) -> tuple[str, ...]:
        """Names of the parts of the answer; the nonce of a part is ``<nonce>.<section>``."""

    def document(self, nonce: str) -> str:
        """The Lean document that asks for it."""


@dataclass(frozen=True, slots=True)
class LibraryRequest:
    """The statements, as text and as propositions, and these graphs.

    ``imports`` are the root modules of the libraries.
    """

    imports: tuple[str, ...]
    graphs: tuple[GraphRequest, ...] = ()

    @property
    def sections(self) -> tuple[str, ...]:
        """Statements, graphs, and propositions."""
        return ("statements", "graphs", "propositions")

    def document(self, nonce: str) -> str:
        """The Lean document that asks for it."""
        statements, propositions = _statements(nonce)
        return _exporting(self.imports, statements, _graphs(nonce, self.graphs), propositions)


@dataclass(frozen=True, slots=True)
class StatementsRequest:
    """The part of a `LibraryRequest` that does not depend on the graphs."""

    imports: tuple[str, ...]

    @property
    def sections(self) -> tuple[str, ...]:
        """Statements and propositions."""
        return ("statements", "propositions")

    def document(self, nonce: str) -> str:
        """The Lean document that asks for it."""
        return _exporting(self.imports, *_statements(nonce))


@dataclass(frozen=True, slots=True)
class GraphsRequest:
    """The graphs of a `LibraryRequest`."""

    imports: tuple[str, ...]
    graphs: tuple[GraphRequest, ...] = ()

    @property
    def sections(self) -> tuple[str, ...]:
        """The one part of the answer."""
        return ("graphs",)

    def document(self, nonce: str) -> str:
        """The Lean document that asks for it."""
        return _exporting(self.imports, _graphs(nonce, self.graphs))


def _exporting(imports: Sequence[str], *commands: str) -> str:
    return lean_document((*imports, "Obligations"), *commands)


def _statements(nonce: str) -> tuple[str, str]:
    return (
        f'#export_obligations "{nonce}.statements" {_quoted_list(())}',
        f'#export_propositions "{nonce}.propositions"',
    )


def _graphs(nonce: str, graphs: Sequence[GraphRequest]) -> str:
    wanted = json.dumps([g.to_json() for g in graphs], ensure_ascii=True)
    return f'#export_graphs "{nonce}.graphs" {json.dumps(wanted, ensure_ascii=True)}'


@dataclass(frozen=True, slots=True)
class GuardRequest:
    """What in these modules, or below them, overrides our commands.

    The document imports none of them, so none of their code runs while Lean answers.
    """

    modules: tuple[str, ...]

    @property
    def sections(self) -> tuple[str, ...]:
        """The one part of the answer."""
        return ("guard",)

    def document(self, nonce: str) -> str:
        """The Lean document that asks for it."""
        wanted = _quoted_list(self.modules)
        return lean_document(("Obligations",), f'#export_guard "{nonce}.guard" {wanted}')


@dataclass(frozen=True, slots=True)
class TrustRequest:
    """What is behind the statements: the kernel's second opinion, and what steps outside it.

    The statements are requested again: here none of the project's code runs.  Modules that are
    ``already_clean`` were looked at before without a finding: they are left out.
    """

    imports: tuple[str, ...]
    already_clean: tuple[str, ...] = ()

    @property
    def sections(self) -> tuple[str, ...]:
        """The statements, and what is behind them."""
        return ("statements", "trust")

    def commands(self, nonce: str) -> tuple[str, ...]:
        """What asks for it in a document that reads the modules as data."""
        return (
            f'#export_obligations "{nonce}.statements" {_quoted_list(self.already_clean)}',
            f'#export_trust "{nonce}.trust" {_quoted_list(self.already_clean)}',
        )

    def document(self, nonce: str) -> str:
        """The Lean document that asks for it."""
        return _clean_document(self.imports, *self.commands(nonce))


@dataclass(frozen=True, slots=True)
class ConstantsRequest:
    """These constants and all that they rest on, written to :data:`bridge.engine.OUTPUT_FILE`.

    An empty list of names means everything that an audit rests on, except what the modules
    ``without`` both declare and tag.
    """

    imports: tuple[str, ...]
    names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def sections(self) -> tuple[str, ...]:
        """What was written."""
        return ("constants",)

    def commands(self, nonce: str) -> tuple[str, ...]:
        """What asks for it in a document that reads the modules as data."""
        lists = f"{_quoted_list(self.names)} {_quoted_list(self.without)}"
        return (f'#export_constants "{nonce}.constants" "{OUTPUT_FILE}" {lists}',)

    def document(self, nonce: str) -> str:
        """The Lean document that asks for it."""
        return _clean_document(self.imports, *self.commands(nonce))


@dataclass(frozen=True, slots=True)
class TogetherRequest:
    """Several requests in one document: reading the modules takes longer than many answers."""

    requests: tuple[TrustRequest | ConstantsRequest, ...]

    @property
    def sections(self) -> tuple[str, ...]:
        """The parts of all of them."""
        return tuple(s for r in self.requests for s in r.sections)

    def document(self, nonce: str) -> str:
        """The Lean document that asks for all of it."""
        modules = dict.fromkeys(m for r in self.requests for m in r.imports)
        return _clean_document(
            tuple(modules), *(c for r in self.requests for c in r.commands(nonce))
        )


def lean_document(imports: Sequence[str], *commands: str) -> str:
    """A document that imports these modules and runs these commands."""
    lines = [f"import {module}" for module in dict.fromkeys(imports)]
    return "\n".join((*lines, *commands)) + "\n"


def _clean_document(modules: Sequence[str], *commands: str) -> str:
    """A document that reads these modules as data: none of their code runs in it.

    Some of the project's modules may lack our library, so it is read as well.
    """
    read = _quoted_list((*modules, "Obligations"))
    return lean_document(("Obligations",), f"#read_as_data {read}", *commands)


def _quoted_list(names: Sequence[str]) -> str:
    """Names as JSON, in a Lean string."""
    return json.dumps(json.dumps(names, ensure_ascii=False), ensure_ascii=False)
