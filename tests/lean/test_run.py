"""Lean runs its graphs over Float; the numeric side interprets what Lean exports.  They agree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bridge.lean.library import Library, read_library
from bridge.lean.questions import ask_engine
from bridge.lean.requests import GraphRequest
from numeric.graph import Graph, parse_graph
from numeric.interpret.interpreter import Interpreter

pytestmark = pytest.mark.lean

BLOCK = {"seqLen": 3, "dModel": 6, "numHeads": 2, "headDim": 3, "dFF": 5}
CASES = {
    "layerNormGraph": {"seqLen": 3, "dModel": 5},
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
    wanted = {n: GraphRequest(n, tuple(sorted(sizes.items()))) for n, sizes in CASES.items()}
    found = read_library(library.project, library.engine, list(wanted.values()))
    return {n: parse_graph(found.graphs.members[r]) for n, r in wanted.items()}


def test_values_and_gradients_agree(library: Library, graphs: dict[str, Graph]) -> None:
    rng = np.random.default_rng(7)
    inputs = {n: {i.name: rng.normal(size=i.shape) for i in g.inputs} for n, g in graphs.items()}
    seeds = {n: rng.normal(size=g.nodes[-1].shape) for n, g in graphs.items()}
    runs = []
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
    for name, graph in graphs.items():
        said = answer[name][0]
        assert isinstance(said, dict)
        assert "error" not in said, said
        program = Interpreter(graph)
        trace = program.evaluate({k: v[None] for k, v in inputs[name].items()})
        value = np.array([number(x) for x in said["value"]])
        assert close(value, np.real(trace.output).ravel()), name
        pulled = program.vjp(trace, seeds[name][None])
        assert set(said["gradients"]) == set(pulled)
        for k, gradient in said["gradients"].items():
            assert close(np.array([number(x) for x in gradient]), np.real(pulled[k]).ravel()), k


def close(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> bool:
    """Within 1e-12 of the largest entry."""
    return bool(np.max(np.abs(ours - theirs)) <= 1e-12 * max(1.0, float(np.max(np.abs(theirs)))))


def test_a_wrong_request_is_refused(library: Library) -> None:
    body = json.dumps({"name": "nothing", "sizes": {}, "constants": {}, "inputs": {}, "seed": []})
    answer = ask_engine(library.project.root, library.engine, RunRequest((("wrong", body),)))
    assert "error" in str(answer["wrong"][0])
