"""Numbers that do not concern the theorem are reported, and are not evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from bridge.auditing.audit import audit, library_for_audit
from bridge.auditing.binding import why_unbound
from bridge.checking import Check
from bridge.checks.pairing import paired
from bridge.lean.graphs import Family
from bridge.lean.library import Library
from bridge.lean.project import find_project
from bridge.lean.statement import Constant
from bridge.verdict import Role, Verdict
from tests.checks.pairs import pairs
from tests.cli.conftest import Harness

GRAPH, PART = "PostNorm.layerNormGraph", "PostNorm.layerNormPrefix7"
KEY = "layerNorm_eval:conclusion"


def library_of(
    harness: Harness, speaks_of: Iterable[str], *, follows: bool = True, parts: Iterable[str] = ()
) -> Library:
    """LayerNorm's theorems, each unfolding to `Demo.d` and that to the graph it mentions."""
    made = library_for_audit(find_project(harness.root), harness.engine)
    names = (*speaks_of,)
    constants = {n: Constant(n, (), ()) for n in names}
    constants["Demo.d"] = Constant("Demo.d", (), names)
    theorems = tuple(structs.replace(t, uses=("Demo.d",)) for t in made.statements.theorems)
    (family,) = made.graphs.families
    families = (
        structs.replace(family, follows=follows, parts=frozenset({GRAPH, *parts})),
        Family(PART, (), (), True, frozenset({PART})),
    )
    return replace(
        made,
        statements=replace(made.statements, theorems=theorems, constants=constants),
        graphs=replace(made.graphs, families=families),
    )


def judged(library: Library) -> dict[str, tuple[Verdict, str]]:
    report = audit(library, instances=20)
    return {e.obligation.key: (e.verdict, e.reason) for e in report.entries}


def own(check: Check) -> Check:
    """The check as if it were a project's own."""

    def measure(case: object) -> object:
        raise NotImplementedError

    return replace(check, measure=measure)  # type: ignore[arg-type]


def test_a_graph_that_the_statement_unfolds_to_is_the_theorems(harness: Harness) -> None:
    assert judged(library_of(harness, [GRAPH]))[KEY][0] is Verdict.HOLDS


def test_a_theorem_about_another_graph_is_not_judged(harness: Harness) -> None:
    verdict, reason = judged(library_of(harness, [PART]))[KEY]
    assert verdict is Verdict.INCONCLUSIVE
    assert "does not speak of layerNormGraph" in reason
    assert "it speaks of layerNormPrefix7" in reason
    assert "no exported graph" in judged(library_of(harness, ["Demo.other"]))[KEY][1]


def test_a_graph_written_next_to_its_definition_is_not_evidence(
    harness: Harness,
) -> None:
    found = judged(library_of(harness, [GRAPH], follows=False))
    assert {verdict for verdict, _ in found.values()} == {Verdict.INCONCLUSIVE}
    assert "one can change without the other" in found[KEY][1]
    assert "one can change without the other" in found["layerNormGraph:fidelity"][1]


def test_only_our_own_checks_may_run_on_a_graph_made_of_the_theorems(harness: Harness) -> None:
    library = library_of(harness, [PART], parts=[PART])
    (obligation,) = library.find(KEY)
    check = pairs()[KEY]
    assert why_unbound(library, obligation, check) == ""
    assert "does not speak of" in why_unbound(library, obligation, own(check))


def test_an_answer_from_before_says_nothing_about_it(harness: Harness) -> None:
    library = library_for_audit(find_project(harness.root), harness.engine)
    assert library.graphs.families[0].parts is None
    for o in library.obligations:
        assert o.role is Role.FIDELITY or why_unbound(library, o, pairs()[o.key]) == ""


def test_every_check_of_ours_runs_on_a_graph_of_its_theorem() -> None:
    """On Lean's kept answer: ``tests/lean/test_library.py`` fails if the lock is stale."""
    from bridge.auditing.configured import set_up

    library = set_up(Path(__file__).parents[2], engine="lock").library()
    assert all(f.follows and f.parts for f in library.graphs.families)
    found = {
        o.key: why_unbound(library, o, paired(library)[o.key])
        for o in library.obligations
        if o.key in paired(library)
    }
    assert {key: why for key, why in found.items() if why} == {}
    assert len(found) > 200
