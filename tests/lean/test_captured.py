"""Lean proves captured graphs, and its theorems are about the graphs that run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.capture.proofs import Demand, Proved, Unproved
from bridge.capture.theorem import ProofRequest, prove_graphs
from bridge.engine import Engine
from bridge.lean.project import Project
from bridge.lean.questions import ask_engine
from bridge.verdict import LeanStatus
from numeric.graph import Graph, parse_graph
from numeric.interpret.interpreter import Interpreter
from numeric.ops import OPS
from tests.capture.every_operation import every_operation
from tests.capture.graphs import Writer, masked_softmax, normalized

pytestmark = pytest.mark.lean

ROOT = Path(__file__).parent.parent.parent
FIXTURE = (Path(__file__).parent / "Captured.lean").read_text(encoding="utf-8")
EVERY = every_operation().graph("out")


def two_outputs() -> Graph:
    return parse_graph({**normalized().json("out"), "outputs": [0, 1]})


def long_index() -> Graph:
    w = Writer(x=(3,))
    w.node("rows", "place", "x", shape=(70_000,), axis=0, index=[k % 3 for k in range(70_000)])
    return w.graph("rows")


@pytest.fixture(scope="module")
def proofs(compiled: Project, lean: Engine) -> dict[str, Proved | Unproved]:
    graphs = {
        "every": EVERY,
        "softmax": masked_softmax().graph("out"),
        "rms": normalized().graph("out"),
        "zero": normalized(eps=0.0).graph("out"),
        "input": parse_graph({**normalized().json("out"), "outputs": [0]}),
        "two": two_outputs(),
        "long": long_index(),
    }
    found = prove_graphs(compiled, lean, list(graphs.values()), use_cache=False)
    return dict(zip(graphs, found, strict=True))


def proved(proof: Proved | Unproved) -> Proved:
    assert isinstance(proof, Proved), proof
    assert proof.status is LeanStatus.PROVED
    return proof


def demands(proof: Proved | Unproved) -> set[str]:
    found = proved(proof)
    return {h.on(found.graph) for h in found.remaining}


def test_every_operation_is_proved(proofs: dict[str, Proved | Unproved]) -> None:
    # A capture writes `place` along an axis; only the library's own graphs use `gather`.
    assert {n.op for n in EVERY.nodes} == set(OPS) - {"gather"}, "an operation is missing"
    assert demands(proofs["every"]) == {
        "no entry of total is zero",
        "no entry of lg is zero",
        "resh is positive",
    }
    supposed = [h for h in proved(proofs["every"]).hypotheses if h.position is None]
    assert [(h.node, h.value) for h in supposed] == [("eps", 1e-5)], "a shared constant, once"


def test_signs_decide_what_they_can_and_the_rest_remains(
    proofs: dict[str, Proved | Unproved],
) -> None:
    assert demands(proofs["rms"]) == set()
    assert [h.demand for h in proved(proofs["rms"]).hypotheses] == [Demand.POSITIVE]
    assert demands(proofs["softmax"]) == {"no entry of total is zero"}
    assert demands(proofs["zero"]) == {"shifted is positive"}, "0 is no positive constant"
    assert demands(proofs["input"]) == set()


def test_the_statement_names_what_it_supposes(proofs: dict[str, Proved | Unproved]) -> None:
    general, real = proved(proofs["softmax"]).theorems
    assert general.name.endswith(".differentiated")
    assert real.name.endswith(".differentiated_real")
    assert "RealField" in general.statement
    for theorem in (general, real):
        assert "≠ 0" in theorem.statement
        assert "Differentiated" in theorem.statement
        assert not theorem.foreign_axioms


def test_a_graph_without_a_theorem_is_reported(proofs: dict[str, Proved | Unproved]) -> None:
    two, long = proofs["two"], proofs["long"]
    assert isinstance(two, Unproved)
    assert "one output" in two.reason
    assert isinstance(long, Unproved)
    assert "node rows" in long.reason
    assert "65536" in long.reason


WRONG = {
    "shape": ({"shape": (3, 4)}, "node y: expected the shape [3, 5] but it declares [3, 4]"),
    "operation": ({"op": "power"}, "node y: there is no operation power"),
    "argument": ({"args": (0, 9)}, "node y: expected arguments below 4 but got 9"),
    "arity": ({"args": (0,)}, "node y: matmul has 2 arguments but got 1"),
}


def test_lean_names_the_node_at_fault(compiled: Project, lean: Engine) -> None:
    """Python refuses these earlier; Lean is asked anyway."""
    graphs = []
    for change, _ in WRONG.values():
        first, *others = EVERY.nodes
        graphs.append(replace(EVERY, nodes=(replace(first, **change), *others)))  # type: ignore[arg-type]
    said = ask_engine(compiled.root, lean, ProofRequest(tuple(graphs)), timeout=600)["captured"]
    reasons = [m["error"] for m in said[:-1] if isinstance(m, dict)]
    for (_, expected), reason in zip(WRONG.values(), reasons, strict=True):
        assert expected in reason


@dataclass(frozen=True)
class RunRequest:
    """Has Lean prove one graph, compile its declaration, and run it."""

    graph: Graph
    inputs: dict[str, np.ndarray[Any, Any]]
    seed: np.ndarray[Any, Any]
    sections: tuple[str, ...] = ("captured", "run")

    def document(self, nonce: str) -> str:
        asked = ProofRequest((self.graph,)).document(nonce).split("\n", 1)[1]
        constants = dict.fromkeys(
            (n.params.c.symbol or n.name, n.params.c) for n in self.graph.nodes if n.params.c
        )
        lines = [FIXTURE, asked]
        for k, (_, c) in enumerate(constants):
            symbol = "none" if c.symbol is None else f'some "{c.symbol}"'
            lines.append(f"def c{k} : Float := {c.value!r}")
            lines.append(f"def n{k} : NamedConstant := ⟨c{k}, {symbol}⟩")
        names = ", ".join(f'"{i.name}"' for i in self.graph.inputs)
        tensors = ", ".join(_array(self.inputs[i.name]) for i in self.graph.inputs)
        given = [", ".join(f"`{x}{k}" for k in range(len(constants))) for x in "cn"]
        lines.append(
            f'run_cmd runCaptured "{nonce}.run" #[{given[0]}] #[{given[1]}] [{names}] '
            f"[{tensors}] {_array(self.seed)}"
        )
        return "\n".join(lines) + "\n"


def _array(x: np.ndarray[Any, Any]) -> str:
    return "#[" + ", ".join(f"({v!r})" for v in x.ravel().tolist()) + "]"


def test_what_lean_runs_is_what_python_runs(compiled: Project, lean: Engine) -> None:
    """Lean compiles the declaration: its tape, value and gradients are those of the interpreter."""
    rng = np.random.default_rng(3)
    inputs = {i.name: rng.normal(size=i.shape) for i in EVERY.inputs}
    inputs["keep"] = np.abs(inputs["keep"])
    seed = rng.normal(size=EVERY.nodes[-1].shape)
    said = ask_engine(compiled.root, lean, RunRequest(EVERY, inputs, seed), timeout=600)
    (ran,) = said["run"]
    assert isinstance(ran, dict)
    tape = parse_graph(ran["tape"])
    assert (tape.inputs, tape.nodes, tape.outputs) == (EVERY.inputs, EVERY.nodes, EVERY.outputs)
    program = Interpreter(EVERY)
    trace = program.evaluate({k: v[None] for k, v in inputs.items()})
    pulled = program.vjp(trace, seed[None])
    assert np.isfinite(trace.output).all()
    assert close(np.array(ran["value"], dtype=float), np.real(trace.output).ravel())
    for i, gradient in zip(EVERY.inputs, ran["gradients"], strict=True):
        assert close(np.array(gradient, dtype=float), np.real(pulled[i.name]).ravel()), i.name


def close(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> bool:
    return bool(np.max(np.abs(ours - theirs)) <= 1e-11 * (1 + np.max(np.abs(theirs))))
