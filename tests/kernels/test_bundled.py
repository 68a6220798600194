"""The checkers that a toolchain ships, scripted: they reject, crash, hang or are missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge.kernels.bundled import BundledKernel, find_bundled
from bridge.kernels.export import read_export
from bridge.kernels.interface import KernelBrokeError
from tests.cli.fake import FakeEngine
from tests.kernels.exports import COUNT, SMALL, lines, number

ROOTS = tuple(number(lines(), name) for name in ("sum", "seven", "tree"))
READ = """
import json, sys
path = sys.argv[-1]
first = json.loads(open(path).readline())
if "export_file_path" in first:
    path = first["export_file_path"]
    assert first["unsafe_permit_all_axioms"] and not first["unpermitted_axiom_hard_error"]
content = [json.loads(line) for line in open(path)]
names = {0: ""}
for o in content:
    if "in" in o:
        names[o["in"]] = ".".join(filter(None, (names[o["str"]["pre"]], o["str"]["str"]))) \\
            if "str" in o else names[o["num"]["pre"]] + "." + str(o["num"]["i"])
declared = {names[x["name"]] for o in content for k, d in o.items()
            if k in ("thm", "def", "axiom", "opaque") for x in [d]}
"""
DISLIKES_TREES = READ + "sys.exit('unknown inductive Tree' if 'Tree.label' in declared else 0)\n"


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    path.chmod(0o755)
    return path


def kernel(folder: Path, script: str, *, by_settings: bool = False) -> BundledKernel:
    path = program(folder, "checker", script)
    return BundledKernel(path, "checker", "4.35.0", by_settings=by_settings)


@pytest.mark.parametrize("by_settings", [False, True])
def test_an_export_is_accepted_as_a_whole(tmp_path: Path, by_settings: bool) -> None:
    takes = kernel(tmp_path, READ + "assert len(declared) > 5", by_settings=by_settings)
    answer = takes.check(SMALL, roots=ROOTS, timeout=30)
    assert (answer.accepted, answer.refused, answer.undecided) == (COUNT, {}, 0)


@pytest.mark.parametrize("by_settings", [False, True])
def test_a_refused_theorem_is_found_among_all(tmp_path: Path, by_settings: bool) -> None:
    fussy = kernel(tmp_path, DISLIKES_TREES, by_settings=by_settings)
    answer = fussy.check(SMALL, roots=ROOTS, timeout=30)
    assert answer.refused == {"tree": "not accepted (exit code 1): unknown inductive Tree"}
    below = read_export(SMALL)
    others = below.below(ROOTS[0]) | below.below(ROOTS[1])
    assert answer.accepted == len(others & below.constants.keys())
    assert answer.accepted + answer.undecided + 1 == COUNT


def test_it_is_called_with_its_arguments_before_the_file(tmp_path: Path) -> None:
    path = program(tmp_path, "checker", "import sys; sys.exit(sys.argv[1:-1] != ['--import'])")
    called = BundledKernel(path, "checker", "4.35.0", arguments=("--import",))
    assert called.check(SMALL, roots=ROOTS, timeout=30).accepted == COUNT
    with pytest.raises(KernelBrokeError, match="does not read the export"):
        BundledKernel(path, "checker", "4.35.0").check(SMALL, roots=ROOTS, timeout=30)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import time; time.sleep(60)", "no answer within 2 s"),
        ("import os; os.abort()", "ended early"),
        ("import sys; sys.exit(127)", "ended early"),
        (READ + "sys.exit('usage')", "does not read the export, even without declarations"),
        (READ + "sys.exit({'sum', 'seven', 'tree'} <= declared)", "but not all together"),
    ],
)
def test_one_that_misbehaves_has_no_answer(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(KernelBrokeError, match=said):
        kernel(tmp_path, script).check(SMALL, roots=ROOTS, timeout=2)


def test_a_file_that_is_not_a_program_has_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "checker"
    path.write_bytes(b"\x7fELF")
    with pytest.raises(KernelBrokeError, match="cannot be run"):
        BundledKernel(path, "checker", "4.35.0").check(SMALL, roots=ROOTS, timeout=2)


def test_those_that_are_there_are_found(tmp_path: Path) -> None:
    engine = FakeEngine(tmp_path, lean_version="4.28.0")
    assert find_bundled(engine, tmp_path) == ()
    for name in ("nanoda_bin", "con-leche", "lean4lean", "leanchecker-paranoid", "lean"):
        program(tmp_path, name, "")
    engine = FakeEngine(tmp_path, lean_version="4.28.0", beside=tmp_path)
    found = {k.name: k for k in find_bundled(engine, tmp_path)}
    assert set(found) == {"nanoda", "con-leche", "lean4lean", "leanchecker-paranoid"}
    assert found["nanoda"].by_settings
    assert found["leanchecker-paranoid"].arguments == ("--silent", "--from-export")
    assert found["lean4lean"].arguments == ("--import",)
    assert found["con-leche"].arguments == ()
    assert not found["con-leche"].by_settings
    assert "accept proofs of False" in found["leanchecker-paranoid"].known_bugs
    assert found["con-leche"].known_bugs == ""
    before = found["con-leche"].fingerprint
    program(tmp_path, "con-leche", "pass")
    assert found["con-leche"].fingerprint != before
