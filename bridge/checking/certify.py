"""Certifies a side condition on every instance of the intended use, and on a box around each.

A check's ``holds`` is about the instances alone, in floating point.  If a hypothesis can be
enclosed in ball arithmetic, `certify` encloses it for every input within the radius, rounding and
functions included; the verdict is ``certified`` only if the enclosure shows it on all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bridge.checking.check_run import CheckRun
from bridge.checking.result import Certificate, CheckResult
from bridge.verdict import Verdict
from numeric.instances.families import FAMILIES
from numeric.interpret import balls

__all__ = ["certifiable", "certify"]

OnProgress = Callable[[int, int], None]


def certifiable(run: CheckRun, result: CheckResult) -> bool:
    """Whether there is something to certify: a hypothesis that holds and can be enclosed."""
    return result.verdict is Verdict.HOLDS and run.check.encloses is not None


def certify(
    run: CheckRun,
    result: CheckResult,
    *,
    instances: int,
    radius: float,
    progress: OnProgress | None = None,
) -> CheckResult:
    """The result, certified if the enclosure shows the hypothesis on every instance's box.

    Args:
        run: the run that gave ``result``.
        instances: the number of instances in that run.
        radius: how far each entry of each input may be from the instance's; constants are exact.
        progress: called with the number of instances done and their total.

    Returns:
        The same result with its certificate; ``holds`` with a reason if a box is not shown to
        satisfy the hypothesis (it may satisfy it nevertheless).
    """
    encloses = run.check.encloses
    assert encloses is not None
    tightest, open_boxes, done = np.inf, 0, 0
    first = ""
    todo = run.shares(instances)
    for name, share in todo.items():
        for chunk in run.chunks(name, share):
            case = run.case(FAMILIES[name], np.arange(chunk.start, chunk.stop))
            low = encloses(case, radius=radius)
            tightest = min(tightest, float(low.min()))
            unknown = np.flatnonzero(~(low > 0))
            open_boxes += len(unknown)
            if len(unknown) and not first:
                first = f"family {name!r}, instance {int(case.batch.indices[unknown[0]])}"
            done += len(case)
            if progress is not None:
                progress(done, sum(todo.values()))
    made = Certificate(radius, balls.PRECISION, done, done - open_boxes, tightest)
    box = f"box of radius {radius:g} around each" if radius else "box of radius 0, itself"
    if open_boxes:
        said = (
            f"not certified: ball arithmetic leaves {open_boxes} of {done} instances open with the "
            f"{box}, first {first}"
        )
        reason = "; ".join(s for s in (result.reason, said) if s)
        return replace(result, reason=reason, certificate=made)
    said = f"enclosed in ball arithmetic on every instance and the whole {box}"
    reason = "; ".join(s for s in (result.reason, said) if s)
    return replace(result, verdict=Verdict.CERTIFIED, reason=reason, certificate=made)
