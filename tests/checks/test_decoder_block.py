"""A sum of exponentials that overflows has no enclosure: its instance is undecided."""

from __future__ import annotations

from bridge.checks.decoder_block import a_token_of_the_memory_is_allowed
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.interpreter import Interpreter
from numeric.judge.measurement import Outcome
from tests.numeric.block_graphs import written


def test_an_overflowing_sum_is_undecided() -> None:
    sizes = {
        "seqLen": 4, "memoryLen": 5, "dModel": 8, "numHeads": 2, "headDim": 4, "dFF": 5,
        "visible": 3,
    }  # fmt: skip
    graph = written("decoderBlockGraph", sizes)
    batch = draw(FAMILIES["generic"], graph, seed=0, key="overflow", indices=range(2))
    batch.inputs["cross.Wq"][1] *= 1e200
    found = a_token_of_the_memory_is_allowed(Case(Interpreter(graph), batch))
    assert found.outcome.tolist() == [Outcome.HOLDS, Outcome.UNDECIDED]
