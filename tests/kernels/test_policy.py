"""What a kernel accepts and the audit does not: each is an objection, and the theorem is
refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import AnswerError
from bridge.kernels.export import Export, read_export
from bridge.kernels.judging import Findings, findings, with_kernels
from bridge.kernels.lean_text import name_text, quoted
from bridge.kernels.policy import Claim, objections
from bridge.lean.trust import KernelOpinion, Trust
from tests.kernels.exports import (
    SMALL,
    Change,
    addition_redefined,
    another_statement,
    axiom_of_nothing,
    lines,
    theorem_as_axiom,
    theorem_left_out,
    write,
)

OPINION = KernelOpinion("Lean 4.35.0, native", "4.35.0", 50)
THEOREMS = ("sum", "seven", "tree")
HONEST = read_export(SMALL)
NUMBERS = {name: n for n, name in enumerate(HONEST.names)}
PINNED = {
    HONEST.names[n]: c.meaning
    for n, c in HONEST.constants.items()
    if HONEST.names[n].startswith("Nat")
}
OWN = frozenset(NUMBERS[n] for n in THEOREMS)
CLAIMS = tuple(
    Claim(n, NUMBERS[n], HONEST.constants[NUMBERS[n]].type_hash, frozenset()) for n in THEOREMS
)


def judged(export: Export) -> Findings:
    return findings(export, CLAIMS, OPINION, objections(export, CLAIMS, OWN, PINNED))


def changed(change: Change, folder: Path) -> Export:
    return read_export(write(folder / "export.ndjson", change(lines())))


def test_an_honest_export_has_no_objection() -> None:
    assert judged(HONEST).refused == {}
    assert judged(HONEST).refusals == {}


@pytest.mark.parametrize(
    ("change", "refused", "constant", "why"),
    [
        (theorem_as_axiom, {"seven"}, "seven", "as axiom, not as thm"),
        (theorem_left_out, {"seven"}, "seven", "not in the export"),
        (another_statement, {"seven"}, "seven", "states something else"),
        (addition_redefined, {"sum", "seven"}, "Nat.add", "not what Lean's library has"),
    ],
)
def test_a_planted_error_refuses_its_theorems_alone(
    change: Change, refused: set[str], constant: str, why: str, tmp_path: Path
) -> None:
    found = judged(changed(change, tmp_path))
    assert set(found.refused) == refused
    assert set(found.refused.values()) == {constant}
    assert why in found.refusals[constant]


def test_an_axiom_that_lean_did_not_name_refuses_what_rests_on_it(tmp_path: Path) -> None:
    export = changed(axiom_of_nothing, tmp_path)
    own = OWN | {NUMBERS["Tree.label"]}
    found = findings(export, CLAIMS, OPINION, objections(export, CLAIMS, own, PINNED))
    assert found.refused == {"tree": "Tree.label"}


def test_an_unpinned_axiom_is_not_the_librarys(tmp_path: Path) -> None:
    export = changed(axiom_of_nothing, tmp_path)
    found = judged(export)  # no number marks it as the project's own
    assert found.refused == {"tree": "Tree.label"}
    assert found.refusals == {"Tree.label": "it is an axiom that Lean did not name"}


def test_the_constant_at_the_bottom_is_named() -> None:
    reasons: dict[int | str, str] = {
        NUMBERS["Nat.add"]: "no",
        NUMBERS["instAddNat"]: "unknownConstant",
        NUMBERS["sum"]: "unknownConstant",
    }
    found = findings(HONEST, CLAIMS, OPINION, reasons)
    assert found.refusals == {"Nat.add": "no"}
    assert found.refused["sum"] == "Nat.add"
    assert "tree" not in found.refused


def test_trust_says_which_kernel_refuses_what() -> None:
    before = Trust(12, {}, {}, (), {}, (), kernels=(KernelOpinion("own", "4.28.0", 12, "bugs"),))
    assert before.doubt == "bugs"
    found = findings(HONEST, CLAIMS, OPINION, {NUMBERS["sum"]: "invalidProj"})
    after = with_kernels(before, [found])
    assert after.doubt == ""
    assert after.why_refused("sum") == "the kernel refuses sum: Lean 4.35.0, native: invalidProj"
    assert [k.accepted for k in after.further_kernels] == [50]


@pytest.mark.parametrize("text", ["", "no export\n", '{"meta":{}}\n{"ie":0,"app":{"fn":1}}\n'])
def test_a_damaged_export_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "export.ndjson"
    path.write_text(text)
    with pytest.raises(AnswerError, match="damaged"):
        read_export(path)


def test_a_truncated_export_has_fewer_constants(tmp_path: Path) -> None:
    assert len(read_export(write(tmp_path / "x", lines()[:-1])).constants) == 49


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("A", "b'", 1), "A.b'.1"),
        (("un projet",), "«un projet»"),
        (("a.b",), "«a.b»"),
        (("ε₁",), "ε₁"),
        (("λ",), "«λ»"),
        (("A", "x._@", "_hyg", 3), "A.x._@._hyg.3"),
        ((), "[anonymous]"),
    ],
)
def test_names_are_as_lean_prints_them(parts: tuple[str | int, ...], said: str) -> None:
    assert name_text(parts) == said


def test_strings_are_as_lean_quotes_them() -> None:
    assert quoted('a"\n\\é\x01') == '"a\\"\\n\\\\é\\x01"'


def test_two_refused_constants_that_rest_on_each_other_are_one_refusal() -> None:
    """A type and its recursor: neither hides the other, even if no tagged theorem needs them."""
    first, recursor = sorted((NUMBERS["Tree"], NUMBERS["Tree.rec"]))
    reasons = {first: "the kernel derives something else", recursor: "and here"}
    found = findings(HONEST, (), OPINION, reasons)
    assert found.refusals == {HONEST.names[first]: "the kernel derives something else"}
