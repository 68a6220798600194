"""An error to plant, and the common building blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from numeric.graph import Graph
from numeric.mutants.edits import Change, DerivativeMutant, Edit, GraphMutant, Mutant
from numeric.ops import Shape

__all__ = [
    "MODES",
    "SCORES",
    "Planted",
    "changed",
    "copies",
    "d_model",
    "heads",
    "in_both_modes",
    "planted",
    "seq_len",
    "tokens",
]


MODES: tuple[Literal["jvp"], Literal["vjp"]] = ("jvp", "vjp")


@dataclass(frozen=True, slots=True)
class Planted:
    """An error, and the families where it changes nothing in the output and its derivatives, or
    nothing above rounding, each with the reason."""

    mutant: Mutant
    hidden: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


ONE_TOKEN = "the softmax of one score is 1, whatever the score"
ONE_HEAD_CHANNEL = "with heads of one channel there is nothing to mix up within a head"
ONE_ROW = "a single token is not moved by a transposition"


SCORES = {"seq_len 1": ONE_TOKEN}


def seq_len(graph: Graph) -> int:
    """How many tokens there are."""
    return graph.sizes["seqLen"]


def tokens(graph: Graph) -> Shape:
    """The shape of one number a token."""
    return (seq_len(graph),)


def heads(graph: Graph) -> Shape:
    """The shape of tokens cut into heads."""
    return (graph.sizes["numHeads"], seq_len(graph), graph.sizes["headDim"])


def d_model(graph: Graph) -> int:
    """How many channels a token has."""
    return graph.input_shapes["x"][-1]


def planted(
    name: str, *edits: Edit, hidden: Mapping[str, str] | None = None, kind: str = ""
) -> Planted:
    """An error in the values of a graph; ``hidden`` says where it cannot be seen, and why."""
    return Planted(GraphMutant(name, edits, kind), MappingProxyType(dict(hidden or {})))


def copies(node: str, of: str) -> Edit:
    """The node passes on another value unchanged."""
    return Edit(node, op="scale", args=(of,), constant=1.0)


def changed(mutant: Mutant) -> tuple[str, ...]:
    """The saved tensors that an error is in."""
    if isinstance(mutant, GraphMutant):
        return tuple(e.node for e in mutant.edits)
    return tuple(mutant.names)


def in_both_modes(*terms: tuple[str, int, Change]) -> tuple[Planted, ...]:
    """Wrong terms of the derivative, each in forward and in reverse mode."""
    return tuple(
        Planted(DerivativeMutant(mode, node, argument, change))
        for mode in MODES
        for node, argument, change in terms
    )
