"""Families, sizes and constants that a project defines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bridge.checking import Check, CheckRun, GraphRequest, check, run_check
from bridge.checking.needed import outside_families
from bridge.checking.registry import RegistrationError
from bridge.verdict import Verdict
from numeric.graph import parse_graph
from numeric.instances import families
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES, Region, define_family, families_of
from numeric.judge.identities import value_matches
from numeric.judge.measurement import Measurement
from numeric.mutants.edits import Edit, GraphMutant

GRAPH: dict[str, Any] = {
    "schema": "obligations-graph/1",
    "name": "scaled",
    "declaration": "Demo.scaled",
    "sizes": {"n": 5},
    "inputs": [{"name": "v", "shape": [5]}],
    "nodes": [
        {
            "op": "scale",
            "args": [0],
            "params": {"c": 2.0, "symbol": "rate"},
            "shape": [5],
            "name": "y",
        }
    ],
    "outputs": [1],
}


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    known = dict(families._BY_NAME)
    yield
    families._BY_NAME.clear()
    families._BY_NAME.update(known)


def rate(stream: Any, inputs: Any) -> Any:
    return stream.uniform((), 3.0, 4.0) * np.abs(inputs["v"]).max(axis=1)


def test_a_graph_with_families_of_its_own_has_no_others() -> None:
    usual = families_of("scaled")
    own = define_family("steep", "a large rate", graphs=["scaled"], constants={"rate": rate})
    assert families_of("scaled") == (own,)
    assert families_of("layerNormGraph") == usual
    assert FAMILIES["steep"] is own


def test_constants_are_drawn_from_the_inputs() -> None:
    own = define_family("steep", "a large rate", graphs=["scaled"], constants={"rate": rate})
    graph = parse_graph(GRAPH)
    batch = draw(own, graph, seed=1, key="k", indices=range(6))
    share = batch.constants["rate"] / np.abs(batch.inputs["v"]).max(axis=1)
    assert np.all((share >= 3.0) & (share <= 4.0))
    alone = draw(own, graph, seed=1, key="k", indices=[4])
    assert alone.constants["rate"][0] == batch.constants["rate"][4]


def test_wrong_families_are_refused() -> None:
    with pytest.raises(ValueError, match="'generic', which there is"):
        define_family("generic", "", graphs=["scaled"])
    with pytest.raises(ValueError, match="the graphs that it is for"):
        define_family("new", "", graphs=[])


def register(sizes: Any, **more: Any) -> dict[str, Check]:
    registry: dict[str, Check] = {}

    @check(
        "scaled_eval:conclusion",
        graph="scaled",
        sizes=sizes,
        rejects=[GraphMutant("three", (Edit("y", constant=3.0),))],
        registry=registry,
        **more,
    )
    def scaled(case: Case) -> Measurement:
        """The value is rate · v."""
        return value_matches(
            "value", case, lambda at: at.batch.constants["rate"][:, None] * at.batch.inputs["v"]
        )

    return registry


def test_a_size_of_ones_own_needs_a_value() -> None:
    with pytest.raises(RegistrationError, match=r"expected sizes among .* but got \['n'\]"):
        register(("n",))
    made = register({"n": 5})["scaled_eval:conclusion"]
    assert made.request(FAMILIES["generic"]) == GraphRequest("scaled", (("n", 5),))


def test_a_check_on_families_of_its_own_is_judged_by_them() -> None:
    define_family("steep", "a large rate", graphs=["scaled"], constants={"rate": rate})
    define_family(
        "flat", "no rate", graphs=["scaled"], region=Region.REFUTING, constants={"rate": rate}
    )
    made = register({"n": 5})["scaled_eval:conclusion"]
    graphs = {GraphRequest("scaled", (("n", 5),)): parse_graph(GRAPH)}
    found = run_check(CheckRun(made, (), graphs, "scaled_eval:conclusion", 0), instances=30)
    assert found.verdict is Verdict.HOLDS, found.reason
    assert [f.family for f in found.families] == ["steep"]


def test_without_a_hypothesis_too_only_ones_own_families_are_drawn() -> None:
    define_family("steep", "a large rate", graphs=["scaled"], constants={"rate": rate})
    define_family("flat", "no rate", graphs=["scaled"], region=Region.REFUTING)
    registry: dict[str, Check] = {}

    @check(
        "scaled_eval:hSteep", graph="scaled", sizes={"n": 5}, refuted_by=["flat"], registry=registry
    )
    def steep(case: Case) -> Measurement:
        """Never measured."""
        raise AssertionError

    assert outside_families(list(registry.values())) == ("flat",)
