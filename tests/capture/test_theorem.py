"""Lean's answer about captured graphs is accepted if it is complete and about them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bridge.capture.proofs import Demand, Hypothesis, Proved, Unproved, parse_proofs
from bridge.capture.theorem import COMMAND, ProofRequest, known_proofs, prove_graphs
from bridge.errors import AnswerError, InvalidInputError, LeanSourceError
from bridge.lean.locked_answer import KeptAnswer
from bridge.lean.project import Project, find_project
from bridge.verdict import LeanStatus
from numeric.graph import Graph, graph_to_json
from tests.capture.graphs import masked_softmax, normalized
from tests.cli.fake import FakeEngine

SOFTMAX = masked_softmax().graph("out")
RMS = normalized().graph("out", name="another layer")
SUM = 4

ASKS = {"on": "value", "binder": "h_inv", "node": "inv", "demand": "nonzero", "position": SUM}
SUPPOSES = {
    "on": "constant",
    "binder": "hc_shifted",
    "node": "shifted",
    "demand": "positive",
    "value": 1e-5,
}


def said(index: int, graph: Graph, *hypotheses: dict[str, Any]) -> dict[str, Any]:
    """Lean's answer about a graph that it proved."""
    return {
        "kind": "graph",
        "index": index,
        "graph": {**graph_to_json(graph), "name": "captured", "declaration": "PostNorm.Captured"},
        "hypotheses": list(hypotheses),
        "theorems": [
            {"name": "PostNorm.Captured.1.differentiated", "statement": "∀ ρ, …", "axioms": []},
            {
                "name": "PostNorm.Captured.1.differentiated_real",
                "statement": "∀ (ρ : Env Real Γ), …",
                "axioms": ["propext", "Nat.le_refl"],
            },
        ],
    }


def whole(*bodies: dict[str, Any], **modules: str) -> list[Any]:
    known = {"propext": "Init.Core", "Nat.le_refl": "Init.Prelude", **modules}
    end = {"kind": "end", "count": len(bodies), "lean": "4.28.0", "axiom_modules": known}
    return [*bodies, end]


GRAPHS = (SOFTMAX, RMS)
HONEST = whole(said(0, SOFTMAX, ASKS), said(1, RMS, SUPPOSES))


def test_a_whole_answer() -> None:
    softmax, rms = parse_proofs(HONEST, GRAPHS)
    assert isinstance(softmax, Proved)
    assert isinstance(rms, Proved)
    assert softmax.remaining == (Hypothesis("h_inv", "inv", Demand.NONZERO, position=SUM),)
    assert softmax.remaining[0].on(SOFTMAX) == "no entry of total is zero"
    assert softmax.graph.nodes == SOFTMAX.nodes
    assert softmax.status is LeanStatus.PROVED
    assert rms.remaining == ()
    assert rms.hypotheses[0].on(RMS) == "the constant of shifted, 1e-05, is positive"
    assert [t.library_axioms for t in rms.theorems] == [0, 1]


def test_a_graph_that_lean_refuses_does_not_affect_the_others() -> None:
    refused = {"kind": "graph", "index": 0, "error": "node out: expected the shape [3]"}
    first, second = parse_proofs(whole(refused, said(1, RMS)), GRAPHS)
    assert first == Unproved("node out: expected the shape [3]")
    assert isinstance(second, Proved)


@pytest.mark.parametrize(
    ("axiom", "module", "status"),
    [
        ("sorryAx", "Init.Prelude", LeanStatus.SORRY),
        ("PostNorm.trick", "PostNorm.Field.Basic", LeanStatus.AXIOM),
        ("Lean.ofReduceBool", "Init.Core", LeanStatus.AXIOM),
    ],
)
def test_a_foreign_axiom_is_not_a_proof(axiom: str, module: str, status: LeanStatus) -> None:
    body = said(0, SOFTMAX, ASKS)
    body["theorems"][1]["axioms"].append(axiom)
    (proof,) = parse_proofs(whole(body, **{axiom: module}), (SOFTMAX,))
    assert isinstance(proof, Proved)
    assert proof.status is status


Change = Callable[[list[Any]], None]


def changed(what: str) -> Change:
    def change(messages: list[Any]) -> None:
        exec(what, {"m": messages})

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("m.pop()", "no end"),
        ("m.clear()", "no end"),
        ("del m[0]", "partial"),
        ("m.insert(0, m[0])", "partial"),
        ("m[2]['count'] = 1", "partial"),
        ("m[0], m[1] = m[1], m[0]", "not understood"),
        ("m[1]['index'] = 0", "not understood"),
        ("m[0]['kind'] = 'run'", "not understood"),
        ("m[0]['surprise'] = 1", "neither a proof nor a reason"),
        ("m[0]['error'] = 'no'", "neither a proof nor a reason"),
        ("m[0]['theorems'] = []", "neither a proof nor a reason"),
        ("m[0]['graph']['nodes'][0]['op'] = 'tanh'", "another graph"),
        ("m[0]['graph']['nodes'][5]['args'] = [6, 6]", "another graph"),
        ("m[0]['graph']['nodes'][0]['name'] = 'f'", "another graph"),
        ("m[0]['graph']['outputs'] = [6]", "another graph"),
        ("m[1]['graph']['nodes'][2]['params']['c'] = 2e-5", "another graph"),
        ("m[0]['graph']['nodes'][3]['op'] = 'power'", "malformed"),
        ("m[0]['graph']['nodes'].pop()", "malformed|another graph"),
        ("m[0]['hypotheses'][0]['position'] = 0", "no node inv reads value 0"),
        ("m[0]['hypotheses'][0]['node'] = 'nobody'", "no node nobody"),
        ("m[0]['hypotheses'][0]['demand'] = 'even'", "hypothesis is not understood"),
        ("m[0]['hypotheses'][0]['on'] = 'constant'", "hypothesis is not understood"),
        ("m[1]['hypotheses'][0]['value'] = 1.0", "in the graph 1e-05"),
        ("m[1]['hypotheses'][0]['node'] = 'std'", "in the graph None"),
        ("m[0]['theorems'][0]['axioms'] = ['sorryAx']", "lacks the modules of"),
        ("del m[0]['theorems'][0]['statement']", "theorem is not understood"),
        ("m[2]['axiom_modules']['propext'] = 7", "no end"),
    ],
)
def test_anything_less_is_an_error(change: str, message: str) -> None:
    messages = copy.deepcopy(HONEST)
    changed(change)(messages)
    with pytest.raises(AnswerError, match=message):
        parse_proofs(messages, GRAPHS)


def test_a_constant_that_is_not_positive_cannot_be_assumed_positive() -> None:
    graph = normalized(eps=-1.0).graph("out")
    with pytest.raises(AnswerError, match="supposes that shifted is positive"):
        parse_proofs(whole(said(0, graph, {**SUPPOSES, "value": -1.0})), (graph,))


def test_the_request_asks_for_every_graph_and_for_no_name_of_theirs() -> None:
    text = ProofRequest(GRAPHS).document("N")
    first, second, *rest = text.splitlines()
    assert first == f"import {COMMAND}"
    assert second.startswith('#prove_graphs "N.captured" ')
    assert rest == []
    asked = json.loads(json.loads(second.split(" ", 2)[2]))
    assert [g["nodes"] for g in asked] == [graph_to_json(g)["nodes"] for g in GRAPHS]
    assert "another layer" not in text


@dataclass
class Counting:
    """An engine that counts how often Lean is asked."""

    inner: FakeEngine
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def server_command(self, project: Path) -> list[str]:
        self.asked.append(project.name)
        return self.inner.server_command(project)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "project"
    module = root.joinpath("lean", *COMMAND.split(".")).with_suffix(".lean")
    module.parent.mkdir(parents=True)
    module.write_text("-- the command\n", encoding="utf-8")
    (root / "lean" / "PostNorm.lean").write_text(f"import {COMMAND}\n", encoding="utf-8")
    (root / "lakefile.lean").write_text(
        "import Lake\nopen Lake DSL\n\npackage demo\n\n"
        'lean_lib PostNorm where\n  srcDir := "lean"\n',
        encoding="utf-8",
    )
    return find_project(root)


def engine_that_says(folder: Path, messages: list[Any], **more: Any) -> Counting:
    answers = folder / "answer.json"
    answers.write_text(json.dumps({"captured": messages}), encoding="utf-8")
    return Counting(FakeEngine(answers, **more))


def test_lean_is_asked_once_for_each_content(project: Project, tmp_path: Path) -> None:
    engine = engine_that_says(tmp_path, HONEST)
    renamed = replace(SOFTMAX, name="the same in another model")
    assert known_proofs(project, engine, [SOFTMAX]) == (None,)  # type: ignore[arg-type]
    first = prove_graphs(project, engine, [SOFTMAX, RMS, renamed])  # type: ignore[arg-type]
    assert engine.asked == ["project"]
    assert [p.graph.name for p in first if isinstance(p, Proved)] == [
        "a layer",
        "another layer",
        "the same in another model",
    ]
    again = prove_graphs(project, engine, [RMS])  # type: ignore[arg-type]
    assert engine.asked == ["project"]
    assert isinstance(again[0], Proved)
    assert again[0].from_cache
    assert again == known_proofs(project, engine, [RMS])  # type: ignore[arg-type]
    prove_graphs(project, engine, GRAPHS, use_cache=False)  # type: ignore[arg-type]
    assert engine.asked == ["project", "project"]


def test_other_sources_another_engine_another_graph_are_asked_about(
    project: Project, tmp_path: Path
) -> None:
    engine = engine_that_says(tmp_path, whole(said(0, RMS, SUPPOSES)))
    prove_graphs(project, engine, [RMS])  # type: ignore[arg-type]
    other = normalized(eps=1e-6).graph("out")
    newer = replace(engine.inner, fingerprint="a newer Lean")
    assert known_proofs(project, engine, [other]) == (None,)  # type: ignore[arg-type]
    assert known_proofs(project, newer, [RMS]) == (None,)
    module = project.root / "lean" / "PostNorm.lean"
    module.write_text(module.read_text(encoding="utf-8") + "-- changed\n", encoding="utf-8")
    assert known_proofs(project, engine, [RMS]) == (None,)  # type: ignore[arg-type]


def test_a_damaged_kept_answer_is_requested_again(project: Project, tmp_path: Path) -> None:
    engine = engine_that_says(tmp_path, whole(said(0, RMS, SUPPOSES)))
    prove_graphs(project, engine, [RMS])  # type: ignore[arg-type]
    (kept,) = (tmp_path / "cache" / "answers").glob("*.json")
    kept.write_text(kept.read_text(encoding="utf-8").replace("hc_shifted", "hc_other"))
    assert known_proofs(project, engine, [RMS]) == (None,)  # type: ignore[arg-type]


def test_an_answer_about_another_graph_is_not_kept(project: Project, tmp_path: Path) -> None:
    engine = engine_that_says(tmp_path, whole(said(0, SOFTMAX, ASKS)))
    with pytest.raises(AnswerError, match="another graph"):
        prove_graphs(project, engine, [RMS])  # type: ignore[arg-type]
    assert known_proofs(project, engine, [RMS]) == (None,)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["silent", "wrong-nonce", "not-json", "no-end", "lost-message"])
def test_a_server_that_misbehaves_is_an_error(project: Project, tmp_path: Path, mode: str) -> None:
    engine = engine_that_says(tmp_path, whole(said(0, RMS, SUPPOSES)), mode=mode)
    with pytest.raises(AnswerError):
        prove_graphs(project, engine, [RMS])  # type: ignore[arg-type]


def test_a_request_that_cannot_be_made_is_reported(project: Project, tmp_path: Path) -> None:
    kept = KeptAnswer("4.28.0", "a Lean", "", (), {}, "")
    with pytest.raises(InvalidInputError, match="--engine lock asks no Lean"):
        prove_graphs(project, kept, [RMS])
    assert known_proofs(project, kept, [RMS]) == (None,)
    engine = engine_that_says(tmp_path, HONEST, mode="lean-error")
    with pytest.raises(LeanSourceError):
        prove_graphs(project, engine, [RMS])  # type: ignore[arg-type]
    (project.root / "lean" / "PostNorm" / "Capture" / "Command.lean").unlink()
    with pytest.raises(InvalidInputError, match="has no module PostNorm.Capture.Command"):
        prove_graphs(find_project(project.root), engine, [RMS])  # type: ignore[arg-type]
