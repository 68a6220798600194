"""`obligations graph --prove FILE`: what Lean proves about a graph given as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bridge.capture.proofs import Hypothesis, IsBlock, NoBlock, Proved, Theorem, Unproved
from bridge.capture.theorem import prove_graphs
from bridge.cli.options import LeanChoice, read_graph
from bridge.cli.progress_bar import Watch
from bridge.lean.client import printable
from bridge.verdict import LeanStatus
from numeric.graph import Graph, graph_to_json

__all__ = ["PROOF_SCHEMA", "prove_files"]

PROOF_SCHEMA = "obligations-proofs/1"


def prove_files(lean: LeanChoice, paths: tuple[Path, ...], style: str) -> int:
    """Prove the graphs in these files and print what was proved.

    Returns:
        The exit code: 0 if Lean proved every graph, 1 if a proof rests on ``sorry`` or a foreign
        axiom, 4 if there is no theorem about one.
    """
    graphs = [read_graph(path, "--prove") for path in paths]
    with Watch() as watch:
        setup = lean.set_up(watch)
        found = prove_graphs(
            setup.project, setup.engine, graphs, timeout=setup.timeout, progress=watch
        )
    if style == "json":
        entries = [
            _json(str(path), graph, proof)
            for path, graph, proof in zip(paths, graphs, found, strict=True)
        ]
        value = {"schema": PROOF_SCHEMA, "engine": setup.engine.describe(), "graphs": entries}
        click.echo(json.dumps(value, indent=1, ensure_ascii=False))
    else:
        for path, graph, proof in zip(paths, graphs, found, strict=True):
            click.echo("\n".join(_lines(str(path), graph, proof)))
        click.echo(setup.engine.describe())
    if any(isinstance(p, Proved) and p.status is not LeanStatus.PROVED for p in found):
        return 1
    return 4 if any(isinstance(p, Unproved) for p in found) else 0


def _lines(path: str, graph: Graph, proof: Proved | Unproved) -> list[str]:
    head = printable(f"{path}: {graph.name}, {len(graph.nodes)} nodes")
    if isinstance(proof, Unproved):
        return [f"{head}: not proved", f"  {proof.reason}"]
    lines = [f"{head}: {proof.status.value}" + (", asked before" if proof.from_cache else "")]
    if proof.status is not LeanStatus.PROVED:
        foreign = {a for t in proof.theorems for a in t.foreign_axioms}
        lines.append(printable(f"  it rests on {', '.join(sorted(foreign))}"))
    lines.append(
        "  At the real numbers, for every value of the inputs, forward mode through this graph is\n"
        "  its Fréchet derivative, and backprop is the adjoint of that and the only one,"
    )
    lines[-1] += " if" if proof.hypotheses else "\n  with no side condition."
    lines += [printable(f"    {_words(h, graph)}") for h in proof.hypotheses]
    match proof.block:
        case IsBlock(block=name, named=theorem, constants=constants, masks=masks):
            given = ", ".join(f"{k} = {v:.6g}" for k, v in constants)
            lines.append(
                f"  It is the library's {name}: {theorem} holds of this graph"
                + (f",\n  with {given}" if given else "")
                + "".join(f",\n  where {graph.inputs[k].name} is the {m} mask" for k, m in masks)
                + "."
            )
        case NoBlock(block=name, reason=reason):
            lines.append(printable(f"  It is not shown to be the library's {name}: {reason}"))
    return lines


def _words(hypothesis: Hypothesis, graph: Graph) -> str:
    if hypothesis.position is None:
        return f"{hypothesis.on(graph)} (it is)"
    return f"{hypothesis.on(graph)} (asked by {hypothesis.node})"


def _json(path: str, graph: Graph, proof: Proved | Unproved) -> dict[str, object]:
    if isinstance(proof, Unproved):
        return {"file": path, "name": graph.name, "status": None, "reason": proof.reason}
    return {
        "file": path,
        "name": graph.name,
        "status": proof.status.value,
        "hypotheses": [
            {
                "binder": h.binder,
                "node": h.node,
                "demand": h.demand.value,
                "value": h.value,
                "position": h.position,
                "words": h.on(graph),
            }
            for h in proof.hypotheses
        ],
        "theorems": [_theorem_json(t) for t in proof.theorems],
        "block": _block_json(proof.block),
        "graph": graph_to_json(proof.graph),
    }


def _theorem_json(t: Theorem) -> dict[str, object]:
    return {
        "name": t.name,
        "statement": t.statement,
        "standard_axioms": list(t.standard_axioms),
        "foreign_axioms": list(t.foreign_axioms),
        "library_axioms": t.library_axioms,
    }


def _block_json(block: IsBlock | NoBlock | None) -> dict[str, object] | None:
    match block:
        case IsBlock():
            return {
                "name": block.block,
                "theorem": block.named,
                "constants": dict(block.constants),
                "inputs": list(block.inputs),
                "masks": [{"input": k, "mask": mask} for k, mask in block.masks],
                "theorems": [_theorem_json(t) for t in block.theorems],
            }
        case NoBlock():
            return {"name": block.block, "theorem": None, "reason": block.reason}
        case None:
            return None
