"""Pieces of a graph compute the same as the whole there, and an error in one place is named."""

from __future__ import annotations

import numpy as np
import pytest

from numeric.graph import GraphError, piece
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.derivative import complex_step
from numeric.interpret.interpreter import Interpreter
from numeric.judge.identities import operations_are_right
from numeric.judge.measurement import Outcome
from numeric.mutants.edits import DerivativeMutant
from tests.numeric.block_graphs import block

GRAPH = block()
SIZE = 5


def case(mutant: DerivativeMutant | None = None) -> Case:
    batch = draw(FAMILIES["generic"], GRAPH, seed=0, key="pieces", indices=range(SIZE))
    return Case(Interpreter(GRAPH) if mutant is None else mutant.apply(GRAPH), batch)


def test_a_prefix_has_what_it_needs_and_computes_the_same() -> None:
    part = case().piece("attnResidual")
    assert list(part.program.graph.input_shapes) == ["x", "Wq", "Wk", "Wv", "Wo"]
    assert set(part.program.graph.symbols) == {"scale"}
    np.testing.assert_array_equal(part.run().output, case().run()["attnResidual"])


def test_a_piece_between_takes_its_start_as_an_input() -> None:
    part = case().piece("ffnResidual", "norm1.y")
    assert list(part.program.graph.input_shapes) == ["norm1.y", "W1", "b1", "W2", "b2"]
    np.testing.assert_array_equal(part.run().output, case().run()["ffnResidual"])
    tangents = part.tangents()
    expected = complex_step(part.output, part.batch.inputs, tangents)
    found = part.program.jvp(part.run(), tangents)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


def test_a_wrong_derivative_stays_in_the_piece_that_has_it() -> None:
    wrong = case(DerivativeMutant("jvp", "ffn.hiddenAct.tanh", 0, "one percent"))
    inside, outside = wrong.piece("ffnResidual", "norm1.y"), wrong.piece("attnResidual")
    for part, same in ((inside, False), (outside, True)):
        right = Case(Interpreter(part.program.graph), part.batch)
        found = part.program.jvp(part.run(), part.tangents())
        expected = right.program.jvp(right.run(), right.tangents())
        assert np.array_equal(found, expected) is same


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(GraphError, match="expected a value named 'nowhere'"):
        piece(GRAPH, "nowhere")
    with pytest.raises(GraphError, match="expected a value named 'nowhere'"):
        piece(GRAPH, "norm2.y", "nowhere")


@pytest.mark.parametrize("node", ["mha.softmax.weights", "norm1.std", "ffn.hiddenAct.cube"])
def test_the_operation_with_a_wrong_derivative_is_named(node: str) -> None:
    assert operations_are_right(case()).count(Outcome.HOLDS) == SIZE
    found = operations_are_right(case(DerivativeMutant("jvp", node, 0, "one in a million")))
    assert found.count(Outcome.FAILS) == SIZE
    assert {found.parts[p] for p in found.part} == {f"derivative of the operation {node}"}
