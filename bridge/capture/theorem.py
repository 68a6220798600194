"""Asks Lean to prove captured graphs, and keeps the answers: see `bridge.capture.proofs`.

``#prove_graphs`` (``lean/PostNorm/Capture/Command.lean``) declares each graph, proves that forward
mode is its Fréchet derivative and backprop the only adjoint, at every input, and lists what is
supposed.  Then it reads the declaration back: that tape is what runs, and it must be the graph that
was sent, operation by operation.  If the graph is built like a block of the library
(`bridge.capture.blocks`), Lean is asked whether it is that block.

An answer is kept by the graph's content, the Lean sources and the engine, one entry for each graph:
the graph of a layer that was proved before needs no Lean, whichever model it is in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge import __version__
from bridge.capture.blocks import proposed
from bridge.capture.proofs import Proved, Unproved, parse_proofs
from bridge.engine import Engine
from bridge.errors import AnswerError, InvalidInputError
from bridge.lean.answers import AnswerCache
from bridge.lean.client import DEFAULT_TIMEOUT, Answer
from bridge.lean.compiled import files_of
from bridge.lean.exporter import refuse_another_exporter
from bridge.lean.library import compile_sources
from bridge.lean.locked_answer import KeptAnswer
from bridge.lean.project import Project
from bridge.lean.questions import ask_engine
from bridge.progress import Progress, Silent
from numeric.graph import Graph, graph_to_json

__all__ = ["COMMAND", "ProofRequest", "known_proofs", "prove_graphs"]

COMMAND = "PostNorm.Capture.Command"
"""The module that has ``#prove_graphs``."""
PROOF_SECONDS = 1800.0
_KEPT = "captured"
"""The name of every graph in a request, so that the cache does not depend on its own name."""


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
    parts = {k: _KEPT if k == "name" else given[k] for k in ("name", "inputs", "nodes", "outputs")}
    blocks = [c.json() for c in proposed(graph)]
    return {**parts, "blocks": blocks} if blocks else parts


def known_proofs(
    project: Project, engine: Engine, graphs: Sequence[Graph]
) -> tuple[Proved | Unproved | None, ...]:
    """What Lean said about exactly these graphs and sources; None if it would have to be asked."""
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
    """Let Lean prove graphs; those with the same content are sent once.

    Args:
        project: a project with the Lean library ``PostNorm``.
        engine: the Lean that answers.
        graphs: the graphs, each with one output.
        timeout: seconds for Lean, after compiling; at least half an hour.
        progress: the callback that receives updates.
        use_cache: use cached answers about the same graph, sources and engine.

    Raises:
        InvalidInputError: the project has no such command, or the engine runs no Lean.
        LeanSourceError: a source does not compile.
        AnswerError: the answer is partial or malformed, or about another graph.
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
    """The tape under the name of the graph that was sent."""
    if isinstance(proof, Unproved):
        return proof
    return replace(proof, graph=replace(proof.graph, name=graph.name))


@dataclass(frozen=True, slots=True)
class _Key:
    """The key of Lean's answer about a graph of this project."""

    sources: str
    engine: str

    @classmethod
    def of_project(cls, project: Project, engine: Engine) -> _Key:
        return cls(project.fingerprint(), engine.fingerprint)

    def of(self, graph: Graph) -> str:
        """The key; the same for graphs that differ only in their own name."""
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
    """The answer as if to a request for this graph alone."""
    own, end = messages[position], messages[-1]
    assert isinstance(own, dict)  # they were parsed
    assert isinstance(end, dict)
    return ({**own, "index": 0}, {**end, "count": 1})


def _asked(
    project: Project, engine: Engine, graphs: tuple[Graph, ...], timeout: float, watcher: Progress
) -> Answer:
    refuse_another_exporter(project)
    compile_sources(project, engine, watcher)
    task, seconds = "proving what was captured", max(timeout, PROOF_SECONDS)
    watcher.update(task, 0, None)
    answer = ask_engine(
        project.root, engine, ProofRequest(graphs), timeout=seconds, note=watcher.note
    )
    watcher.update(task, 1, 1)
    return answer
