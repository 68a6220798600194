"""An audit measures obligations of one form once, and keeps the result for all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Harness
from tests.numeric.graphs import layer_norm_json

POSITIVE = [
    "layerNorm_backpropVec_eq_adjoint_fderiv_at:hVarEpsPos",
    "layerNorm_hasFDerivAt:hVarEpsPos",
]
FEW = ("--instances", "30")


def report(harness: Harness, folder: Path, *arguments: str) -> dict[str, Any]:
    result = harness.run("audit", *FEW, "--format", "json", "--output", str(folder), *arguments)
    assert result.exit_code in (0, 1), result.output
    found = json.loads((folder / "report.json").read_text())["obligations"]
    return {o["key"]: {k: v for k, v in o.items() if k != "seconds"} for o in found}


def test_one_form_is_measured_once_in_an_audit(
    harness: Harness, asked: list[str], tmp_path: Path
) -> None:
    found = report(harness, tmp_path, "--no-cache")
    assert len(found) == 8
    assert len(asked) == len(set(asked)) == 6
    assert len(set(POSITIVE) & set(asked)) == 1
    one, other = (found[key] for key in POSITIVE)
    assert one["instances"] == other["instances"] == 30
    assert one["worst"] == other["worst"]
    alone = {k: v for key in POSITIVE for k, v in report(harness, tmp_path, "--only", key).items()}
    assert alone == {key: found[key] for key in POSITIVE}


def test_one_more_theorem_of_a_form_is_not_measured(harness: Harness, asked: list[str]) -> None:
    for key in POSITIVE:
        assert harness.run("audit", *FEW, "--only", key).exit_code == 0
    assert asked == POSITIVE[:1]


def test_each_failing_obligation_is_replayed(
    harness: Harness, asked: list[str], tmp_path: Path
) -> None:
    wrong = layer_norm_json()
    next(n for n in wrong["nodes"] if n["name"] == "square")["op"] = "sub"
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(wrong))
    found = report(harness, tmp_path, "--graph", str(file))
    assert len(set(POSITIVE) & set(asked)) == 1
    for key in POSITIVE:
        example = found[key]["counterexample"]
        where = ("--family", example["family"], "--index", str(example["index"]), "--seed", "0")
        again = harness.run("replay", key, *where, "--graph", str(file))
        assert again.exit_code == 1, again.output
        assert f"{found[key]['worst']['residual']:.6g}" in again.output
