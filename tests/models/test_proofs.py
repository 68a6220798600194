"""Lean's answer about a captured graph, as the audit of a model uses it."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.capture.proofs import Demand, Hypothesis, IsBlock, Proved, Theorem, Unproved
from bridge.errors import InvalidInputError
from bridge.models import proofs
from bridge.models.certificates import held_against
from bridge.report.captured import CapturedLayer
from bridge.verdict import LeanStatus
from numeric.graph import Graph, parse_graph

GRAPH = parse_graph(
    {
        "schema": "obligations-graph/1",
        "name": "captured",
        "declaration": "captured",
        "sizes": {},
        "inputs": [{"name": "x", "shape": [3]}],
        "nodes": [{"name": "y", "op": "relu", "args": [0], "params": {}, "shape": [3]}],
        "outputs": [1],
    }
)
SETUP: Any = SimpleNamespace(project=None, engine=None, timeout=1.0)


def theorem(*foreign: str) -> Theorem:
    return Theorem("captured_real", "∀ ρ, …", ("propext",), foreign, 0)


def answers(monkeypatch: pytest.MonkeyPatch, *found: Proved | Unproved) -> Any:
    monkeypatch.setattr(proofs, "prove_graphs", lambda *_, **__: found)
    return proofs.prover(SETUP, None, use_cache=True)


@pytest.mark.parametrize(
    ("foreign", "status"),
    [((), LeanStatus.PROVED), (("sorryAx",), LeanStatus.SORRY), (("mine",), LeanStatus.AXIOM)],
)
def test_a_theorem_with_what_it_supposes(
    monkeypatch: pytest.MonkeyPatch, foreign: Sequence[str], status: LeanStatus
) -> None:
    supposed = Hypothesis("h", "y", Demand.NONZERO, position=0)
    proved = Proved(GRAPH, (supposed,), (theorem(), theorem(*foreign)))
    (found,) = answers(monkeypatch, proved)([GRAPH])
    assert found.status is status
    assert found.proved == (not foreign)
    assert found.supposes == ("no entry of x is zero",)


def test_no_theorem_means_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = answers(monkeypatch, Unproved("an index is too long"))([GRAPH])
    assert not found.proved
    assert "an index is too long" in str(found)


def test_a_lean_that_cannot_be_asked_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Sequence[Graph]:
        raise InvalidInputError("--engine lock asks no Lean", remedy="choose another")

    monkeypatch.setattr(proofs, "prove_graphs", refuse)
    (found,) = proofs.prover(SETUP, None, use_cache=True)([GRAPH])
    assert not found.proved
    assert "--engine lock asks no Lean" in str(found)


def test_a_block_s_mask_is_searched_in_each_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    block = IsBlock("gpt2Block", (None,), (), ((0, "causal"),), (theorem(),))
    proved = Proved(GRAPH, (), (theorem(),), block=block)
    (found,) = answers(monkeypatch, proved)([GRAPH])
    causal = held_against(CapturedLayer(form="graph 1", masks=(("x", "causal"),)), found)
    other = held_against(CapturedLayer(form="graph 1"), found)
    assert causal.proof.is_block
    assert "where x is the causal mask" in causal.coverage
    assert other.proof.proved
    assert not other.proof.is_block
    assert "it is not shown to be a library block, such as gpt2Block" in other.coverage
