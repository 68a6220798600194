"""This repository's theorems, as Lean states them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import pytest

from bridge.auditing.audit import audit
from bridge.auditing.configured import set_up
from bridge.checking.store import ResultCache
from bridge.checks.pairing import forms_of, paired, wanted_graphs
from bridge.engine import Engine
from bridge.lean.graphs import parse_graphs
from bridge.lean.library import Library
from bridge.lean.questions import ask_engine
from bridge.lean.requests import GraphRequest, LibraryRequest
from bridge.lean.statement import parse_statements
from bridge.policy.answer_file import open_kept
from bridge.policy.decisions import current_lock, read_policy
from bridge.policy.lock import drifts
from bridge.policy.settings import read_settings
from bridge.verdict import LeanStatus, Role, Verdict
from numeric.graph import parse_graph
from tests.checks.pairs import FILE as FORMS
from tests.checks.pairs import written as written_forms
from tests.lean.conftest import ROOT
from tests.numeric.block_graphs import WRITTEN, written
from tests.numeric.graphs import layer_norm

pytestmark = pytest.mark.lean

GOOD = (Verdict.HOLDS, Verdict.WAIVED)


def test_the_layer_norm_theorems_ask_for_two_things(library: Library) -> None:
    keys = [o.key for o in library.obligations]
    for theorem in ("layerNorm_hasFDerivAt", "layerNorm_backpropVec_eq_adjoint_fderiv_at"):
        assert [k for k in keys if k.startswith(theorem + ":")] == [
            f"{theorem}:hVarEpsPos",
            f"{theorem}:hStdNe0",
            f"{theorem}:conclusion",
        ]


def test_everything_is_proved_from_the_standard_axioms(library: Library) -> None:
    for o in library.obligations:
        assert o.lean.foreign_axioms == (), o.key
        if o.role is Role.CONCLUSION:
            assert o.lean.status is LeanStatus.PROVED, o.key


def test_every_theorem_begins_with_a_sentence(library: Library) -> None:
    for theorem in library.statements.theorems:
        assert theorem.doc[:1].isupper(), theorem.name
        assert "." in theorem.doc, theorem.name


def test_the_side_conditions_are_discharged_by_a_positive_epsilon(library: Library) -> None:
    found = {o.binder: o for o in library.find("layerNorm_hasFDerivAt")}
    for binder in ("hVarEpsPos", "hStdNe0"):
        discharge = found[binder].lean.discharge
        assert discharge is not None
        assert discharge.conditions == ("0 < ε",)


def test_every_theorem_has_its_place(library: Library) -> None:
    for o in (o for o in library.obligations if o.role is not Role.FIDELITY):
        file = library.project.file_of(o.module)
        assert file is not None
        lines = (library.project.root / file).read_text(encoding="utf-8").splitlines()
        name = o.declaration.rsplit(".", 1)[-1]
        place = " ".join(lines[o.line - 1 : o.line + 12])
        stated = re.match(r"(?:layer|model|token)_theorems (\w+)", place)  # which states several
        assert name.startswith(f"{stated[1]}_") if stated else name in place, o.key


def test_every_check_has_its_obligation_and_its_graph(library: Library) -> None:
    assert set(paired(library)) <= {o.key for o in library.obligations}
    assert library.graphs.refused == {}
    assert len(library.graphs.members) == len(wanted_graphs())


def test_the_forms_are_those_that_the_fast_tests_use(library: Library) -> None:
    found = written_forms(forms_of(library))
    if "UPDATE_FORMS" in os.environ:
        FORMS.write_text(found, encoding="utf-8")
    assert found == FORMS.read_text(encoding="utf-8")


def test_lean_exports_the_graph_that_the_fast_tests_use(library: Library) -> None:
    for request, exported in library.graphs.members.items():
        if request.name == "layerNormGraph":
            sizes = dict(request.sizes)
            ours = layer_norm(sizes["seqLen"], sizes["dModel"])
            theirs = parse_graph(exported)
            assert (theirs.inputs, theirs.nodes) == (ours.inputs, ours.nodes)
            assert (theirs.outputs, theirs.symbols) == (ours.outputs, ours.symbols)
            assert len(theirs.nodes) == 14


def test_the_audit_holds(library: Library) -> None:
    policy = read_policy(ROOT, read_settings(ROOT))
    # Results of `make audit` for the same checks on the same graphs are reused.
    report = audit(library, policy=policy, results=ResultCache.default())
    bad = {e.obligation.key: e.reason for e in report.entries if e.verdict not in GOOD}
    assert not bad
    assert report.exit_code == 0, (report.summary, report.shortfalls)


def test_lean_exports_the_graphs_that_the_fast_tests_use(library: Library) -> None:
    compared = 0
    for request, exported in library.graphs.members.items():
        if request.name in WRITTEN:
            ours = written(request.name, dict(request.sizes))
            theirs = parse_graph(exported)
            assert theirs.inputs == ours.inputs, request
            assert theirs.nodes == ours.nodes, request
            assert (theirs.outputs, theirs.symbols) == (ours.outputs, ours.symbols), request
            compared += 1
    assert compared >= 40


ROWS = (ROOT / "lean" / "README.md").read_text(encoding="utf-8")


def test_every_row_of_the_encoder_block_module_has_its_declaration() -> None:
    """The table in ``lean/README.md`` names declarations that the sources define."""
    rows = re.findall(r"^\| (\d+)(?:–(\d+))? \|.*$", ROWS, flags=re.M)
    numbers = {n for a, b in rows for n in range(int(a), int(b or a) + 1)}
    assert numbers == set(range(1, 24))
    sources = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "lean").rglob("*.lean"))
    for line in re.findall(r"^\| \d.*$", ROWS, flags=re.M):
        names = re.findall(r"`([^`]+)`", line.split("|")[2])
        assert names, line
        for name in names:
            pattern = rf"(?:def|abbrev|theorem|structure) (?:[\w.]+\.)?{name}\b"
            assert re.search(pattern, sources), f"{name} is in the table and not in the sources"


def test_hashes_do_not_collide(library: Library) -> None:
    hashes = {o.statement_hash: o.key for o in library.obligations if o.role is Role.CONCLUSION}
    assert len(hashes) == len(library.statements.theorems)


@dataclass(frozen=True)
class GraphsOnly:
    """The graphs of a request, without the statements."""

    whole: LibraryRequest
    sections: tuple[str, ...] = ("graphs",)

    def document(self, nonce: str) -> str:
        lines = self.whole.document(nonce).splitlines(keepends=True)
        return "".join(x for x in lines if x.startswith(("import ", "#export_graphs")))


def test_a_size_that_a_graph_does_not_have_is_refused(library: Library) -> None:
    wrong = GraphRequest("layerNormGraph", (("seqLength", 3),))
    request = GraphsOnly(LibraryRequest(library.project.roots, (wrong,)))
    answer = ask_engine(library.project.root, library.engine, request)
    refused = parse_graphs(answer["graphs"], (wrong,)).refused
    assert "no size called seqLength" in refused[wrong]


def test_the_library_is_what_was_locked(library: Library) -> None:
    policy = read_policy(ROOT)
    assert policy.lock is not None
    assert drifts(policy.lock, current_lock(library)) == (), "look at it, then `obligations lock`"


def test_the_kept_answer_has_every_sentence_and_place(library: Library) -> None:
    """The page of all theorems is generated from it; the lock does not notice if only a docstring
    changed."""
    kept = parse_statements(open_kept(ROOT).answer["statements"])
    told = [(s.name, s.module, s.doc) for s in kept.theorems]
    assert told == [(s.name, s.module, s.doc) for s in library.statements.theorems], (
        "`obligations lock`, then `python docs/site/theorems.py`"
    )


def test_a_strict_audit_finds_nothing_untagged(lean: Engine) -> None:
    setup = set_up(ROOT)
    trust, library = setup.trust(), setup.library()
    assert trust is not None
    assert setup.policy.left_out(trust, library).untagged == {}
