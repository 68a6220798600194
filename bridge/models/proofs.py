"""The captured graphs of a model, handed to Lean: what it proves of each is said of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.auditing.configured import Setup
from bridge.capture.theorem import COMMAND, Proved, Unproved, known_proofs, prove_graphs
from bridge.lean.locked_answer import KeptAnswer
from bridge.progress import Progress
from bridge.report import Report
from bridge.report.captured import CapturedLayer, GraphProof
from bridge.report.layers import LayerReport
from bridge.verdict import LeanStatus
from numeric.graph import Graph, parse_graph

__all__ = ["with_proofs"]


def with_proofs(
    report: Report,
    setup: Setup,
    *,
    ask: bool = True,
    use_cache: bool = True,
    progress: Progress | None = None,
) -> Report:
    """The report, with what Lean says of each captured graph.

    Args:
        report: of a model; others stay as they are.
        setup: the project, and the Lean to ask.
        ask: whether Lean is asked about graphs that it was not asked about before.
        use_cache: take what Lean said of the same graph, sources and engine.
        progress: shows how it goes.

    Raises:
        ObligationsError: see `bridge.capture.theorem.prove_graphs`.
    """
    model = report.model
    if model is None or not model.forms or report.interrupted:
        return report
    graphs = [parse_graph(form.graph) for form in model.forms]
    found = _found(setup, graphs, ask, use_cache, progress)
    proofs = dict(zip((form.name for form in model.forms), found, strict=True))
    layers = tuple(_with_proof(layer, proofs) for layer in model.layers)
    return replace(report, model=replace(model, layers=layers))


def _found(
    setup: Setup, graphs: Sequence[Graph], ask: bool, use_cache: bool, progress: Progress | None
) -> Sequence[GraphProof | None]:
    project, engine = setup.project, setup.engine
    if isinstance(engine, KeptAnswer) or COMMAND not in project.modules:
        return [None] * len(graphs)
    said: Sequence[Proved | Unproved | None]
    if ask:
        said = prove_graphs(
            project, engine, graphs, timeout=setup.timeout, progress=progress, use_cache=use_cache
        )
    else:
        said = known_proofs(project, engine, graphs)
    return [None if proof is None else _of_report(proof) for proof in said]


def _of_report(proof: Proved | Unproved) -> GraphProof:
    if isinstance(proof, Unproved):
        return GraphProof(None, reason=proof.reason)
    foreign = sorted({a for t in proof.theorems for a in t.foreign_axioms})
    reason = "" if proof.status is LeanStatus.PROVED else ", ".join(foreign)
    return GraphProof(proof.status, tuple(h.on(proof.graph) for h in proof.remaining), reason)


def _with_proof(layer: LayerReport, proofs: dict[str, GraphProof | None]) -> LayerReport:
    captured: CapturedLayer | None = layer.captured
    if captured is None or captured.form not in proofs:
        return layer
    return replace(layer, captured=replace(captured, proof=proofs[captured.form]))
