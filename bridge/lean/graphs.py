"""Exported graphs, as Lean sends them.

The messages are checked for completeness here; each graph is then parsed and validated by
:mod:`numeric.graph`, which knows what a well-formed graph is and nothing about Lean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from bridge.errors import AnswerError
from bridge.lean.messages import End, Part, read_messages
from bridge.lean.requests import GraphRequest
from numeric.instances.families import BASE_SIZES

__all__ = ["ExportedGraphs", "Family", "parse_graphs"]


class Family(Part, frozen=True, tag_field="kind", tag="family"):
    """A graph that Lean can export, with its sizes and constants and their defaults.

    ``follows`` says whether what is exported unfolds to the declaration ``name``, and ``parts``
    the exported graphs that this declaration unfolds to, itself included, or that the graph begins
    with, node by node; ``None`` in answers that were locked before Lean exported both.
    """

    name: str
    sizes: tuple[tuple[str, int], ...]
    constants: tuple[tuple[str, float], ...]
    follows: bool = True
    parts: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.parts is None and not self.follows:
            raise ValueError("`follows` comes with `parts`")

    @property
    def short(self) -> str:
        """The name without the root namespace, as checks and commands use it."""
        return self.name.split(".", 1)[-1]


@dataclass(frozen=True, slots=True)
class ExportedGraphs:
    """The families of a library, and the members asked for.

    ``members`` holds the JSON object of each graph; ``refused`` the reason why Lean has none for a
    request.
    """

    families: tuple[Family, ...]
    members: Mapping[GraphRequest, Mapping[str, object]]
    refused: Mapping[GraphRequest, str]

    def usual(self, family: Family) -> Mapping[str, object] | None:
        """The member of a family at the usual sizes, else the first; ``None`` if there is none.

        If the usual sizes were requested, other requests do not matter.
        """
        own = {r.sizes: g for r, g in self.members.items() if r.name == family.short}
        sizes = tuple((name, BASE_SIZES.get(name, size)) for name, size in family.sizes)
        return own.get(sizes, next(iter(own.values()), None))


class _Graph(Part, frozen=True, tag_field="kind", tag="graph"):
    index: Annotated[int, Meta(ge=0)]
    graph: dict[str, object] | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        if (self.graph is None) == (self.error is None):
            raise ValueError("expected a graph, or the reason why there is none")


def parse_graphs(messages: Sequence[object], requests: Sequence[GraphRequest]) -> ExportedGraphs:
    """Check one answer to ``#export_graphs``.

    Raises:
        AnswerError: the answer is partial, repeated or malformed.
    """
    read, _ = read_messages(messages, Family | _Graph, End, "graphs")
    members: dict[GraphRequest, Mapping[str, object]] = {}
    refused: dict[GraphRequest, str] = {}
    for one in read:
        if isinstance(one, _Graph):
            if one.index >= len(requests):
                raise AnswerError(f"Lean answers request {one.index} of {len(requests)}")
            request = requests[one.index]
            if request in members or request in refused:
                raise AnswerError(f"Lean answers request {one.index} twice")
            if one.graph is not None:
                members[request] = one.graph
            if one.error is not None:
                refused[request] = one.error
    missing = [r for r in requests if r not in members and r not in refused]
    if missing:
        raise AnswerError(f"Lean's answer lacks the graph {missing[0].name}")
    families = tuple(one for one in read if isinstance(one, Family))
    return ExportedGraphs(families, members, refused)
