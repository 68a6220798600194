"""Obligations: keys, roles, and a theorem's status from its axioms."""

from __future__ import annotations

import pytest

from bridge.lean.obligation import classify_axioms, obligations_of
from bridge.lean.statement import parse_statements
from bridge.verdict import LeanStatus, Role
from tests.bridge.answers import answer, binder, statement


def test_keys_drop_the_root_namespace() -> None:
    found = parse_statements(answer(statement("Demo.Layer.norm", binder("hPos", "0 < n"))))
    keys = [o.key for o in obligations_of(found, ["Demo"])]
    assert keys == ["Layer.norm:hPos", "Layer.norm:conclusion"]


def test_names_that_would_clash_keep_their_namespace() -> None:
    found = parse_statements(answer(statement("Demo.norm"), statement("Other.norm")))
    keys = [o.key for o in obligations_of(found, ["Demo", "Other"])]
    assert keys == ["Demo.norm:conclusion", "Other.norm:conclusion"]


def test_a_private_theorem_is_called_as_its_author_calls_it() -> None:
    private = "_private.Demo.Layer.0.Demo.norm"
    found = parse_statements(answer(statement(private, binder("hPos", "0 < n"))))
    keys = [o.key for o in obligations_of(found, ["Demo"])]
    assert keys == ["norm:hPos", "norm:conclusion"]


@pytest.mark.parametrize("other", ["Demo.norm", "_private.Demo.Other.0.Demo.norm"])
def test_private_names_that_would_clash_stay_whole(other: str) -> None:
    private = "_private.Demo.Layer.0.Demo.norm"
    found = parse_statements(answer(statement(other), statement(private)))
    keys = {o.key for o in obligations_of(found, ["Demo"])}
    assert keys == {f"{other}:conclusion", f"{private}:conclusion"}


def test_roles_and_places() -> None:
    found = parse_statements(answer(statement("Demo.t", binder("h", "0 < n"))))
    hypothesis, conclusion = obligations_of(found, ["Demo"])
    assert (hypothesis.role, conclusion.role) == (Role.HYPOTHESIS, Role.CONCLUSION)
    assert hypothesis.lean.status is LeanStatus.ASSUMED
    assert conclusion.lean.status is LeanStatus.PROVED
    assert (hypothesis.statement, conclusion.statement) == ("0 < n", "0 < twice n")


def test_a_discharged_hypothesis_names_its_lemma() -> None:
    lemma = {"binder": "h", "lemma": "Demo.pos", "conditions": ["1 ≤ n"]}
    found = parse_statements(answer(statement("Demo.t", binder("h", "0 < n"), discharges=[lemma])))
    facts = obligations_of(found, ["Demo"])[0].lean
    assert facts.status is LeanStatus.DISCHARGED
    assert facts.discharge is not None
    assert facts.discharge.lemma == "Demo.pos"


@pytest.mark.parametrize(
    ("axiom", "module", "status"),
    [
        ("sorryAx", "Init.Prelude", LeanStatus.SORRY),
        ("Lean.ofReduceBool", "Init.Core", LeanStatus.AXIOM),
        ("Lean.trustCompiler", "Init.Core", LeanStatus.AXIOM),
        ("Demo.cheat", "Demo.Basic", LeanStatus.AXIOM),
        ("StdLemmas.cheat", "StdLemmas.Basic", LeanStatus.AXIOM),
        ("cheat", None, LeanStatus.AXIOM),
        ("propext", "Demo.Basic", LeanStatus.AXIOM),
        ("Nat.le.dest", "Init.Data.Nat.Basic", LeanStatus.PROVED),
        ("Classical.choice", "Init.Prelude", LeanStatus.PROVED),
    ],
)
def test_axioms_decide_the_status(axiom: str, module: str | None, status: LeanStatus) -> None:
    found = parse_statements(answer(statement("Demo.t", axioms=[axiom]), **{axiom: module}))
    (conclusion,) = obligations_of(found, ["Demo"])
    assert conclusion.lean.status is status


def test_an_axiom_tagged_as_an_obligation_is_not_a_theorem() -> None:
    found = parse_statements(answer(statement("Demo.t", theorem=False)))
    assert obligations_of(found, ["Demo"])[0].lean.status is LeanStatus.AXIOM


def test_library_lemmas_are_counted_not_listed() -> None:
    modules = {"propext": "Init.Core", "a": "Std.Data", "b": "Init.X"}
    assert classify_axioms(["propext", "a", "b"], modules) == (("propext",), (), 2)


def test_hypotheses_and_conclusion_have_hashes_of_their_own() -> None:
    first = statement("Demo.t", binder("h", "0 < n", term="one"), binder("k", "n < m", term="two"))
    hashes = {o.statement_hash for o in obligations_of(parse_statements(answer(first)), ["Demo"])}
    assert len(hashes) == 3
