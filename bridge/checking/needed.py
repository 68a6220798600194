"""How a conclusion fares if one of its hypotheses is violated: is the hypothesis needed?

Nothing here decides a verdict.  A conclusion that fails without a hypothesis shows that the
hypothesis is needed there; one that holds shows that it is not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bridge.checking.registry import Check
from bridge.checking.result import Need
from numeric.instances.case import Case
from numeric.instances.families import Region, families_of
from numeric.judge.measurement import Outcome

__all__ = ["binder_of", "outside_families", "violations"]


def outside_families(hypotheses: Sequence[Check]) -> tuple[str, ...]:
    """The families where hypotheses may be violated: those at the edge of the intended use, and
    those that each hypothesis must reject.  If hypotheses single out families, only the edge
    families among these."""
    refuting = {name for h in hypotheses for name in h.refuted_by}
    sizes = {size for h in hypotheses for size in h.sizes}
    within = {name for h in hypotheses for name in h.within}
    return tuple(
        f.name
        for graph in dict.fromkeys(h.graph for h in hypotheses)
        for f in families_of(graph)
        if f.name in refuting
        or (f.region is Region.EDGE and set(f.needs) <= sizes and (not within or f.name in within))
    )


def binder_of(hypothesis: Check, key: str) -> str:
    """The name of a hypothesis in the theorem of ``key``."""
    declaration = key.rpartition(":")[0]
    for own in hypothesis.keys:
        if own.rpartition(":")[0] == declaration:
            return own.rpartition(":")[2]
    return hypothesis.name


def violations(check: Check, hypotheses: Sequence[Check], case: Case, key: str) -> tuple[Need, ...]:
    """For each hypothesis, how the conclusion fares on the instances that violate it.

    If a derivative may not exist, the conclusion's own measure can be blind, so a check can name
    another one for these instances (`Check.outside`).
    """
    with np.errstate(all="ignore"):
        violated = np.stack([h.measure(case).outcome == Outcome.FAILS for h in hypotheses])
    rows = np.flatnonzero(violated.any(axis=0))
    outcome = np.full(len(case), Outcome.UNDECIDED, dtype=np.int8)
    if len(rows):
        measure = check.outside or check.measure
        with np.errstate(all="ignore"):
            outcome[rows] = measure(case.take(rows)).outcome
    return tuple(
        Need(
            binder_of(hypothesis, key),
            int(np.count_nonzero(where)),
            *(
                int(np.count_nonzero(outcome[where] == result))
                for result in (Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED)
            ),
        )
        for hypothesis, where in zip(hypotheses, violated, strict=True)
    )
