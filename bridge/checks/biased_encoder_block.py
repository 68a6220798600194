"""The check that is special to the encoder block with biases and a mask."""

from __future__ import annotations

from bridge.checking.registry import check
from bridge.checks.measures import with_zeros_is_the_other
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import mutants_of

GRAPH = "biasedEncoderBlockGraph"
SIZES = ("seqLen", "dModel", "numHeads", "headDim", "dFF")
ZEROED = ("bq", "bk", "bv", "bo", "mask")
NOT_SEEN_AT_ZERO = frozenset(
    {"mha.q", "mha.q.bias", "mha.v", "mha.projected", "mha.masked", "mha.maskTurned", "bq", "bk"}
)
"""An error in how these are added, or in what is added, is none where that is 0."""


@check(
    "biasedEncoderBlock_eval_zero:conclusion",
    graph=GRAPH,
    beside="encoderBlockGraph",
    sizes=SIZES,
    rejects=[m for m in mutants_of(GRAPH, "value") if not m.names & NOT_SEEN_AT_ZERO],
)
def biased_block_with_zeros_is_the_plain_block(case: Case) -> Measurement:
    """With all four biases and the mask 0, the graph computes what the exported graph of the block
    without them computes, entry by entry, by rules A and B.

    Both are Lean's; no closed form takes part.
    """
    return with_zeros_is_the_other(case, ZEROED)
