"""Looks for a small counterexample to one obligation, beyond the families that an audit draws."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence

import numpy as np

from bridge.checks import Check, GraphRequest
from bridge.errors import InvalidInputError
from numeric.case import Case
from numeric.graph import Graph
from numeric.interpreter import Interpreter
from numeric.measurement import Outcome

__all__ = ["counterexample"]


def counterexample(
    check: Check,
    hypotheses: Sequence[Check],
    graphs: Mapping[GraphRequest, Graph],
    *,
    key: str,
    examples: int,
    seed: int,
) -> Case | None:
    """The smallest instance found on which every hypothesis holds and the check fails.

    Sizes are those of the graphs given; shape, scale, degeneracy and entries are Hypothesis's to
    choose and to shrink.

    Raises:
        InvalidInputError: the package ``hypothesis`` is not installed, there is no graph, or the
            check compares two graphs.
    """
    if importlib.util.find_spec("hypothesis") is None:
        raise InvalidInputError(
            "a search needs the package hypothesis, which is not installed",
            remedy="pip install 'lean-obligations[strategies]'",
        )
    if check.beside:
        raise InvalidInputError(f"{key} compares two graphs, which a search does not support")
    from numeric.strategies import smallest

    programs = list(
        {id(g): Interpreter(g) for r, g in graphs.items() if r.name == check.graph}.values()
    )
    if not programs:
        raise InvalidInputError(
            f"there is no graph {check.graph} to search on", remedy="`obligations graph` lists them"
        )

    def bad(case: Case) -> bool:
        with np.errstate(all="ignore"):
            if any(h.measure(case).outcome[0] != Outcome.HOLDS for h in hypotheses):
                return False
            return bool(check.measure(case).outcome[0] == Outcome.FAILS)

    return smallest(programs, bad, key=key, examples=examples, seed=seed)
