"""Exported graphs, as Lean hands them over.

The messages are checked for completeness here; each graph is then parsed and validated by
:mod:`numeric.graph`, which knows what a well-formed graph is and nothing of Lean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import AnswerError
from bridge.lean.client import GraphRequest
from numeric.instances.families import BASE_SIZES

__all__ = ["ExportedGraphs", "Family", "parse_graphs"]


@dataclass(frozen=True, slots=True)
class Family:
    """A graph that Lean can export, with its sizes and constants and their defaults.

    ``follows`` says whether what is exported unfolds to the declaration ``name``, and ``parts``
    the exported graphs that this declaration unfolds to, itself included, or that the graph begins
    with, node by node; ``None`` in answers that were locked before Lean was asked for it.
    """

    name: str
    sizes: tuple[tuple[str, int], ...]
    constants: tuple[tuple[str, float], ...]
    follows: bool = True
    parts: frozenset[str] | None = None

    @property
    def short(self) -> str:
        """The name without the root namespace, as checks and commands use it."""
        return self.name.split(".", 1)[-1]


@dataclass(frozen=True, slots=True)
class ExportedGraphs:
    """The families of a library, and the members asked for.

    ``members`` holds the JSON object of each graph; ``refused`` says why Lean has none for a
    request.
    """

    families: tuple[Family, ...]
    members: Mapping[GraphRequest, Mapping[str, object]]
    refused: Mapping[GraphRequest, str]

    def usual(self, family: Family) -> Mapping[str, object] | None:
        """The member of a family at the usual sizes, else the first; ``None`` where there is none.

        Where the usual sizes are asked for, what else is does not matter.
        """
        own = {r.sizes: g for r, g in self.members.items() if r.name == family.short}
        sizes = tuple((name, BASE_SIZES.get(name, size)) for name, size in family.sizes)
        return own.get(sizes, next(iter(own.values()), None))


def _pairs(
    value: object, kind: type | tuple[type, ...], where: str
) -> tuple[tuple[str, object], ...]:
    if not isinstance(value, list):
        raise AnswerError(f"{where}: expected a list of pairs but got {value!r:.200}")
    for item in value:
        if not (
            isinstance(item, list)
            and len(item) == 2
            and isinstance(item[0], str)
            and isinstance(item[1], kind)
        ):
            raise AnswerError(f"{where}: expected a name and a number but got {item!r:.200}")
    return tuple((name, number) for name, number in value)


def _binding(message: Mapping[str, object], where: str) -> tuple[bool, frozenset[str] | None]:
    match message.get("follows"), message.get("parts"):
        case None, None:
            return True, None
        case bool(follows), list(parts) if all(isinstance(p, str) for p in parts):
            return follows, frozenset(map(str, parts))
        case follows, parts:
            raise AnswerError(f"{where}: not understood: {follows!r:.200}, {parts!r:.200}")


def parse_graphs(messages: Sequence[object], requests: Sequence[GraphRequest]) -> ExportedGraphs:
    """Check one answer to ``#export_graphs``.

    Raises:
        AnswerError: the answer is partial, repeated or malformed.
    """
    families: list[Family] = []
    members: dict[GraphRequest, Mapping[str, object]] = {}
    refused: dict[GraphRequest, str] = {}
    for position, message in enumerate(messages):
        where = f"graph message {position}"
        if not isinstance(message, dict):
            raise AnswerError(f"{where}: expected an object but got {message!r:.200}")
        match message:
            case {"kind": "family", "name": str(name), "sizes": sizes, "constants": constants}:
                families.append(
                    Family(
                        name,
                        tuple((n, int(str(k))) for n, k in _pairs(sizes, int, where)),
                        tuple(
                            (n, float(str(x))) for n, x in _pairs(constants, (int, float), where)
                        ),
                        *_binding(message, where),
                    )
                )
            case {"kind": "graph", "index": int(index)} if 0 <= index < len(requests):
                request = requests[index]
                if request in members or request in refused:
                    raise AnswerError(f"{where}: Lean answers request {index} twice")
                match message:
                    case {"graph": dict(graph)}:
                        members[request] = graph
                    case {"error": str(reason)}:
                        refused[request] = reason
                    case _:
                        raise AnswerError(
                            f"{where}: neither a graph nor a reason: {message!r:.200}"
                        )
            case {"kind": "end", "count": int(count)}:
                if count != position or position != len(messages) - 1:
                    raise AnswerError(
                        f"Lean's answer is partial: it announces {count} messages about graphs and "
                        f"{position} arrived before the end"
                    )
                break
            case _:
                raise AnswerError(f"{where}: not understood: {message!r:.200}")
    else:
        raise AnswerError("Lean's answer about graphs has no end")
    missing = [r for r in requests if r not in members and r not in refused]
    if missing:
        raise AnswerError(f"Lean's answer lacks the graph {missing[0].name}")
    return ExportedGraphs(tuple(families), members, refused)
