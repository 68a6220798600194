"""What decides besides the numbers: the kernel, vacuous theorems, waivers, the lock, settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge import engine
from tests.bridge.answers import binder, statement
from tests.cli.conftest import Harness
from tests.cli.fake import layer_norm_statements, trust_answers, trust_end
from tests.numeric.graphs import layer_norm_json

FEW = ("--instances", "20")
EVAL = statement("PostNorm.layerNorm_eval", module="PostNorm.Layers")


def report(harness: Harness, *options: str) -> dict[str, Any]:
    result = harness.run("audit", *FEW, "--format", "json", *options)
    assert result.stdout, result.stderr
    found = dict(json.loads(result.stdout))
    assert found["exit_code"] == result.exit_code
    return found


FAKE = "PostNorm.fake"
WHY = "declaration type mismatch"


def test_a_theorem_that_rests_on_a_refused_constant_is_refused(harness: Harness) -> None:
    theorem = "PostNorm.layerNorm_eval"
    rests = {"kind": "refused", "name": theorem, "constant": FAKE}
    harness.says(EVAL, trust=trust_answers(rests, refused={FAKE: WHY}))
    found = report(harness)
    assert found["exit_code"] == 1
    assert found["trust"]["refusals"] == {FAKE: WHY}
    (conclusion,) = [o for o in found["obligations"] if o["binder"] == "conclusion"]
    assert conclusion["lean"]["status"] == "refused"
    assert conclusion["verdict"] == "holds"  # numbers are judged as usual
    printed = harness.run("audit", *FEW).stdout
    assert f"{FAKE}: {WHY}; {theorem} rests on it" in " ".join(printed.split())
    assert "0 of 1 theorems proved" in printed
    assert harness.run("audit", *FEW, "--no-trust").exit_code == 0


def test_a_refusal_below_no_tagged_theorem_is_a_failure_too(harness: Harness) -> None:
    harness.says(EVAL, trust=trust_answers(refused={FAKE: WHY}))
    found = report(harness)
    assert found["exit_code"] == 1
    assert {o["lean"]["status"] for o in found["obligations"]} <= {"proved", "exported"}


def test_an_answer_about_the_kernel_that_does_not_add_up_is_an_error(harness: Harness) -> None:
    harness.says(EVAL, trust=[trust_end(0, constants=11)])
    result = harness.run("audit", *FEW)
    assert result.exit_code == 3
    assert "does not add up" in result.stderr


def test_modules_that_the_toolchains_checker_refuses_are_not_audited(harness: Harness) -> None:
    harness.says(EVAL)
    harness.behaves(kind="lake", refuses="found a problem in PostNorm.Layers")
    result = harness.run("audit", *FEW)
    assert result.exit_code == 1
    assert "leanchecker: found a problem in PostNorm.Layers" in result.stdout
    harness.behaves(refuses="")
    assert report(harness)["trust"]["checker"] == "leanchecker"
    assert "leanchecker accepted the compiled files too." in harness.run("audit", *FEW).stdout


def test_a_report_says_if_there_was_no_inspection(harness: Harness) -> None:
    assert "The kernel was not asked again" in harness.run("audit", *FEW, "--no-trust").stdout
    assert report(harness, "--no-trust")["trust"] is None
    assert report(harness)["trust"]["constants"] == 12


def test_a_vacuous_theorem_fails(harness: Harness) -> None:
    why = {"kind": "vacuous", "name": "PostNorm.layerNorm_eval", "why": "its conclusion is True"}
    harness.says(EVAL, trust=trust_answers(why))
    found = report(harness)
    assert found["exit_code"] == 1
    assert "its conclusion is True" in found["obligations"][0]["reason"]


@pytest.mark.parametrize("how", ["implemented_by", "extern"])
def test_swapped_code_makes_numbers_worthless_until_waived(harness: Harness, how: str) -> None:
    swap = {"kind": "outside", "name": "PostNorm.quick", "how": how, "module": "PostNorm.Layers"}
    harness.says(EVAL, trust=trust_answers(swap))
    found = report(harness)
    assert found["exit_code"] == 4
    assert "PostNorm.quick" in found["obligations"][0]["reason"]
    (harness.root / "waivers.toml").write_text(
        '[[waiver]]\nkey = "trust:PostNorm.quick"\nreason = "only a faster sum"\n'
    )
    assert report(harness)["exit_code"] == 0


def test_an_axiom_of_a_dependency_that_is_called_as_leans_own_is_foreign(
    harness: Harness,
) -> None:
    theorem = statement("PostNorm.layerNorm_eval", module="PostNorm.Layers", axioms=["Std.cheat"])
    axiom = {"kind": "outside", "name": "Std.cheat", "how": "axiom", "module": "Std.Cheat"}
    harness.says(theorem, trust=trust_answers(axiom), **{"Std.cheat": "Std.Cheat"})
    found = report(harness)
    assert found["obligations"][0]["lean"]["status"] == "axiom"
    assert found["exit_code"] == 1


def test_an_unused_axiom_is_reported_and_untagged_theorems_are_counted(harness: Harness) -> None:
    axiom = {"kind": "outside", "name": "Cheat", "how": "axiom", "module": "PostNorm.Layers"}
    lemma = {"kind": "untagged", "name": "PostNorm.lemma", "module": "PostNorm.Layers"}
    harness.says(EVAL, trust=trust_answers(axiom, lemma))
    result = harness.run("audit", *FEW)
    assert result.exit_code == 0
    assert "Outside the kernel: Cheat (axiom)." in result.stdout
    assert "1 more theorems have hypotheses" in result.stdout
    assert harness.run("list", "--untagged").stdout == "PostNorm.lemma\n"


def test_a_partial_answer_about_trust_is_an_error(harness: Harness) -> None:
    harness.says(EVAL, trust=[trust_end(3)])
    assert harness.run("audit", *FEW).exit_code == 3


def test_a_waiver_covers_what_has_no_check(harness: Harness) -> None:
    harness.says(EVAL, statement("PostNorm.new", binder("hNew", "0 < n")))
    assert report(harness)["summary"] == {"holds": 2, "unpaired": 2}
    path = harness.root / "waivers.toml"
    path.write_text(
        '[[waiver]]\nkey = "new:hNew"\nreason = "obvious"\n'
        '[[waiver]]\nkey = "new:conclusion"\nreason = "not numeric"\n'
    )
    found = report(harness)
    assert found["summary"] == {"holds": 2, "waived": 2}
    assert found["exit_code"] == 0
    assert [o["reason"] for o in found["obligations"]][1:3] == ["obvious", "not numeric"]


@pytest.mark.parametrize("key", ["layerNorm_eval:conclusion", "nothing:conclusion", "trust:Gone"])
def test_a_waiver_that_nothing_needs_is_an_error(harness: Harness, key: str) -> None:
    (harness.root / "waivers.toml").write_text(f'[[waiver]]\nkey = "{key}"\nreason = "old"\n')
    result = harness.run("audit", *FEW)
    assert result.exit_code == 2
    assert key in result.stderr


def changed(term: str, text: str = "0 < twice n") -> dict[str, Any]:
    conclusion = {"type": text, "term": term}
    return statement("PostNorm.layerNorm_eval", module="PostNorm.Layers", conclusion=conclusion)


def test_a_changed_statement_is_stale_until_accepted(harness: Harness) -> None:
    harness.says(changed("old"))
    assert harness.run("lock").exit_code == 0
    assert harness.run("lock", "--check").exit_code == 0
    assert report(harness)["exit_code"] == 0
    harness.says(changed("new"))
    found = report(harness)
    assert found["exit_code"] == 4
    entry, _graph = found["obligations"]
    assert entry["verdict"] == "stale"
    assert "still prints as 0 < twice n" in entry["reason"]
    check = harness.run("lock", "--check")
    assert check.exit_code == 4
    assert "layerNorm_eval:conclusion  statement changed" in check.stdout
    again = harness.run("lock")
    assert again.exit_code == 4
    assert report(harness)["exit_code"] == 4
    key = "layerNorm_eval:conclusion"
    assert harness.run("lock", "--accept", key).exit_code == 2
    assert harness.run("lock", "--accept", key, "--reason", "looked at it").exit_code == 0
    assert report(harness)["exit_code"] == 0
    locked = json.loads((harness.root / "statements.lock.json").read_text())
    assert locked["obligations"][key]["reason"] == "looked at it"


def test_a_waiver_goes_stale_with_what_it_waives(harness: Harness) -> None:
    def says(term: str) -> None:
        conclusion = {"type": "0 < n", "term": term}
        harness.says(EVAL, statement("PostNorm.new", conclusion=conclusion))

    says("old")
    (harness.root / "waivers.toml").write_text(
        '[[waiver]]\nkey = "new:conclusion"\nreason = "not numeric"\n'
    )
    harness.run("lock")
    assert report(harness)["exit_code"] == 0
    says("new")
    assert report(harness)["summary"] == {"holds": 2, "stale": 1}


def test_old_and_new_are_shown(harness: Harness) -> None:
    harness.says(changed("old", "0 < n"))
    harness.run("lock")
    harness.says(changed("new", "0 ≤ n"))
    lines = [line.strip() for line in harness.run("lock", "--check").stdout.splitlines()]
    assert lines[1:3] == ["- 0 < n", "+ 0 ≤ n"]


def test_a_check_with_other_source_code_is_reported_as_such(harness: Harness) -> None:
    """The name is the same before and after: showing it twice would be useless."""
    assert harness.run("lock").exit_code == 0
    path = harness.root / "statements.lock.json"
    lock = json.loads(path.read_text("utf-8"))
    lock["obligations"]["layerNorm_eval:conclusion"]["check_hash"] = "0" * 64
    path.write_text(json.dumps(lock), "utf-8")
    result = harness.run("lock", "--check")
    assert result.exit_code == 4
    assert "layerNorm_eval:conclusion  check changed" in result.stdout
    assert "has other source code" in result.stdout


def test_a_changed_definition_is_named(harness: Harness) -> None:
    def says(body: str) -> None:
        uses = statement("PostNorm.layerNorm_eval", module="PostNorm.Layers", uses=["clamp"])
        definition = {"kind": "constant", "name": "clamp", "terms": ["t", body], "uses": []}
        harness.says(uses, definition)

    says("max x 0")
    harness.run("lock")
    says("max x 1")
    entry, _graph = report(harness)["obligations"]
    assert entry["verdict"] == "stale"
    assert "clamp" in entry["reason"]


def test_the_lock_needs_something_to_compare(harness: Harness) -> None:
    assert harness.run("lock", "--check").exit_code == 2
    harness.run("lock")
    assert harness.run("lock", "--accept", "nothing", "--reason", "x").exit_code == 2
    unchanged = harness.run("lock", "--accept", "layerNorm_eval:conclusion", "--reason", "x")
    assert unchanged.exit_code == 2
    assert "did not change" in unchanged.stderr


def test_settings_are_used_and_the_command_line_wins(harness: Harness) -> None:
    (harness.root / "obligations.toml").write_text('seed = 7\nonly = ["layerNorm_eval"]\n')
    found = report(harness)
    assert found["seed"] == 7
    assert len(found["obligations"]) == 1
    assert report(harness, "--seed", "0")["seed"] == 0
    assert len(report(harness, "--only", "*:hStdNe0")["obligations"]) == 2


def test_a_wrong_setting_is_wrong_usage(harness: Harness) -> None:
    (harness.root / "obligations.toml").write_text("sed = 7\n")
    result = harness.run("audit")
    assert result.exit_code == 2
    assert "did you mean seed?" in result.stderr


CHECKS = '''
import numpy as np
from bridge.checks import check
from numeric.measurement import Measurement
from numeric.mutants import Edit, GraphMutant

@check(
    "own_theorem:conclusion",
    graph="layerNormGraph",
    sizes=("seqLen", "dModel"),
    rejects=(GraphMutant("beta subtracted", (Edit("y", op="sub"),)),),
)
def own(case):
    """A check that the project brings along."""
    from numeric.identities import value_matches
    from numeric.closed_forms import layer_norm
    i, c = case.batch.inputs, case.batch.constants
    return value_matches(
        "value", case, lambda at: layer_norm.forward(
            at.batch.inputs["x"], at.batch.inputs["gamma"], at.batch.inputs["beta"],
            at.batch.constants["eps"],
        )
    )
'''


def test_a_project_brings_its_own_checks(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    from bridge.checking import registry

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry.registered()))
    harness.says(statement("PostNorm.own_theorem", module="PostNorm.Layers"))
    assert report(harness)["summary"] == {"holds": 1, "unpaired": 1}
    (harness.root / "own_checks.py").write_text(CHECKS)
    (harness.root / "obligations.toml").write_text('checks = ["own_checks.py"]\n')
    assert report(harness)["summary"] == {"holds": 2}


@pytest.mark.parametrize("name", ["gone.py", "no_such_module_anywhere"])
def test_missing_checks(harness: Harness, name: str) -> None:
    (harness.root / "obligations.toml").write_text(f'checks = ["{name}"]\n')
    result = harness.run("audit")
    assert result.exit_code == 2
    assert name in result.stderr


def test_counterexamples_are_replayed_from_the_report(harness: Harness, tmp_path: Path) -> None:
    wrong = layer_norm_json()
    next(n for n in wrong["nodes"] if n["name"] == "y")["op"] = "sub"
    graph, folder = tmp_path / "wrong.json", tmp_path / "reports"
    graph.write_text(json.dumps(wrong))
    options = ("--graph", str(graph), "--format", "json", "--output", str(folder))
    assert harness.run("audit", *FEW, "--only", "layerNorm_eval", *options).exit_code == 1
    replay = ("replay", "--report", str(folder / "report.json"), "--graph", str(graph))
    result = harness.run(*replay)
    assert result.exit_code == 1
    assert "layerNorm_eval:conclusion" in result.stdout
    harness.says(changed("another"), *layer_norm_statements()[:2])
    again = harness.run(*replay)
    assert "is not the one of the report" in again.stdout
    assert harness.run("replay", "--report", str(graph)).exit_code == 2
    assert harness.run("replay", "layerNorm_eval:conclusion").exit_code == 2


def test_private_constants_are_called_as_their_authors_call_them(harness: Harness) -> None:
    private = "_private.PostNorm.Layers.0.PostNorm.fake"
    rests = {"kind": "refused", "name": "PostNorm.layerNorm_eval", "constant": private}
    odd = {"kind": "outside", "name": private, "how": "axiom", "module": "PostNorm.Layers"}
    harness.says(EVAL, trust=trust_answers(odd, rests, refused={private: WHY}))
    printed = " ".join(harness.run("audit", *FEW).stdout.split())
    assert "PostNorm.fake: declaration type mismatch" in printed
    assert "Outside the kernel: PostNorm.fake (axiom)." in printed
    assert "_private" not in printed


@pytest.mark.parametrize("named", ["leanprover/lean4:v4.27.0", None])
def test_a_project_for_another_lean_is_incomplete(named: str | None, harness: Harness) -> None:
    harness.says(EVAL)
    assert report(harness)["exit_code"] == 0
    path = harness.root / "lean-toolchain"
    path.unlink() if named is None else path.write_text(named)
    for only in ((), ("--only", "layerNorm_eval")):
        assert report(harness, *only)["exit_code"] == 4
    assert "Lean 4.28.0 was run" in " ".join(harness.run("audit", *FEW).stdout.split())


def test_doctor_says_that_another_lean_is_expected(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "select", lambda *_a, **_k: harness.engine)
    assert "cannot tell" not in harness.run("doctor").stdout
    (harness.root / "lean-toolchain").write_text("leanprover/lean4:v4.27.0")
    said = " ".join(harness.run("doctor").stdout.split())
    assert "cannot tell whether Lean 4.27.0, which lean-toolchain names, says the same" in said
