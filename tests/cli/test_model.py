"""`obligations audit --model` from a user's view."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.models.theorems import BIASED
from numeric.graph import graph_to_json
from tests.bridge.answers import answer, binder, statement
from tests.cli.conftest import Harness
from tests.cli.fake import trust_answers
from tests.models.checkpoints import CONFIG, D, bert_tensors, pytorch_tensors, write
from tests.models.library import NORMS
from tests.numeric.block_graphs import written

SIZES = {"seqLen": 4, "dModel": D, "numHeads": 2, "headDim": D // 2, "dFF": 12}


LEMMA = {"kind": "untagged", "name": "PostNorm.lemma", "module": "PostNorm.Layers"}


def says(harness: Harness, seq_len: int = 4, trust: list[Any] | None = None) -> None:
    """Lean has the block's theorems, and the graph at the model's sizes."""
    graph = graph_to_json(written(BIASED.graph, {**SIZES, "seqLen": seq_len}))
    statements = [
        statement(f"PostNorm.{BIASED.backprop}", *(binder(n, "0 < x", term=n) for n in NORMS)),
        statement(
            f"PostNorm.{BIASED.backprop_of_pos}",
            *(binder(n, "0 < ε", term=n) for n in ("hEps1Pos", "hEps2Pos")),
        ),
        statement(f"PostNorm.{BIASED.value}"),
    ]
    value = {
        "statements": answer(*statements),
        "graphs": [
            {"kind": "graph", "index": 0, "graph": graph},
            {"kind": "end", "count": 1, "lean": "4.28.0"},
        ],
        "trust": trust or trust_answers(),
    }
    harness.answers.write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def model(harness: Harness, tmp_path: Path) -> str:
    says(harness)
    return str(write(tmp_path / "m", bert_tensors(2)))


def test_a_covered_model(harness: Harness, model: str) -> None:
    result = harness.run("audit", "-v", "--model", model, "--seq-len", "4")
    assert result.exit_code == 0, result.output
    assert f"theorem applies: {BIASED.backprop}" in result.stdout
    assert "encoder.layer.1" in result.stdout
    assert "holds on 2 layers" in result.stdout
    assert "standard normal, from seed 0" in result.stdout
    assert "exit code 0" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_the_json_report_has_the_layers(harness: Harness, model: str) -> None:
    result = harness.run("audit", "--model", model, "--seq-len", "4", "--format", "json")
    report = json.loads(result.stdout)
    assert report["model"]["source"] == model
    assert [la["name"] for la in report["model"]["layers"]] == [
        "encoder.layer.0",
        "encoder.layer.1",
    ]
    assert [o["key"].partition(":")[2] for o in report["obligations"]] == [
        *NORMS,
        "conclusion",
        "hEps1Pos",
        "hEps2Pos",
        "conclusion",
        "conclusion",
    ]
    families = report["obligations"][0]["families"]
    assert [f["role"] for f in families] == ["layer", "layer"]


def test_every_format_goes_to_a_folder(harness: Harness, model: str, tmp_path: Path) -> None:
    formats = ("table", "json", "junit", "html", "markdown", "sarif", "github")
    options = [word for name in formats for word in ("--format", name)]
    result = harness.run(
        *("audit", "--model", model, "--seq-len", "4", "--output", str(tmp_path / "out")), *options
    )
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "out").iterdir())) == len(formats)


def test_an_uncovered_model_is_incomplete(harness: Harness, tmp_path: Path) -> None:
    says(harness)
    path = write(tmp_path / "silu", bert_tensors(), {**CONFIG, "hidden_act": "silu"})
    result = harness.run("audit", "--model", str(path), "--seq-len", "4")
    assert result.exit_code == 4
    said = " ".join(result.stdout.split())
    assert "theorem does not apply: activation: SiLU, by hidden_act in config.json" in said
    assert "1 of 1 layers is not covered" in said
    assert "theorem applies" not in said


def test_a_failing_model_fails(harness: Harness, tmp_path: Path) -> None:
    says(harness)
    path = write(tmp_path / "zero", bert_tensors(), {**CONFIG, "layer_norm_eps": 0})
    result = harness.run("audit", "--model", str(path), "--seq-len", "4")
    assert result.exit_code == 1
    assert "hEps1Pos fails" in " ".join(result.stdout.split())


def test_inputs_from_a_file(harness: Harness, model: str, tmp_path: Path) -> None:
    says(harness, seq_len=3)
    x = np.random.default_rng(0).normal(size=(2, 3, D))
    np.savez(tmp_path / "x.npz", x=x)
    result = harness.run("audit", "--model", model, "--inputs", str(tmp_path / "x.npz"))
    assert result.exit_code == 0, result.output
    assert "2 sequences of 3 tokens" in result.stdout


def test_strict_reports_what_was_not_seen(harness: Harness, model: str) -> None:
    result = harness.run("audit", "--model", model, "--seq-len", "4", "--strict")
    assert result.exit_code == 4
    assert "the library itself" in " ".join(result.stdout.split())


def test_theorems_that_need_no_tag_are_not_counted(harness: Harness, model: str) -> None:
    says(harness, trust=trust_answers(LEMMA))
    audit = ("audit", "--model", model, "--seq-len", "4")
    assert "1 more theorems have hypotheses and are not tagged" in harness.run(*audit).stdout
    settings = harness.root / "obligations.toml"
    settings.write_text('untagged = ["PostNorm.lemma"]\n', encoding="utf-8")
    told = harness.run(*audit, "--strict")
    assert "not tagged" not in told.stdout
    assert "untagged" not in told.stdout
    settings.write_text('untagged = ["PostNorm.gone"]\n', encoding="utf-8")
    assert harness.run(*audit).exit_code == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--only", "x"), "leave --only and --graph out"),
        (("--dry-run",), "leave one of --dry-run and --model out"),
        (("--jobs", "2"), "leave --jobs and --scheduler out"),
        (("--scheduler", "tcp://h:1"), "leave --jobs and --scheduler out"),
        (("--certify", "0.5"), "leave the radius out"),
        (("--certify",), "a file holds weights alone"),
        (("--whole",), "a file holds weights alone"),
        (("--heads", "4"), "--heads says 4"),
    ],
)
def test_options_that_exclude_a_model(
    harness: Harness, model: str, more: tuple[str, ...], said: str
) -> None:
    result = harness.run("audit", "--model", model, *more)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "option", [("--heads", "2"), ("--eps", "0.1"), ("--seq-len", "3"), ("--pre-norm",)]
)
def test_options_that_need_a_model(harness: Harness, option: tuple[str, ...]) -> None:
    result = harness.run("audit", *option)
    assert result.exit_code == 2
    assert "name it with --model" in result.stderr


def test_errors_end_with_exit_code_2(harness: Harness, tmp_path: Path) -> None:
    tensors: dict[str, Any] = pytorch_tensors()
    del tensors["layers.0.linear2.weight"]
    path = write(tmp_path / "m", tensors)
    result = harness.run("audit", "--model", str(path))
    assert result.exit_code == 2
    assert "lacks layers.0.linear2.weight [8, 12]" in " ".join(result.stderr.split())
    assert "→" in result.stderr
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(path.read_bytes()[:50])
    assert harness.run("audit", "--model", str(broken)).exit_code == 2
    assert harness.run("audit", "--model", "nowhere.safetensors").exit_code == 2


def test_sequences_are_counted_by_instances(harness: Harness, model: str, tmp_path: Path) -> None:
    result = harness.run("audit", "--model", model, "--seq-len", "4", "--instances", "3")
    assert "3 sequences of 4 tokens" in result.stdout
    np.savez(tmp_path / "x.npz", x=np.zeros((4, D)))
    both = harness.run(
        "audit", "--model", model, "--inputs", str(tmp_path / "x.npz"), "--instances", "3"
    )
    assert both.exit_code == 2
    assert "have no effect" in " ".join(both.stderr.split())
