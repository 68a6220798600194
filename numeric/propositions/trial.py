"""A theorem on its instances: the truth of each hypothesis and of the conclusion.

An instance is a counterexample if every hypothesis is true beyond rounding and the conclusion is
false; if a hypothesis is met only up to rounding, the conclusion must also be false on the whole
box of radius `NEAR` around the instance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from numeric.propositions.constants import TermError
from numeric.propositions.draw import Batch, Family, draw
from numeric.propositions.mutate import Mutant, mutants
from numeric.propositions.problem import Problem, problem_of
from numeric.propositions.terms import Theorem, Theory
from numeric.propositions.truth import CLOSE, FALSE, SAMPLED, TRUE, UNLIKELY, Truth

__all__ = ["Judged", "Score", "judged_batch", "outcomes", "score"]

FloatArray = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Rows = npt.NDArray[np.bool_]

NEAR = 2.0**-30
"""The distance from an instance that meets a hypothesis up to rounding to one that may meet it
exactly, relative to the size of its numbers."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome of a batch; arrays have shape ``(B,)``, those of hypotheses ``(H, B)``.

    Attributes:
        batch: the instances.
        assumed: the truth of each hypothesis.
        concluded: the truth of the conclusion; `UNDECIDED` where nothing was drawn.
        failing: counterexamples.
        margin: how far the conclusion is from false.
    """

    batch: Batch
    assumed: Codes
    concluded: Codes
    failing: Rows
    margin: FloatArray

    @property
    def accepted(self) -> Rows:
        """Where every hypothesis holds, as far as can be decided."""
        return np.asarray(np.all(self.assumed >= SAMPLED, axis=0) & self.drawn)

    @property
    def drawn(self) -> Rows:
        """Where an instance was drawn."""
        return np.full(len(self.batch), self.batch.layout is not None)

    @property
    def held(self) -> Rows:
        """Accepted, and the conclusion holds."""
        return np.asarray(self.accepted & (self.concluded >= SAMPLED))

    @property
    def undecided(self) -> Rows:
        """Accepted, and the conclusion neither holds nor fails; or no hypothesis is false, and one
        is undecided."""
        unclear = ~self.accepted & np.all(self.assumed != FALSE, axis=0) & self.drawn
        return np.asarray((self.accepted & ~self.held & ~self.failing) | unclear)


def _spread(truth: Truth, count: int) -> tuple[Codes, FloatArray]:
    return (
        np.broadcast_to(truth.code, (count,)).astype(np.int8),
        np.broadcast_to(truth.margin, (count,)).astype(np.float64),
    )


def judged_batch(problem: Problem, batch: Batch) -> Judged:
    """Evaluate a theorem on a batch.

    Raises:
        TermError: a part of it cannot be evaluated numerically.
    """
    count, layout = len(batch), batch.layout
    assumed = np.zeros((len(problem.hypotheses), count), dtype=np.int8)
    none = np.zeros(count, dtype=bool)
    if layout is None:
        assumed[:] = FALSE
        code, margin = np.zeros(count, dtype=np.int8), np.zeros(count)
        return Judged(batch, assumed, code, none, margin)
    with np.errstate(all="ignore"):
        env = layout.env(batch.arrays)
        for number, h in enumerate(problem.hypotheses):
            assumed[number], _ = _spread(problem.assumed(h, layout, env, count), count)
        if len(problem.hypotheses) and not np.any(np.all(assumed >= SAMPLED, axis=0)):
            # A conclusion may be meaningless where a hypothesis is false.
            code = np.zeros(count, dtype=np.int8)
            if np.all(np.any(assumed == FALSE, axis=0)):
                try:
                    code, margin = _spread(problem.concluded(env, count), count)
                except TermError:
                    margin = np.zeros(count)
            else:
                margin = np.zeros(count)
            return Judged(batch, assumed, code, none, margin)
        code, margin = _spread(problem.concluded(env, count), count)
        false = code == FALSE
        least = assumed.min(axis=0) if len(assumed) else np.full(count, TRUE)
        failing = false & (least == TRUE)
        close = false & (least == CLOSE)
        if close.any():
            box = layout.env(batch.arrays, NEAR)
            wide, _ = _spread(problem.concluded(box, count), count)
            failing |= close & (wide == FALSE)
    return Judged(batch, assumed, code, failing, margin)


def outcomes(
    problem: Problem, key: str, seed: int, family: Family, indices: Sequence[int]
) -> Iterator[Judged]:
    """Draw instances and judge them, a batch at a time; raises :class:`TermError`."""
    for batch in draw(problem, key, seed, family, indices):
        yield judged_batch(problem, batch)


@dataclass(frozen=True, slots=True)
class Score:
    """How many mutants of a statement its instances distinguish from it.

    Attributes:
        total: mutants that could be evaluated.
        distinguished: those that an instance distinguishes.
        of_conclusion: the same two counts for mutants that change the conclusion.
        survivors: names of the others.
    """

    total: int
    distinguished: int
    of_conclusion: tuple[int, int]
    survivors: tuple[str, ...]

    @property
    def blind(self) -> bool:
        """No mutant makes the conclusion false: not even one that drops a hypothesis."""
        return self.distinguished == 0


def score(theory: Theory, theorem: Theorem, batches: Sequence[Batch]) -> Score:
    """Plant errors in a statement and count those that the instances distinguish.

    An instance distinguishes a mutant if the mutant's hypotheses hold and its conclusion is false,
    or no sample is a witness of it; neither happens to the statement itself on instances that meet
    its hypotheses.
    """
    own_problem = problem_of(theory, theorem)
    counting = []
    for batch in batches:
        try:
            judged = judged_batch(own_problem, batch)
        except TermError:
            continue
        counting.append((batch, ~judged.accepted | judged.held))
    found = [(m, _distinguished(m, counting)) for m in mutants(theory, theorem)]
    decided = [(m, yes) for m, yes in found if yes is not None]
    own = [yes for m, yes in decided if m.of_conclusion]
    return Score(
        total=len(decided),
        distinguished=sum(yes for _, yes in decided),
        of_conclusion=(len(own), sum(own)),
        survivors=tuple(m.name for m, yes in decided if not yes),
    )


def _distinguished(mutant: Mutant, batches: Sequence[tuple[Batch, Rows]]) -> bool | None:
    """Whether an instance that counts distinguishes a mutant; None if none could be evaluated."""
    problem = problem_of(mutant.theory, mutant.theorem)
    if mutant.dropped >= 0:
        left = tuple(h for h in problem.hypotheses if h.level != mutant.dropped)
        problem = replace(problem, hypotheses=left)
    evaluated = False
    for batch, counts in batches:
        try:
            judged = judged_batch(problem, batch)
            if np.any(judged.accepted & (judged.concluded <= UNLIKELY) & counts):
                return True
            evaluated = True
        except TermError:
            continue
    return False if evaluated else None
