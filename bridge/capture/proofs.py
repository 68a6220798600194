"""What Lean proves about captured graphs, as typed values: its answer to ``#prove_graphs``.

Every claim is checked against the graph that was sent: the tape must be that graph, a constant must
be what the theorem supposes, a node must read the value that a hypothesis names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.capture.blocks import headline, proposed
from bridge.capture.masks import MASKS
from bridge.errors import AnswerError
from bridge.lean.client import printable
from bridge.lean.obligation import classify_axioms
from bridge.verdict import LeanStatus
from numeric.errors import GraphError
from numeric.graph import Graph, parse_graph

__all__ = [
    "Demand",
    "Hypothesis",
    "IsBlock",
    "NoBlock",
    "Proved",
    "Theorem",
    "Unproved",
    "parse_proofs",
]


class Demand(StrEnum):
    """What a theorem requires of a number."""

    POSITIVE = "positive"
    NONZERO = "nonzero"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A hypothesis of the theorem: what signs do not decide.

    Attributes:
        binder: its name in the theorem.
        node: the node that requires it; for a shared constant, the constant's symbol.
        demand: what is required.
        value: the constant's value; None if it is about every entry of a tensor.
        position: the place of that tensor in the graph, inputs first; None for a constant.
    """

    binder: str
    node: str
    demand: Demand
    value: float | None = None
    position: int | None = None

    def on(self, graph: Graph) -> str:
        """The hypothesis in words, with the graph's own names."""
        asked = "positive" if self.demand is Demand.POSITIVE else "not zero"
        if self.position is None:
            return f"the constant of {self.node}, {self.value:g}, is {asked}"
        inputs = len(graph.inputs)
        if self.position < inputs:
            name = graph.inputs[self.position].name
        else:
            name = graph.nodes[self.position - inputs].name
        return f"no entry of {name} is zero" if asked == "not zero" else f"{name} is positive"


@dataclass(frozen=True, slots=True)
class Theorem:
    """A theorem that the kernel accepted.

    ``library_axioms`` counts lemmas of Lean's own library whose proofs the engine does not see.
    """

    name: str
    statement: str
    standard_axioms: tuple[str, ...]
    foreign_axioms: tuple[str, ...]
    library_axioms: int


@dataclass(frozen=True, slots=True)
class IsBlock:
    """A block of the library that a captured graph is proved to be.

    Attributes:
        block: the prefix of its theorems' names.
        inputs: for each input of the block the position of the graph's input whose entries it
            reads; None if it is zero, such as a mask or bias that the graph lacks.
        constants: the block's constants, by name, with their values here.
        masks: inputs of the graph that must be a mask, with its name; the theorems are about the
            other inputs, given these.
        theorems: that the graph computes the block's formula, and that forward mode and backprop of
            the graph are the formula's derivative and its adjoint; at the real numbers last.
    """

    block: str
    inputs: tuple[int | None, ...]
    constants: tuple[tuple[str, float], ...]
    masks: tuple[tuple[int, str], ...]
    theorems: tuple[Theorem, ...]

    @property
    def named(self) -> str:
        """The block's headline theorem, which holds for the graph too."""
        return headline(self.block)


@dataclass(frozen=True, slots=True)
class NoBlock:
    """A block that a captured graph resembles but is not shown to be, and why."""

    block: str
    reason: str


@dataclass(frozen=True, slots=True)
class Proved:
    """A graph that Lean declared, and what it proved about it.

    Attributes:
        graph: the tape, as Lean reads it from the declaration that the theorems name.
        hypotheses: the theorems' hypotheses; constants' positivity first, which holds by value.
        theorems: over every field with the laws of the real numbers, and at the real numbers.
        from_cache: whether the answer comes from the cache.
        block: the block of the library that it is, or is not shown to be; None if it resembles
            none.
    """

    graph: Graph
    hypotheses: tuple[Hypothesis, ...]
    theorems: tuple[Theorem, ...]
    from_cache: bool = False
    block: IsBlock | NoBlock | None = None

    @property
    def remaining(self) -> tuple[Hypothesis, ...]:
        """The hypotheses about values, which the model's inputs and weights must meet."""
        return tuple(h for h in self.hypotheses if h.position is not None)

    @property
    def status(self) -> LeanStatus:
        """``proved``, or what prevents it."""
        more = self.block.theorems if isinstance(self.block, IsBlock) else ()
        foreign = {a for t in (*self.theorems, *more) for a in t.foreign_axioms}
        if "sorryAx" in foreign:
            return LeanStatus.SORRY
        return LeanStatus.AXIOM if foreign else LeanStatus.PROVED


@dataclass(frozen=True, slots=True)
class Unproved:
    """A graph that Lean has no theorem about, and why."""

    reason: str


def parse_proofs(
    messages: Sequence[object], graphs: Sequence[Graph], own: Sequence[str] = ()
) -> tuple[Proved | Unproved, ...]:
    """Check one answer to ``#prove_graphs``.

    Args:
        messages: the answer.
        graphs: the graphs that were sent.
        own: the project's modules, whose axioms are never excused.

    Raises:
        AnswerError: it is partial or malformed, or about other graphs.
    """
    *bodies, end = messages or [None]
    match end:
        case {"kind": "end", "count": int(count), "axiom_modules": dict(modules)} if all(
            isinstance(m, str | None) for m in modules.values()
        ):
            if count != len(bodies) or count != len(graphs):
                raise AnswerError(
                    f"Lean's answer is partial: it announces {count} graphs, {len(bodies)} arrived "
                    f"and {len(graphs)} were asked about"
                )
        case _:
            raise AnswerError("Lean's answer about captured graphs has no end")
    return tuple(
        _proof(message, i, graph, modules, own)
        for i, (message, graph) in enumerate(zip(bodies, graphs, strict=True))
    )


def _proof(
    message: object,
    index: int,
    graph: Graph,
    modules: Mapping[str, str | None],
    own: Sequence[str],
) -> Proved | Unproved:
    where = f"captured graph {index}"
    match message:
        case {"kind": "graph", "index": int(i), **rest} if i == index:
            pass
        case _:
            raise AnswerError(f"{where}: not understood: {message!r:.200}")
    match rest:
        case {"error": str(reason), **more} if not more:
            return Unproved(printable(reason))
        case {
            "graph": tape,
            "hypotheses": list(hypotheses),
            "theorems": list(theorems),
            **more,
        } if more.keys() <= {"block", "no_block"} and theorems:

            def read(values: Sequence[object]) -> tuple[Theorem, ...]:
                return tuple(_theorem(t, modules, own, where) for t in values)

            return Proved(
                graph=_same_graph(tape, graph, where),
                hypotheses=tuple(_hypothesis(h, graph, where) for h in hypotheses),
                theorems=read(theorems),
                block=_block(more, graph, read, where),
            )
        case _:
            raise AnswerError(f"{where}: neither a proof nor a reason: {rest!r:.200}")


def _block(
    answer: Mapping[object, object],
    graph: Graph,
    read: Callable[[Sequence[object]], tuple[Theorem, ...]],
    where: str,
) -> IsBlock | NoBlock | None:
    """What Lean says about the proposed blocks: one is proved, or each has a reason."""
    candidates = {c.theorem: c for c in proposed(graph)}
    match answer:
        case {} if not answer and not candidates:
            return None
        case {
            "block": {
                "theorem": str(theorem),
                "inputs": list(inputs),
                "constants": dict(constants),
                "masks": list(masks),
                "negative": list(negative),
                "theorems": list(theorems),
                **more,
            },
            **others,
        } if not more and not others and theorem in candidates and theorems:
            for name in negative:
                if (value := _constant(name, graph, where)) != -1.0:
                    raise AnswerError(f"{where}: the theorem supposes {name} = -1; it is {value}")
            return IsBlock(
                block=candidates[theorem].block,
                inputs=tuple(_position(i, graph, where) for i in inputs),
                constants=tuple((k, _constant(v, graph, where)) for k, v in constants.items()),
                masks=tuple(_mask(m, graph, where) for m in masks),
                theorems=read(theorems),
            )
        case {"no_block": [{"theorem": str(theorem), "reason": str(reason), **more}], **others} if (
            not more and not others and theorem in candidates
        ):
            return NoBlock(candidates[theorem].block, printable(reason))
        case _:
            raise AnswerError(f"{where}: its answer about blocks cannot be parsed: {answer!r:.200}")


def _position(value: object, graph: Graph, where: str) -> int | None:
    match value:
        case None:
            return None
        case int(k) if 0 <= k < len(graph.inputs):
            return k
        case _:
            raise AnswerError(f"{where}: the graph has no input {value!r:.200}")


def _mask(value: object, graph: Graph, where: str) -> tuple[int, str]:
    match value:
        case {"input": int(k), "mask": str(mask), **more} if (
            not more and 0 <= k < len(graph.inputs) and mask in MASKS
        ):
            return k, mask
        case _:
            raise AnswerError(f"{where}: this mask is not understood: {value!r:.200}")


def _constant(value: object, graph: Graph, where: str) -> float:
    """The value of a constant of the graph, by its name in Lean."""
    known = {
        f"c_{n.params.c.symbol or n.name}": n.params.c.value
        for n in graph.nodes
        if n.params.c is not None
    }
    if not isinstance(value, str) or value not in known:
        raise AnswerError(f"{where}: the graph has no constant {value!r:.200}")
    return known[value]


def _same_graph(tape: object, graph: Graph, where: str) -> Graph:
    """The tape, which must be the graph that was sent."""
    try:
        read = parse_graph(tape)
    except GraphError as e:
        raise AnswerError(f"{where}: Lean's tape is malformed: {e}") from e
    for ours, theirs in zip(_parts(graph), _parts(read), strict=False):
        if ours != theirs:
            raise AnswerError(
                f"{where}: Lean speaks of another graph: expected {ours!r:.200} but its tape has "
                f"{theirs!r:.200}",
                remedy="report it: the Lean library and this bridge disagree",
            )
    if len(list(_parts(graph))) != len(list(_parts(read))):
        raise AnswerError(
            f"{where}: Lean's tape has {len(read.nodes)} nodes, not {len(graph.nodes)}"
        )
    return read


def _parts(graph: Graph) -> Iterator[object]:
    yield from graph.inputs
    yield from graph.nodes
    yield graph.outputs


def _hypothesis(value: object, graph: Graph, where: str) -> Hypothesis:
    match value:
        case {
            "on": "constant",
            "binder": str(binder),
            "node": str(node),
            "demand": "positive",
            "value": float() | int() as number,
            **more,
        } if not more:
            constants = {
                n.params.c.symbol or n.name: n.params.c.value
                for n in graph.nodes
                if n.params.c is not None
            }
            if constants.get(node) != number or not number > 0:
                raise AnswerError(
                    f"{where}: the theorem supposes that {node} is positive; there it is {number}, "
                    f"and in the graph {constants.get(node)}"
                )
            return Hypothesis(binder, node, Demand.POSITIVE, value=float(number))
        case {
            "on": "value",
            "binder": str(binder),
            "node": str(node),
            "demand": ("positive" | "nonzero") as demand,
            "position": int(position),
            **more,
        } if not more:
            asking = next((n for n in graph.nodes if n.name == node), None)
            if asking is None or position not in asking.args:
                raise AnswerError(f"{where}: no node {node} reads value {position}")
            return Hypothesis(binder, node, Demand(demand), position=position)
        case _:
            raise AnswerError(f"{where}: this hypothesis is not understood: {value!r:.200}")


def _theorem(
    value: object, modules: Mapping[str, str | None], own: Sequence[str], where: str
) -> Theorem:
    match value:
        case {"name": str(name), "statement": str(statement), "axioms": list(axioms), **more} if (
            not more and all(isinstance(a, str) for a in axioms)
        ):
            if unknown := [a for a in axioms if a not in modules]:
                raise AnswerError(f"{where}: Lean's answer lacks the modules of {unknown[:3]}")
            standard, foreign, library = classify_axioms(axioms, dict(modules), own)
            return Theorem(name, printable(statement), standard, foreign, library)
        case _:
            raise AnswerError(f"{where}: this theorem is not understood: {value!r:.200}")
