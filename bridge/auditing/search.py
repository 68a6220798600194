"""Looks for a small counterexample to one obligation, beyond the families that an audit draws."""

from __future__ import annotations

import importlib.util

import numpy as np

from bridge.checking import CheckRun
from bridge.errors import InvalidInputError
from bridge.progress import Progress, Silent
from numeric.instances.case import Case
from numeric.interpret.interpreter import Interpreter
from numeric.judge.measurement import Outcome

__all__ = ["SearchInterrupted", "counterexample"]


class SearchInterrupted(KeyboardInterrupt):
    """The user stopped a search that had found something; ``case`` is the smallest so far."""

    def __init__(self, case: Case) -> None:
        super().__init__("the search was interrupted")
        self.case = case


def counterexample(
    run: CheckRun, *, examples: int, progress: Progress | None = None
) -> Case | None:
    """The smallest instance found on which every hypothesis holds and the check fails.

    Sizes are those of the given graphs; Hypothesis chooses and shrinks shape, scale, degeneracy and
    entries.

    Raises:
        InvalidInputError: the package ``hypothesis`` is not installed, there is no graph, or the
            check compares two graphs.
        SearchInterrupted: at a keyboard interrupt, if something was found before.
    """
    watcher = progress or Silent()
    check, key = run.check, run.key
    if importlib.util.find_spec("hypothesis") is None:
        raise InvalidInputError(
            "a search needs the package hypothesis, which is not installed",
            remedy="pip install 'lean-obligations[strategies]'",
        )
    if check.beside:
        raise InvalidInputError(
            f"{key} compares two graphs, which a search does not support",
            remedy=f"`obligations audit --only {key}` draws instances for both",
        )
    from numeric.instances.strategies import smallest

    programs = list(
        {id(g): Interpreter(g) for r, g in run.graphs.items() if r.name == check.graph}.values()
    )
    if not programs:
        raise InvalidInputError(
            f"there is no graph {check.graph} to search on", remedy="`obligations graph` lists them"
        )

    failing: list[Case] = []
    tried = 0

    def fails(case: Case) -> bool:
        with np.errstate(all="ignore"):
            if any(h.measure(case).outcome[0] != Outcome.HOLDS for h in run.hypotheses):
                return False
            return bool(check.measure(case).outcome[0] == Outcome.FAILS)

    def bad(case: Case) -> bool:
        nonlocal tried
        tried += 1
        if failing:
            watcher.update("shrinking it", tried, None, unit=key)
        else:
            watcher.update("searching", min(tried, examples), examples, unit=key)
        if not fails(case):
            return False
        failing[:] = [min((*failing, case), key=_size)]
        return True

    try:
        return smallest(programs, bad, key=key, examples=examples, seed=run.seed)
    except KeyboardInterrupt as stop:
        if failing:
            raise SearchInterrupted(failing[0]) from stop
        raise


def _size(case: Case) -> tuple[int, int]:
    """How many numbers an instance has, and how many of them are not 0."""
    inputs = case.batch.inputs.values()
    return sum(x.size for x in inputs), sum(int(np.count_nonzero(x)) for x in inputs)
