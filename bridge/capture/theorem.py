"""What Lean proves of captured graphs: the command's request, its answer, and both kept.

``#prove_graphs`` (``lean/PostNorm/Capture/Command.lean``) declares each graph, proves that forward
mode is its Fréchet derivative and backprop the only adjoint, at every input, and lists what remains
to be met.  Then it reads the declaration back: that tape is what runs, and it must be the graph
that was asked about, operation by operation.

An answer is kept by the graph's content, the Lean sources and the engine, one entry a graph: the
graph of a layer that was met before needs no Lean, whichever model it is in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge import __version__
from bridge.engine import Engine, LeanMessage
from bridge.errors import AnswerError, InvalidInputError, LeanSourceError
from bridge.lean.answers import AnswerCache
from bridge.lean.client import DEFAULT_TIMEOUT, Answer, ask, printable
from bridge.lean.exporter import refuse_another_exporter
from bridge.lean.library import build, files_of
from bridge.lean.locked_answer import KeptAnswer
from bridge.lean.obligation import classify_axioms
from bridge.lean.project import Project
from bridge.progress import Progress, Silent
from bridge.verdict import LeanStatus
from numeric.errors import GraphError
from numeric.graph import Graph, graph_to_json, parse_graph

__all__ = [
    "COMMAND",
    "Demand",
    "Hypothesis",
    "ProofRequest",
    "Proved",
    "Theorem",
    "Unproved",
    "known_proofs",
    "parse_proofs",
    "prove_graphs",
]

COMMAND = "PostNorm.Capture.Command"
"""The module that has ``#prove_graphs``."""
PROOF_SECONDS = 1800.0
_KEPT = "captured"
"""The name that every graph has in a request, so that what is kept does not depend on its own."""


class Demand(StrEnum):
    """What a theorem asks of a number."""

    POSITIVE = "positive"
    NONZERO = "nonzero"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What signs do not decide, and the theorem therefore supposes.

    Attributes:
        binder: its name in the theorem.
        node: the node that asks for it; of a shared constant, the constant's symbol.
        demand: what is asked.
        value: the constant's value; None where every entry of a tensor is meant.
        position: the place of that tensor in the graph, inputs first; None for a constant.
    """

    binder: str
    node: str
    demand: Demand
    value: float | None = None
    position: int | None = None

    def on(self, graph: Graph) -> str:
        """What it says, in words, with the graph's own names."""
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
    """A theorem that the kernel took.

    ``library_axioms`` counts lemmas of Lean's own library whose proofs the engine does not see.
    """

    name: str
    statement: str
    standard_axioms: tuple[str, ...]
    foreign_axioms: tuple[str, ...]
    library_axioms: int


@dataclass(frozen=True, slots=True)
class Proved:
    """A graph that Lean declared, and what it proved of it.

    Attributes:
        graph: the tape, as Lean reads it off the declaration that the theorems name.
        hypotheses: what the theorems suppose; constants' positivity first, which holds by value.
        theorems: over every field with the laws of the real numbers, and at the real numbers.
        from_cache: whether Lean was asked before.
    """

    graph: Graph
    hypotheses: tuple[Hypothesis, ...]
    theorems: tuple[Theorem, ...]
    from_cache: bool = False

    @property
    def remaining(self) -> tuple[Hypothesis, ...]:
        """The hypotheses about values, which the model's inputs and weights must meet."""
        return tuple(h for h in self.hypotheses if h.position is not None)

    @property
    def status(self) -> LeanStatus:
        """``proved``, or what stands in the way."""
        foreign = {a for t in self.theorems for a in t.foreign_axioms}
        if "sorryAx" in foreign:
            return LeanStatus.SORRY
        return LeanStatus.AXIOM if foreign else LeanStatus.PROVED


@dataclass(frozen=True, slots=True)
class Unproved:
    """A graph that Lean has no theorem about, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """Asks Lean to prove these graphs."""

    graphs: tuple[Graph, ...]

    @property
    def sections(self) -> tuple[str, ...]:
        """The one part of the answer."""
        return ("captured",)

    def document(self, nonce: str) -> str:
        """The Lean document that asks for it."""
        wanted = json.dumps([_request_of(g) for g in self.graphs], ensure_ascii=False)
        text = json.dumps(wanted, ensure_ascii=False)
        return f'import {COMMAND}\n#prove_graphs "{nonce}.captured" {text}\n'


def _request_of(graph: Graph) -> dict[str, object]:
    given = graph_to_json(graph)
    return {k: _KEPT if k == "name" else given[k] for k in ("name", "inputs", "nodes", "outputs")}


def known_proofs(
    project: Project, engine: Engine, graphs: Sequence[Graph]
) -> tuple[Proved | Unproved | None, ...]:
    """What Lean said of exactly these graphs and sources; None where it would have to be asked."""
    if isinstance(engine, KeptAnswer):
        return tuple(None for _ in graphs)
    cache, key = AnswerCache.default(), _Key.of_project(project, engine)
    return tuple(_kept(cache, key.of(graph), graph, project) for graph in graphs)


def prove_graphs(
    project: Project,
    engine: Engine,
    graphs: Sequence[Graph],
    *,
    timeout: float = DEFAULT_TIMEOUT,
    progress: Progress | None = None,
    use_cache: bool = True,
) -> tuple[Proved | Unproved, ...]:
    """Have Lean prove graphs; those of one content are asked about once.

    Args:
        project: a project with the Lean library ``PostNorm``.
        engine: the Lean that answers.
        graphs: the graphs, each with one output.
        timeout: seconds for Lean, after compiling; at least half an hour is given.
        progress: shows how it goes.
        use_cache: take what Lean said of the same graph, sources and engine.

    Raises:
        InvalidInputError: the project has no such command, or no Lean is to be asked.
        LeanSourceError: a source does not compile.
        AnswerError: the answer is partial or malformed, or speaks of another graph.
        EngineError: the engine broke.
    """
    if isinstance(engine, KeptAnswer):
        raise InvalidInputError(
            "--engine lock asks no Lean, and graphs are proved by Lean",
            remedy="choose another --engine",
        )
    if COMMAND not in project.modules:
        raise InvalidInputError(
            f"{project.root}: this project has no module {COMMAND}, which proves graphs",
            remedy="name a checkout of lean-obligations with --project DIR",
        )
    cache, key = AnswerCache.default(), _Key.of_project(project, engine)
    found: dict[str, Proved | Unproved] = {}
    open_: dict[str, Graph] = {}
    for graph in graphs:
        known = _kept(cache, key.of(graph), graph, project) if use_cache else None
        if known is None:
            open_.setdefault(key.of(graph), graph)
        else:
            found[key.of(graph)] = known
    if open_:
        answer = _asked(project, engine, tuple(open_.values()), timeout, progress or Silent())
        if _Key.of_project(project, engine) != key:
            raise AnswerError(
                "the Lean sources changed while Lean was asked, so its answer is stale",
                remedy="run the command again",
            )
        fresh = parse_proofs(answer["captured"], tuple(open_.values()), project.modules)
        for at, (own, proof) in enumerate(zip(open_, fresh, strict=True)):
            files = files_of(project, engine)
            cache.store(own, {"captured": _alone(answer["captured"], at)}, files)
            found[own] = proof
    return tuple(_named(found[key.of(g)], g) for g in graphs)


def _named(proof: Proved | Unproved, graph: Graph) -> Proved | Unproved:
    """The tape under the name of the graph that was asked about."""
    if isinstance(proof, Unproved):
        return proof
    return replace(proof, graph=replace(proof.graph, name=graph.name))


@dataclass(frozen=True, slots=True)
class _Key:
    """The key of what Lean says of a graph of this project."""

    sources: str
    engine: str

    @classmethod
    def of_project(cls, project: Project, engine: Engine) -> _Key:
        return cls(project.fingerprint(), engine.fingerprint)

    def of(self, graph: Graph) -> str:
        """The same for graphs that differ in nothing but their own name."""
        document = ProofRequest((graph,)).document("nonce")
        return AnswerCache.key(__version__, self.engine, self.sources, document)


def _kept(cache: AnswerCache, key: str, graph: Graph, project: Project) -> Proved | Unproved | None:
    answer = cache.load(key, project.root)
    if answer is None:
        return None
    try:
        (proof,) = parse_proofs(answer["captured"], (graph,), project.modules)
    except (AnswerError, KeyError):
        return None  # written by another version of the bridge: ask again
    return _named(replace(proof, from_cache=True) if isinstance(proof, Proved) else proof, graph)


def _alone(messages: Sequence[object], position: int) -> tuple[object, ...]:
    """The answer as it is to a request for this graph alone."""
    own, end = messages[position], messages[-1]
    assert isinstance(own, dict)  # they were parsed
    assert isinstance(end, dict)
    return ({**own, "index": 0}, {**end, "count": 1})


def _asked(
    project: Project, engine: Engine, graphs: tuple[Graph, ...], timeout: float, watcher: Progress
) -> Answer:
    refuse_another_exporter(project)
    compiled = build(project, engine, watcher)
    if not compiled.ok:
        said = "\n".join(printable(str(m)) for m in compiled.errors[:10])
        raise LeanSourceError(
            f"the Lean sources do not compile:\n{said}",
            remedy="correct them; `obligations build` shows every message",
        )
    task, seconds = "proving what was captured", max(timeout, PROOF_SECONDS)
    watcher.update(task, 0, None)

    def in_batch(text: str) -> Sequence[LeanMessage] | None:
        watcher.note("the Lean server broke; Lean is asked once more without it")
        return engine.run_document(project.root, text, timeout=seconds)

    command = engine.server_command(project.root)
    answer = ask(project.root, command, ProofRequest(graphs), timeout=seconds, batch=in_batch)
    watcher.update(task, 1, 1)
    return answer


def parse_proofs(
    messages: Sequence[object], graphs: Sequence[Graph], own: Sequence[str] = ()
) -> tuple[Proved | Unproved, ...]:
    """Check one answer to ``#prove_graphs``.

    Args:
        messages: the answer.
        graphs: what was asked about.
        own: the project's modules, whose axioms are never excused.

    Raises:
        AnswerError: it is partial or malformed, or speaks of other graphs.
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
        } if not more and theorems:
            return Proved(
                graph=_same_graph(tape, graph, where),
                hypotheses=tuple(_hypothesis(h, graph, where) for h in hypotheses),
                theorems=tuple(_theorem(t, modules, own, where) for t in theorems),
            )
        case _:
            raise AnswerError(f"{where}: neither a proof nor a reason: {rest!r:.200}")


def _same_graph(tape: object, graph: Graph, where: str) -> Graph:
    """The tape, which must be the graph that was asked about."""
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
