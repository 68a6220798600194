"""`obligations audit --graph FILE`: a graph other than the one that Lean exports."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Harness
from tests.numeric.graphs import layer_norm_json


def test_a_wrong_graph_fails_with_a_replay_line_that_works(
    harness: Harness, tmp_path: Path
) -> None:
    wrong = layer_norm_json()
    node = next(n for n in wrong["nodes"] if n["name"] == "y")
    node["op"] = "sub"
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(wrong))
    options = ("--graph", str(path), "--instances", "20", "--only", "layerNorm_eval")
    result = harness.run("audit", *options, "--format", "json")
    assert result.exit_code == 1
    (found,) = json.loads(result.stdout)["obligations"]
    assert found["verdict"] == "fails"
    words = shlex.split(found["counterexample"]["replay"])
    assert words[:2] == ["obligations", "replay"]
    again = harness.run(*words[1:])
    assert again.exit_code == 1
    assert "fails" in again.stdout
    ours = harness.run("replay", "layerNorm_eval:conclusion", *words[3:9])
    assert ours.exit_code == 0, "the library's own graph is right on that instance"
    assert "holds" in ours.stdout


def test_a_report_about_a_graph_is_replayed_on_that_graph_only(
    harness: Harness, tmp_path: Path
) -> None:
    wrong = layer_norm_json()
    next(n for n in wrong["nodes"] if n["name"] == "var")["op"] = "sum"
    path, report = tmp_path / "wrong.json", tmp_path / "report.json"
    path.write_text(json.dumps(wrong))
    graph = ("--graph", str(path))
    audit = harness.run("audit", *graph, "--instances", "20", "--format", "json")
    report.write_text(audit.stdout)
    assert json.loads(audit.stdout)["graph"] == str(path)
    for found in json.loads(audit.stdout)["obligations"]:
        if found["verdict"] == "fails":
            worst = found["worst"]
            assert worst["residual"] > worst["tolerance"], found["key"]
    assert harness.run("replay", "--report", str(report), *graph).exit_code == 1
    assert harness.run("replay", "--report", str(report)).exit_code == 1, "it holds the graph"
    without = {k: v for k, v in json.loads(audit.stdout).items() if k != "graph_data"}
    report.write_text(json.dumps(without))
    refused = harness.run("replay", "--report", str(report))
    assert refused.exit_code == 2
    assert "→ add --graph" in refused.stderr


def test_a_graph_of_one_size_can_be_audited(harness: Harness, tmp_path: Path) -> None:
    """Families for another size do not apply to it, and are left out."""
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(layer_norm_json(3, 5)))
    result = harness.run("audit", "--graph", str(path), "--instances", "40", "--format", "json")
    assert result.exit_code == 0, result.output
    families = {f["family"] for f in json.loads(result.stdout)["obligations"][0]["families"]}
    assert "d_model 1" not in families
    assert {"generic", "eps overwhelms variance"} <= families


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": "obligations-graph/1"}'])
def test_a_malformed_graph_is_wrong_input(harness: Harness, tmp_path: Path, text: str) -> None:
    path = tmp_path / "graph.json"
    path.write_text(text)
    result = harness.run("audit", "--graph", str(path))
    assert result.exit_code == 2
    assert "graph.json" in result.stderr


def foreign_layer_norm() -> dict[str, Any]:
    """LayerNorm from another program: without our names, symbols, sizes or declaration."""
    graph = layer_norm_json(3, 5)
    for k, node in enumerate(graph["nodes"]):
        node["name"] = f"n{k}"
        node["params"].pop("symbol", None)
    for k, given in enumerate(graph["inputs"]):
        given["name"] = f"arg{k}"
    del graph["declaration"], graph["sizes"]
    return {**graph, "name": "exported"}


def test_a_graph_under_other_names_is_judged_by_what_it_computes(
    harness: Harness, tmp_path: Path
) -> None:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(foreign_layer_norm()))
    options = ("--graph", str(path), "--instances", "40", "--format", "json")
    result = harness.run("audit", *options)
    assert result.exit_code == 0, result.output
    found = {o["key"]: o for o in json.loads(result.stdout)["obligations"]}
    fidelity = found["layerNormGraph:fidelity"]
    assert fidelity["verdict"] == "holds"
    assert fidelity["check"] == "graph_computes_its_closed_form"
    assert "computes layerNormGraph: arg0 is x, arg1 is gamma, arg2 is beta" in fidelity["reason"]
    assert {o["verdict"] for o in found.values()} == {"holds"}, "of the library's own graph"


def test_a_wrong_graph_under_other_names_is_never_a_pass(harness: Harness, tmp_path: Path) -> None:
    """For any selection: the theorem's own obligations are judged on the library's graph."""
    wrong = foreign_layer_norm()
    wrong["nodes"][4]["op"] = "sum"
    path, folder = tmp_path / "graph.json", tmp_path / "reports"
    path.write_text(json.dumps(wrong))
    options = ("--graph", str(path), "--format", "json", "--format", "html")
    result = harness.run("audit", *options, "--output", str(folder), "--only", "layerNorm_eval")
    assert result.exit_code == 1
    assert "left out" not in result.output, "one was added, none left out"
    page = (folder / "report.html").read_text()
    assert page.count('class="box begins"') == 1
    assert 'class="box begins" role="img" aria-label="n3: mul' in page
    report = json.loads((folder / "report.json").read_text())
    (fidelity,) = [o for o in report["obligations"] if o["role"] == "fidelity"]
    assert "the difference begins at the node n3 (mul) or right after it" in fidelity["reason"]
    assert "no node has the entries of layerNormGraph's var" in fidelity["reason"]
    words = shlex.split(fidelity["counterexample"]["replay"])
    assert str(path) in words
    assert harness.run(*words[1:]).exit_code == 1
    assert harness.run("replay", "--report", str(folder / "report.json")).exit_code == 1
    small = ("--output", str(tmp_path / "small.json"), "--graph", str(path))
    assert harness.run("search", "layerNormGraph:fidelity", *small).exit_code == 1
    assert harness.run("replay", "--instance", str(tmp_path / "small.json")).exit_code == 1


def test_a_constant_without_a_symbol_is_found_by_what_it_does(
    harness: Harness, tmp_path: Path
) -> None:
    path = tmp_path / "graph.json"

    def code(value: float) -> tuple[int, str]:
        graph = layer_norm_json(eps=value)
        next(n for n in graph["nodes"] if n["name"] == "varEps")["params"] = {"c": value}
        path.write_text(json.dumps(graph))
        result = harness.run("audit", "--graph", str(path), "--instances", "40")
        return result.exit_code, " ".join(result.stdout.split())

    assert code(1e-5)[0] == 0
    other, said = code(1e-3)
    assert other == 4
    assert "with eps = 0.001, and layerNormGraph is exported with 1e-05" in said


def test_a_graph_that_cannot_be_read_as_one_of_the_library_s_is_refused(
    harness: Harness, tmp_path: Path
) -> None:
    path = tmp_path / "graph.json"

    def refusal(graph: dict[str, Any]) -> str:
        path.write_text(json.dumps(graph))
        result = harness.run("audit", "--graph", str(path))
        assert result.exit_code == 2
        return " ".join(result.stderr.split())

    less = layer_norm_json()
    less["nodes"][13] = {**less["nodes"][13], "op": "reshape", "args": [14]}
    del less["nodes"][12], less["inputs"][2]
    for node in less["nodes"]:
        node["args"] = [a - (a > 2) for a in node["args"]]
    less["outputs"] = [14]
    assert "layerNormGraph has no input called 'beta'" in refusal(less)
    fixed = layer_norm_json()
    node = next(n for n in fixed["nodes"] if n["name"] == "varEps")
    node.update(op="scale", params={"c": 1.0})
    assert "layerNormGraph has no constant called 'eps'" in refusal(fixed)
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000)
    result = harness.run("audit", "--graph", str(deep))
    assert (result.exit_code, "expected JSON" in result.stderr) == (2, True)
    deep.write_text('{"schema": ' + "9" * 5000 + "}")
    assert harness.run("audit", "--graph", str(deep)).exit_code == 2


def test_a_malformed_node_is_named(harness: Harness, tmp_path: Path) -> None:
    graph = layer_norm_json()
    graph["nodes"][5]["op"] = "frobnicate"
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(graph))
    result = harness.run("audit", "--graph", str(path))
    assert result.exit_code == 2
    assert "frobnicate" in result.stderr
    assert graph["nodes"][5]["name"] in result.stderr
