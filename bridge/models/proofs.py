"""Asks Lean about the captured graphs."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.auditing.configured import Setup
from bridge.capture.proofs import Demand, Hypothesis, IsBlock, NoBlock, Proved, Unproved
from bridge.capture.theorem import prove_graphs
from bridge.errors import InvalidInputError
from bridge.models.what_runs import Prover
from bridge.progress import Progress
from bridge.report.captured import FormBlock, FormProof, Supposed
from numeric.graph import Graph

__all__ = ["prover"]


def prover(setup: Setup, progress: Progress | None, *, use_cache: bool) -> Prover:
    """A function that asks a project's Lean; if that is impossible the graphs stay unproved, with
    the reason.

    Args:
        setup: the project, and the Lean to ask.
        progress: the callback that receives updates.
        use_cache: use cached answers about the same graph and sources.
    """

    def prove(graphs: Sequence[Graph]) -> Sequence[FormProof]:
        try:
            found = prove_graphs(
                setup.project,
                setup.engine,
                graphs,
                timeout=setup.timeout,
                progress=progress,
                use_cache=use_cache,
            )
        except InvalidInputError as e:  # a kept answer, or another library: Lean cannot be asked
            return [FormProof(reason=f"Lean was not asked about this graph: {e.message}")] * len(
                graphs
            )
        return [_proof(graph, proof) for graph, proof in zip(graphs, found, strict=True)]

    return prove


def _proof(graph: Graph, proof: Proved | Unproved) -> FormProof:
    """The theorem at the real numbers, which is the last one."""
    if isinstance(proof, Unproved):
        return FormProof(reason=f"Lean has no theorem about this graph: {proof.reason}")
    theorem = proof.theorems[-1]
    supposes = {h.on(graph): _supposed(h, graph) for h in proof.remaining}
    asks = tuple(supposes.values())
    return FormProof(
        proof.status,
        theorem.name,
        theorem.statement,
        tuple(supposes),
        asks=asks,
        block=_form_block(graph, proof.block),
    )


def _form_block(graph: Graph, block: IsBlock | NoBlock | None) -> FormBlock | None:
    match block:
        case IsBlock():
            statement = block.theorems[-1].statement
            masks = tuple((graph.inputs[k].name, mask) for k, mask in block.masks)
            return FormBlock(block.block, block.named, block.constants, statement, masks=masks)
        case NoBlock():
            return FormBlock(block.block, reason=block.reason)
        case None:
            return None


def _supposed(h: Hypothesis, graph: Graph) -> Supposed:
    positive = h.demand is Demand.POSITIVE
    if h.position is None:
        return Supposed("", positive, 0.0 if h.value is None else h.value)
    inputs = len(graph.inputs)
    at = h.position
    name = graph.inputs[at].name if at < inputs else graph.nodes[at - inputs].name
    return Supposed(name, positive)
