"""The command line from a user's view: output, exit codes, and error messages."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from bridge.auditing import mutate as mutating
from bridge.engine import LeanMessage
from tests.bridge.answers import binder, statement
from tests.cli.conftest import Harness
from tests.cli.fake import layer_norm_statements
from tests.numeric.graphs import layer_norm_json

KEYS = 8  # and one of them is of the graph


def test_audit_judges_every_obligation(harness: Harness) -> None:
    result = harness.run("audit", "-v", "--instances", "40")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("holds") == KEYS + 1  # and once in the summary
    assert "Lean: 3 of 3 theorems proved.  Numbers: 8 holds." in result.stdout
    assert "The kernel accepted all 12 constants of the project once more." in result.stdout
    assert "  if 0 < ε" in result.stdout
    assert "LayerNorm is differentiable." in result.stdout
    assert "Elsewhere" not in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_the_json_report_is_the_contract(harness: Harness) -> None:
    result = harness.run("audit", "--instances", "40", "--format", "json")
    report = json.loads(result.stdout)
    assert report["schema"] == "obligations-report/1"
    assert report["engine"] == {"kind": "embedded", "lean_version": "4.28.0", "official": False}
    assert report["summary"] == {"holds": KEYS}
    assert report["exit_code"] == result.exit_code == 0
    first = report["obligations"][0]
    assert first["key"] == "layerNorm_hasFDerivAt:hVarEpsPos"
    assert first["lean"]["status"] == "discharged"
    assert first["file"] == "lean/PostNorm/Layers.lean"
    assert set(first["worst"]) == {"residual", "tolerance", "margin"}


def test_the_same_seed_gives_the_same_report(harness: Harness) -> None:
    def run(*more: str) -> str:
        return harness.run("audit", "--instances", "40", "--format", "json", *more).stdout

    assert run() == run()
    assert run() != run("--seed", "1")


def test_only_chooses_by_key_declaration_or_glob(harness: Harness) -> None:
    def keys(*only: str) -> list[str]:
        options = [word for pattern in only for word in ("--only", pattern)]
        result = harness.run("audit", "--instances", "20", "--format", "json", *options)
        return [o["key"] for o in json.loads(result.stdout)["obligations"]]

    assert keys("layerNorm_eval") == ["layerNorm_eval:conclusion"]
    assert len(keys("*:hStdNe0")) == 2
    assert len(keys("layerNorm_eval:conclusion", "*:hStdNe0")) == 3
    assert keys("*_eval") == ["layerNorm_eval:conclusion"]  # a glob of declarations, too


def test_a_mistyped_key_is_refused_with_a_suggestion(harness: Harness) -> None:
    result = harness.run("audit", "--only", "layerNorm_hasFDerivAt:hVarEpPos")
    assert result.exit_code == 2
    assert "did you mean layerNorm_hasFDerivAt:hVarEpsPos" in " ".join(result.stderr.split())


def test_a_mistyped_command_is_refused_with_a_suggestion(harness: Harness) -> None:
    result = harness.run("adit")
    assert result.exit_code == 2
    assert "Did you mean 'audit'?" in result.stderr


def test_nothing_audited_is_incomplete(harness: Harness) -> None:
    harness.says()
    result = harness.run("audit")
    assert result.exit_code == 4
    assert "nothing was audited" in result.stdout
    assert "→ tag a theorem with @[obligation]" in result.stdout


def test_an_obligation_without_a_check_is_incomplete(harness: Harness) -> None:
    harness.says(*layer_norm_statements(), statement("PostNorm.new", binder("hNew", "0 < n")))
    result = harness.run("audit", "--instances", "20")
    assert result.exit_code == 4
    assert "no check is registered for new:hNew" in " ".join(result.stdout.split())
    assert "2 unpaired" in result.stdout
    assert "→ unpaired: Write a check for its key, or waive it" in result.stdout


def test_a_hypothesis_is_judged_next_to_one_without_a_check(harness: Harness) -> None:
    pair = (binder("hVarEpsPos", "0 < v", term="a"), binder("hNew", "0 < n", term="b"))
    harness.says(statement("PostNorm.layerNorm_hasFDerivAt", *pair, module="PostNorm.Layers"))
    report = json.loads(harness.run("audit", "--instances", "20", "--format", "json").stdout)
    verdicts = [o["verdict"] for o in report["obligations"]]
    assert verdicts == ["holds", "unpaired", "inconclusive", "holds"]


def test_a_foreign_axiom_is_a_failure(harness: Harness) -> None:
    harness.says(statement("PostNorm.layerNorm_eval", axioms=["Cheat"]), Cheat="PostNorm.Layers")
    result = harness.run("audit", "--instances", "20")
    assert result.exit_code == 1
    assert "axiom Cheat" in result.stdout


def test_sorry_is_a_failure(harness: Harness) -> None:
    harness.says(statement("PostNorm.layerNorm_eval", axioms=["sorryAx"]), sorryAx="Init.Prelude")
    assert harness.run("audit", "--instances", "20").exit_code == 1


def test_a_replay_line_in_the_table_can_be_copied(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = layer_norm_json()
    next(n for n in wrong["nodes"] if n["name"] == "y")["op"] = "sub"
    Path("a wrong graph.json").write_text(json.dumps(wrong))
    options = ("--graph", "a wrong graph.json", "--instances", "20", "--only", "layerNorm_eval")
    table = harness.run("audit", *options).stdout
    start = table.index("obligations replay")
    command = table[start:].split("\n\n")[0].replace("\\\n", " ")
    assert "\n" not in command.strip()
    assert harness.run(*shlex.split(command)[1:]).exit_code == 1


def test_lean_errors_end_with_3_and_their_place(harness: Harness) -> None:
    bad = LeanMessage("lean/PostNorm/Layers.lean", 3, 7, "error", "unknown identifier 'x'")
    harness.behaves(errors=(bad,))
    result = harness.run("audit")
    assert result.exit_code == 3
    assert "lean/PostNorm/Layers.lean:3:7: unknown identifier 'x'" in result.stderr
    build = harness.run("build")
    assert build.exit_code == 3
    assert "1 failed" in build.stdout


@pytest.mark.parametrize("mode", ["dies-at-start", "dies-at-open", "truncated", "silent", "no-end"])
def test_a_server_that_misbehaves_ends_with_3(harness: Harness, mode: str) -> None:
    harness.behaves(mode=mode)
    result = harness.run("audit", "--timeout", "20")
    assert result.exit_code == 3
    assert "error:" in result.stderr
    assert "Traceback" not in result.output


def test_an_unchanged_library_needs_no_lean(harness: Harness) -> None:
    first = harness.run("list")
    harness.behaves(mode="dies-at-start")
    assert harness.run("list").stdout == first.stdout
    (harness.root / "lean" / "PostNorm" / "Layers.lean").write_text("-- changed\n")
    assert harness.run("list").exit_code == 3
    harness.behaves(mode="honest")
    assert harness.run("list").exit_code == 0
    harness.behaves(mode="dies-at-start", fingerprint="another engine")
    assert harness.run("list").exit_code == 3


def test_a_bad_answer_is_never_cached(harness: Harness) -> None:
    harness.behaves(mode="lost-message")
    assert harness.run("list").exit_code == 3
    harness.behaves(mode="honest")
    assert harness.run("list").exit_code == 0


def test_planted_errors_are_found(harness: Harness) -> None:
    result = harness.run("mutate", "--graph", "layerNormGraph", "--format", "json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert len(report["mutants"]) >= 12
    for mutant in report["mutants"]:
        assert any(c["killed_by"] for c in mutant["families"].values()), mutant["mutant"]
    table = harness.run("mutate", "--graph", "layerNormGraph").stdout
    assert "planted errors are found" in table
    assert harness.run("mutate", "--graph", "nothing").exit_code == 2


def test_no_errors_are_planted_in_a_graph_that_lean_does_not_export(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        mutating, "parse_graphs", lambda _: ({}, {"layerNormGraph": "it has no size dModel"})
    )
    result = harness.run("mutate")
    assert result.exit_code == 2
    assert "Lean exports no graph layerNormGraph: it has no size dModel" in result.stderr


def test_list_shows_every_obligation(harness: Harness) -> None:
    result = harness.run("list")
    assert result.exit_code == 0
    assert "3 theorems, 1 graph, 8 obligations" in result.stdout
    assert "lean/PostNorm/Layers.lean:3" in result.stdout
    found = json.loads(harness.run("list", "--format", "json").stdout)
    assert [o["key"] for o in found][:1] == ["layerNorm_hasFDerivAt:hVarEpsPos"]
    assert all(o["check"] for o in found)


def test_show_prints_a_theorem_and_its_checks(harness: Harness) -> None:
    result = harness.run("show", "layerNorm_hasFDerivAt")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "(hStdNe0 : ∀ row, (layerNormPrefix7 ε).eval ρ row ≠ 0)" in text
    assert "discharged by PostNorm.layerNorm_varEps_pos" in text
    assert "axioms propext" in text
    one = harness.run("show", "layerNorm_hasFDerivAt:hStdNe0").stdout
    assert "layerNorm_hasFDerivAt:hVarEpsPos" not in one
    assert harness.run("show", "nothing").exit_code == 2


def test_show_prints_an_exported_graph(harness: Harness) -> None:
    result = harness.run("show", "layerNormGraph")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "layerNormGraph exported graph" in text
    assert "layerNormGraph:fidelity" in text
    assert "agrees with its closed form in value, JVP and VJP" in text


def test_a_wrong_graph_is_reported_by_its_first_wrong_tensor(
    harness: Harness, tmp_path: Path
) -> None:
    wrong = layer_norm_json(3, 5)
    node = next(n for n in wrong["nodes"] if n["name"] == "centered")
    node["args"].reverse()
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(wrong))
    options = ("--only", "layerNormGraph:fidelity", "--graph", str(path), "--format", "json")
    (found,) = json.loads(harness.run("audit", *options).stdout)["obligations"]
    assert (found["verdict"], found["role"]) == ("fails", "fidelity")
    assert found["reason"].endswith(
        "saved tensor centered against the closed form, those before it agree"
    )
    assert found["counterexample"]["replay"].startswith(
        "obligations replay layerNormGraph:fidelity"
    )


def test_a_conclusion_reports_a_witness_and_the_hypotheses_it_needs(harness: Harness) -> None:
    key = "layerNorm_hasFDerivAt:conclusion"
    before = " ".join(harness.run("show", key).stdout.split())
    assert "not measured yet" in before
    result = harness.run("audit", "--format", "json")
    found = {o["key"]: o for o in json.loads(result.stdout)["obligations"]}
    conclusion = found[key]
    assert 0 < conclusion["accepted"] < conclusion["instances"]
    assert {n["hypothesis"] for n in conclusion["needs"]} == {"hVarEpsPos", "hStdNe0"}
    assert all("of" in n["words"] and n["failed"] > 0 for n in conclusion["needs"])
    again = harness.run(*shlex.split(conclusion["witness"]["replay"])[1:])
    assert again.exit_code == 0
    assert found["layerNorm_hasFDerivAt:hStdNe0"]["witness"] is None
    after = " ".join(harness.run("show", key).stdout.split())
    assert f"every hypothesis holds on {conclusion['accepted']} of 200" in after
    assert "obligations replay layerNorm_hasFDerivAt:conclusion --seed 0" in after
    assert f"without hStdNe0 {conclusion['needs'][1]['words']}" in after


def test_a_small_counterexample_is_searched_saved_and_replayed(
    harness: Harness, tmp_path: Path
) -> None:
    wrong = layer_norm_json(2, 3)
    next(n for n in wrong["nodes"] if n["name"] == "y")["op"] = "sub"
    graph, small = tmp_path / "wrong.json", tmp_path / "small.json"
    graph.write_text(json.dumps(wrong))
    options = ("--graph", str(graph), "--output", str(small))
    result = harness.run("search", "layerNorm_eval:conclusion", *options)
    assert result.exit_code == 1, result.output
    assert "fails at seqLen=2, dModel=3" in result.stdout.replace("\n", " ")
    assert f"obligations replay --instance {small}\n" in result.stdout
    again = harness.run("replay", "--instance", str(small))
    assert again.exit_code == 1
    assert "layerNorm_eval:conclusion" in again.stdout
    assert "value against the closed form" in again.stdout
    other = harness.run("replay", "layerNorm_eval:conclusion", "--instance", str(small))
    assert other.exit_code == 2
    small.write_text("{}")
    assert harness.run("replay", "--instance", str(small)).exit_code == 2


def test_a_search_sees_first_that_its_file_can_be_written(harness: Harness, tmp_path: Path) -> None:
    harness.behaves(mode="dies-at-start")
    path = tmp_path / "nowhere" / "small.json"
    result = harness.run("search", "layerNorm_eval:conclusion", "--output", str(path))
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr


def test_a_search_that_finds_nothing_says_that_it_proves_nothing(harness: Harness) -> None:
    result = harness.run("search", "layerNorm_eval:conclusion", "--examples", "20")
    assert result.exit_code == 0
    assert "that shows nothing" in result.stdout
    assert harness.run("search", "nothing:conclusion").exit_code == 2


def test_side_conditions_are_certified_on_boxes(harness: Harness) -> None:
    options = ("--instances", "24", "--only", "*:hVarEpsPos", "--only", "layerNorm_eval")
    plain = json.loads(harness.run("audit", *options, "--format", "json").stdout)
    assert [o["certificate"] for o in plain["obligations"]] == [None, None, None]
    result = harness.run("audit", *options, "--certify=1e-3", "--format", "json")
    first, second, conclusion = json.loads(result.stdout)["obligations"]
    assert first["verdict"] == second["verdict"] == "certified"
    assert "the whole box of radius 0.001 around each" in first["reason"]
    assert first["certificate"]["radius"] == 1e-3
    assert first["certificate"]["enclosed"] == 24
    assert conclusion["verdict"] == "holds"
    again = harness.run("audit", "-v", "--certify", *options)
    assert again.exit_code == 0
    assert "box of radius 1e-06" in " ".join(again.stdout.split())


def test_certifying_without_python_flint_is_wrong_usage(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    from numeric.interpret import balls

    monkeypatch.setattr(balls, "version", lambda: None)
    result = harness.run("audit", "--certify")
    assert result.exit_code == 2
    assert "pip install 'lean-obligations[rigorous]'" in " ".join(result.stderr.split())


def test_reports_go_to_a_folder(harness: Harness, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    formats = ("--format", "json", "--format", "table")
    result = harness.run("audit", "--instances", "20", *formats, "--output", str(folder))
    assert result.exit_code == 0
    assert sorted(p.name for p in folder.iterdir()) == ["report.json", "report.txt"]
    assert "exit code 0" in result.stdout
    assert harness.run("audit", *formats).exit_code == 2


def test_a_folder_without_a_lakefile(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from bridge.cli.main import group

    result = CliRunner().invoke(group, ["list", "--project", str(tmp_path)])
    assert result.exit_code == 2
    assert "lakefile" in result.stderr


def test_lean_text_cannot_drive_the_terminal(harness: Harness) -> None:
    evil = statement(
        "PostNorm.evil", binder("hEvil", "0 < \x1b[2Jn"), doc="\x1b]0;title\x07 [bold]x"
    )
    harness.says(evil)
    for command in (("audit",), ("list",), ("show", "evil")):
        output = harness.run(*command).output
        assert "\x1b" not in output
        assert "\x07" not in output
        assert "[bold]x" in output or command == ("audit",)
