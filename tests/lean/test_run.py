"""Lean runs its graphs over Float; the numeric side interprets what Lean exports.  They agree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bridge.lean.client import Answer
from bridge.lean.library import Library
from bridge.lean.questions import ask_engine
from bridge.lean.requests import GraphRequest
from numeric.graph import Graph, parse_graph
from numeric.interpret.interpreter import Interpreter

pytestmark = pytest.mark.lean

# Sizes that checks run on, so that Lean has exported these graphs; all different.
BLOCK = {"seqLen": 9, "dModel": 7, "numHeads": 3, "headDim": 2, "dFF": 5}
CASES = {
    "layerNormGraph": {"seqLen": 9, "dModel": 7},
    "encoderBlockGraph": BLOCK,
    "biasedEncoderBlockGraph": BLOCK,
}
FIXED = {"geluHalf": 0.5, "geluOne": 1.0}


@dataclass(frozen=True)
class RunRequest:
    """Asks Lean to run graphs: one section for each."""

    runs: tuple[tuple[str, str], ...]

    @property
    def sections(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.runs)

    def document(self, nonce: str) -> str:
        lines = ["import PostNorm.Run.Command"]
        lines += [f'#run_graph "{nonce}.{name}" {json.dumps(body)}' for name, body in self.runs]
        return "\n".join(lines) + "\n"


def bits(x: float) -> str:
    """The exact bits of a number, as Lean reads them."""
    return f"0x{np.float64(x).view(np.uint64):016x}"


def number(x: Any) -> float:
    if isinstance(x, str):
        return float(np.uint64(int(x, 16)).view(np.float64))
    return float(x)


def constants_of(name: str, graph: Graph) -> dict[str, float]:
    if name == "layerNormGraph":
        return dict(graph.symbols)
    return {**FIXED, **graph.symbols}


@pytest.fixture(scope="module")
def graphs(library: Library) -> dict[str, Graph]:
    wanted = {n: GraphRequest(n, tuple(sizes.items())) for n, sizes in CASES.items()}
    return {n: parse_graph(library.graphs.members[r]) for n, r in wanted.items()}


@dataclass(frozen=True)
class Ran:
    """Lean's inputs and answers, by graph; ``wrong`` names a graph that does not exist."""

    inputs: dict[str, dict[str, Any]]
    seeds: dict[str, Any]
    answer: Answer


@pytest.fixture(scope="module")
def ran(library: Library, graphs: dict[str, Graph]) -> Ran:
    rng = np.random.default_rng(7)
    inputs = {n: {i.name: rng.normal(size=i.shape) for i in g.inputs} for n, g in graphs.items()}
    seeds = {n: rng.normal(size=g.nodes[-1].shape) for n, g in graphs.items()}
    wrong = {"name": "nothing", "sizes": {}, "constants": {}, "inputs": {}, "seed": []}
    runs = [("wrong", json.dumps(wrong))]
    for name, graph in graphs.items():
        body = {
            "name": name,
            "sizes": CASES[name],
            "constants": {k: bits(x) for k, x in constants_of(name, graph).items()},
            "inputs": {k: [bits(x) for x in v.ravel()] for k, v in inputs[name].items()},
            "seed": [bits(x) for x in seeds[name].ravel()],
        }
        runs.append((name, json.dumps(body)))
    answer = ask_engine(library.project.root, library.engine, RunRequest(tuple(runs)))
    return Ran(inputs, seeds, answer)


def test_values_and_gradients_agree(ran: Ran, graphs: dict[str, Graph]) -> None:
    for name, graph in graphs.items():
        said = ran.answer[name][0]
        assert isinstance(said, dict)
        assert "error" not in said, said
        program = Interpreter(graph)
        trace = program.evaluate({k: v[None] for k, v in ran.inputs[name].items()})
        value = np.array([number(x) for x in said["value"]])
        assert close(value, np.real(trace.output).ravel()), name
        pulled = program.vjp(trace, ran.seeds[name][None])
        assert set(said["gradients"]) == set(pulled)
        for k, gradient in said["gradients"].items():
            assert close(np.array([number(x) for x in gradient]), np.real(pulled[k]).ravel()), k


def close(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> bool:
    """Within 1e-12 of the largest entry."""
    return bool(np.max(np.abs(ours - theirs)) <= 1e-12 * max(1.0, float(np.max(np.abs(theirs)))))


def test_a_wrong_request_is_refused(ran: Ran) -> None:
    assert "error" in str(ran.answer["wrong"][0])
