"""Strategies draw what they promise, and a planted error shrinks to a small instance that is
kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from numeric.errors import GraphError
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.instances.instance_file import read_instance, write_instance
from numeric.instances.strategies import instances, programs_by_size, smallest
from numeric.judge.fidelity import compare, fidelity
from numeric.judge.measurement import Outcome
from numeric.mutants.planted import PLANTED
from tests.numeric.block_graphs import written
from tests.numeric.graphs import layer_norm

GRAPHS = [layer_norm(4, 8), layer_norm(1, 2), layer_norm(2, 3)]
BLOCKS = [
    written("encoderBlockGraph", dict(zip(names, sizes, strict=True)))
    for names in [("seqLen", "dModel", "numHeads", "headDim", "dFF")]
    for sizes in [(4, 8, 2, 4, 16), (1, 2, 2, 1, 3), (2, 2, 1, 2, 1)]
]


def wrong(graph: Graph, name: str) -> Graph:
    planted = next(p for p in PLANTED[graph.name] if p.mutant.name == name)
    return planted.mutant.apply(graph).graph


def fails(case: Case) -> bool:
    return fidelity(case).count(Outcome.FAILS) > 0


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=instances(GRAPHS))
def test_every_instance_is_well_formed(case: Case) -> None:
    shapes = {n: x.shape[1:] for n, x in case.batch.inputs.items()}
    assert shapes == dict(case.program.graph.input_shapes)
    assert 1e-30 <= case.batch.constants["eps"][0] <= 0.1
    assert np.isfinite(case.run().output).all()
    assert fidelity(case).count(Outcome.FAILS) == 0


@pytest.mark.parametrize(
    "wanted",
    [
        lambda c: np.abs(c.batch.inputs["x"]).max() > 1e6,
        lambda c: np.ptp(c.batch.inputs["x"], axis=-1).max() == 0 and c.batch.inputs["x"].any(),
        lambda c: c.batch.constants["eps"][0] < 1e-20,
        lambda c: 0 < np.abs(c.batch.inputs["x"]).max() < 0.01,
    ],
    ids=["offset", "constant rows", "tiny eps", "small scale"],
)
def test_scale_shape_and_degeneracy_are_reached(wanted: object) -> None:
    assert callable(wanted)
    assert smallest(GRAPHS, wanted, examples=500) is not None


def test_the_smallest_graph_comes_first() -> None:
    from numeric.interpret.interpreter import Interpreter

    order = programs_by_size([Interpreter(g) for g in GRAPHS])
    assert [p.graph.sizes["dModel"] for p in order] == [2, 3, 8]


@pytest.mark.parametrize("name", ["mean − x", "beta1 left out", "mean not subtracted"])
def test_a_planted_error_shrinks_to_a_small_instance(name: str) -> None:
    graphs = [wrong(g, name) for g in GRAPHS]
    found = smallest(graphs, fails)
    assert found is not None
    assert found.program.graph.sizes["dModel"] == 2
    entries = np.concatenate([x.ravel() for x in found.batch.inputs.values()])
    assert np.count_nonzero(entries) <= 4
    again = smallest(graphs, fails)
    assert again is not None
    for name, value in found.batch.inputs.items():
        np.testing.assert_array_equal(value, again.batch.inputs[name])


def test_an_error_of_the_block_is_found_and_made_small() -> None:
    graphs = [wrong(g, "second skip from x") for g in BLOCKS]
    found = smallest(graphs, lambda c: compare(c).first_difference is not None, examples=50)
    assert found is not None
    assert found.program.graph.sizes["dModel"] == 2
    first = compare(found).first_difference
    assert first is not None
    assert first.name == "ffnResidual"


def test_a_right_graph_has_no_counterexample() -> None:
    assert smallest(GRAPHS, fails, examples=60) is None


def test_a_file_gives_the_same_failure_back(tmp_path: Path) -> None:
    found = smallest([wrong(g, "mean − x") for g in GRAPHS], fails, key="k")
    assert found is not None
    path = tmp_path / "small.json"
    write_instance(path, "k", found)
    key, again = read_instance(path)
    assert key == "k"
    before, after = fidelity(found), fidelity(again)
    assert before.outcome[0] == after.outcome[0] == Outcome.FAILS
    assert before.residual[0] == after.residual[0]
    assert before.parts[before.part[0]] == after.parts[after.part[0]]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "obligations-instance/2"},
        {"inputs": {}},
        {"inputs": {"x": [[1.0]], "gamma": [1.0], "beta": "b"}},
        {"constants": {}},
        {"graph": {}},
        {"graph": None},
    ],
)
def test_an_invalid_file_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    found = smallest(GRAPHS, lambda case: True)
    assert found is not None
    path = tmp_path / "bad.json"
    write_instance(path, "k", found)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(GraphError):
        read_instance(path)
    path.write_text("{")
    with pytest.raises(GraphError, match="bad.json"):
        read_instance(path)
