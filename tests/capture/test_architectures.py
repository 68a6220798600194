"""Which common architectures are captured, translated, run and agree: the table in the docs.

``UPDATE_DOCS=1 pytest -n 0 tests/capture/test_architectures.py`` writes it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.capture import copied, examples, export, layers_of, run_once, translate
from bridge.capture.blocks import headline, proposed
from bridge.models.captured import Judgement, judge_layer
from bridge.report.captured import CapturedLayer
from bridge.verdict import Verdict
from numeric.graph import Graph
from numeric.interpret.interpreter import Interpreter
from tests.capture.architectures import ARCHITECTURES, BLOCKS_OF, REQUIRED, make

pytest.importorskip("torch", reason="torch is not installed: `pip install torch` to capture models")
pytest.importorskip(
    "transformers", reason="transformers is not installed: `pip install transformers` for the table"
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "architectures.md"
UPDATE = "UPDATE_DOCS" in os.environ
NOT_SLOW = ("BERT", "GPT-2", "LLaMA", "ViT", "T5", "Longformer", "nn.TransformerEncoder")
HEAD = "| architecture | layers | captured and run | agree | obstacle | theorem |"
GOAL = 26


@dataclass(frozen=True)
class Row:
    name: str
    layers: int
    run: int
    agree: int
    obstacle: str
    theorem: str = ""

    def __str__(self) -> str:
        numbers = f"| {self.name} | {self.layers} | {self.run} | {self.agree} |"
        return f"{numbers} {self.obstacle} | {self.theorem} |"


def obstacle(captured: CapturedLayer) -> str:
    """The unsupported operation, without its line, which changes with each release."""
    return captured.reason.split(";")[0].partition(" (")[0] if captured.reason else ""


def theorem(name: str, judged: list[Judgement]) -> str:
    """The theorem of the block that Lean proves layers to be, and for how many of them."""
    block = BLOCKS_OF.get(name)
    if block is None:
        return ""
    own = [j.captured is not None and block in built_like(j.captured.graph) for j in judged]
    assert any(own), f"no layer of {name} is built like {block}"
    some = "" if all(own) else f" ({sum(own)} of {len(own)})"
    return f"`{headline(block)}`{some}"


def built_like(graph: Graph) -> list[str]:
    return [c.block for c in proposed(graph)]


def measured(name: str) -> Row:
    model: Any = make(name)
    parts = layers_of(model)
    try:
        passed = run_once(model, parts, examples(model, 8, 0))
    except ValueError:
        return Row(name, len(parts), 0, 0, "its code does not run on these inputs")
    judged = [
        judge_layer(
            model.get_submodule(part),
            passed.calls[part],
            part,
            0,
            passed.order.count(part),
        )
        for part in parts
        if part in passed.calls
    ]
    found = [j.layer for j in judged]
    return Row(
        name,
        len(parts),
        sum(bool(la.form) for la in found),
        sum(la.verdict is Verdict.HOLDS for la in found),
        ", ".join(dict.fromkeys(o for la in found if (o := obstacle(la)))),
        theorem(name, judged),
    )


def rows_of_the_page() -> dict[str, str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index(HEAD) + 2
    return {la.split("|")[1].strip(): la for la in lines[start:] if la.startswith("|")}


def write(row: Row) -> None:
    """Put the row into the page, in the order of the list."""
    text = PAGE.read_text(encoding="utf-8")
    before = text[: text.index(HEAD)]
    rows = {**rows_of_the_page(), row.name: str(row)}
    ordered = [rows[n] for n in ARCHITECTURES if n in rows]
    body = "\n".join([HEAD, "| --- | --- | --- | --- | --- | --- |", *ordered])
    PAGE.write_text(f"{before}{body}\n", encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[pytest.mark.slow] * (not UPDATE and n not in NOT_SLOW))
        for n in ARCHITECTURES
    ],
)
def test_the_table_says_what_is_measured(name: str) -> None:
    row = measured(name)
    if UPDATE:
        write(row)
    assert rows_of_the_page().get(name) == str(row)


def test_rotary_positions_from_the_parent_are_in_roformer_s_graph() -> None:
    model: Any = make("RoFormer")
    (name, *_) = layers_of(model)
    call = run_once(model, (name,), examples(model, 8, 0)).calls[name]
    captured = translate(export(copied(model.get_submodule(name)), call.args, call.kwargs), "r")
    program = Interpreter(captured.graph)
    feeds = {n: v[None] for n, v in captured.feeds.items()}
    as_given = program.evaluate(feeds).output
    (rotary,) = (n for n, s in captured.sources.items() if (s.kind, s.name) == ("input", "2"))
    assert feeds[rotary].shape == (1, 8, 8)
    halved = program.evaluate({**feeds, rotary: feeds[rotary] / 2}).output
    assert float(abs(halved - as_given).max()) > 1e-3


def test_most_are_covered_and_those_that_the_docs_name() -> None:
    rows = {n: [c.strip() for c in line.split("|")[1:-1]] for n, line in rows_of_the_page().items()}
    assert list(rows) == list(ARCHITECTURES)
    covered = {n for n, (_, layers, run, agree, *_) in rows.items() if layers == run == agree}
    assert len(covered) >= GOAL
    assert covered >= set(REQUIRED)
