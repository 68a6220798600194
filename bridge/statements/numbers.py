"""The way of numbers: a statement about real numbers, evaluated on instances with enclosures.

It can judge arithmetic over a `RealField`, over `PostNorm.Real`, and over Mathlib's ℝ, by the names
of its constants: :mod:`numeric.propositions` evaluates it.  Anything else is named as an obstacle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bridge.checking.result import CheckResult
from bridge.errors import InvalidInputError
from bridge.lean.library import Library
from bridge.lean.statement import Statement
from bridge.statements.choose import Obstacle, Question, Taken, Way
from bridge.statements.instances import Instance, Instances
from bridge.statements.numbers_verdicts import Tried, conclusion_result, hypothesis_result
from bridge.statements.values import Opaque
from numeric.propositions.constants import TermError
from numeric.propositions.draw import Batch, Family, draw
from numeric.propositions.plain import plain
from numeric.propositions.problem import Problem, problem_of
from numeric.propositions.shrink import described, smallest
from numeric.propositions.terms import Theory
from numeric.propositions.trial import Judged, judged_batch, score
from numeric.propositions.truth import CLOSE, FALSE, SAMPLED, TRUE
from numeric.propositions.values import Env

__all__ = ["FAMILIES", "NumbersJudge", "Shown", "replay_in_numbers"]

FAMILIES = frozenset(f.value for f in Family)
"""Names of the families that instances of this way are drawn from."""

SHARES = {
    Family.USUAL: 0.45,
    Family.EXTREME: 0.15,
    Family.EDGE: 0.2,
    Family.BRANCH: 0.2,
    Family.OUTSIDE: 0.25,
}
"""Each family's share of the requested instances; the last families are drawn in addition."""
MUTATED = 24
"""Instances of each family on which mutants of the statement are evaluated."""


@dataclass(frozen=True, slots=True)
class NumbersJudge:
    """Evaluates statements in numbers."""

    @property
    def way(self) -> Way:
        """Numbers."""
        return Way.NUMBERS

    def judge(
        self, library: Library, questions: Sequence[Question], *, seed: int, instances: int
    ) -> Mapping[str, Taken | Obstacle]:
        """See :class:`bridge.statements.choose.Judge`; every theorem is in the answer.

        Results for the same terms in this process are not computed again.
        """
        known = _KNOWN.of(library.theory)
        found = {}
        for q in questions:
            what = (q.declaration, q.keys, seed, instances)
            if what not in known:
                known[what] = _judged(library.theory, q, seed=seed, instances=instances)
            found[q.statement.name] = known[what]
        return found

    def instances(
        self, library: Library, question: Question, *, seed: int, instances: int
    ) -> Instances | Obstacle:
        """See :class:`bridge.statements.instances.Draws`."""
        return _instances(library.theory, question, seed=seed, instances=instances)


class _Known:
    """Results for the statements of the last theory that was judged."""

    def __init__(self) -> None:
        self._theory: Theory | None = None
        self._found: dict[object, Taken | Obstacle] = {}

    def of(self, theory: Theory | None) -> dict[object, Taken | Obstacle]:
        if theory is not self._theory:
            self._theory, self._found = theory, {}
        return self._found


_KNOWN = _Known()


def _obstacle(constant: str, reason: str) -> Obstacle:
    return Obstacle(Way.NUMBERS, constant, reason)


def _judged(
    theory: Theory | None, question: Question, *, seed: int, instances: int
) -> Taken | Obstacle:
    name = question.statement.name
    if theory is None:
        return _obstacle("", "the statement is not known as a term; `obligations lock` keeps it")
    if name in theory.refused:
        return _obstacle("", f"Lean has no term of it: {theory.refused[name]}")
    if name not in theory.theorems:
        return _obstacle("", "Lean exported no term of it")
    try:
        problem = problem_of(theory, theory.theorems[name])
        tried = _tried(problem, question.declaration, seed, instances)
    except TermError as error:
        return _obstacle(error.constant, error.problem)
    except RecursionError:
        return _obstacle("", "its term, or a value that it speaks of, nests too deeply")
    names = _names(problem, question.statement)
    prefix = f"{question.declaration}:"
    results: dict[str, CheckResult] = {
        f"{prefix}{hypothesis}": hypothesis_result(tried, number, problem.hypotheses[number].law)
        for number, hypothesis in enumerate(names)
    }
    results[f"{prefix}conclusion"] = conclusion_result(tried, names)
    missing = [key for key in question.keys if key not in results]
    if missing:
        return _obstacle("", f"its term has no hypothesis {missing[0]}")
    return Taken(results)


def _names(problem: Problem, statement: Statement) -> list[str]:
    """The hypotheses by their names in keys; an inherited field of a structure by its own name."""
    placed: dict[int, list[str]] = {}
    for (place, _), binder in statement.placed_hypotheses.items():
        placed.setdefault(place - 1, []).append(binder.name or f"#{place}")
    found: list[str] = []
    visible = [h for h in problem.hypotheses if not h.silent]
    for level in dict.fromkeys(h.level for h in visible):
        fields = [h.field for h in visible if h.level == level]
        names = placed.get(level, [])
        if len(names) == len(fields) and all(
            not f or f.endswith(n.partition(".")[2]) for n, f in zip(names, fields, strict=True)
        ):
            found += names
            continue
        own = statement.binders[level].name or f"#{level + 1}"
        found += [f"{own}.{field}" if field else own for field in fields]
    return found


def _tried(problem: Problem, key: str, seed: int, instances: int) -> Tried:
    judged: list[Judged] = []
    for family, share in SHARES.items():
        count = max(1, round(share * instances))
        for batch in draw(problem, key, seed, family, range(count)):
            judged.append(judged_batch(problem, batch))
    counting = [j for j in judged if j.batch.family is not Family.OUTSIDE]
    failing = [j for j in counting if j.failing.any()]
    some = [_few(j.batch) for j in judged if j.batch.layout is not None]
    return Tried(
        seed=seed,
        judged=tuple(judged),
        score=score(problem.theory, problem.theorem, some),
        smallest=_counterexample(problem, failing[0]) if failing else None,
    )


def _instances(
    theory: Theory | None, question: Question, *, seed: int, instances: int
) -> Instances | Obstacle:
    name = question.statement.name
    if theory is None or name not in theory.theorems:
        return _obstacle("", "Lean exported no term of it")
    problem = problem_of(theory, theory.theorems[name])
    names = _names(problem, question.statement)
    met, violating = [], []
    try:
        for family, share in SHARES.items():
            count = max(1, round(share * instances))
            for batch in draw(problem, question.declaration, seed, family, range(count)):
                judged = judged_batch(problem, batch)
                if batch.layout is None:
                    continue
                env = batch.layout.env(batch.arrays)
                false = judged.assumed == FALSE
                others = np.sum(judged.assumed >= SAMPLED, axis=0) == len(false) - 1
                one_false = others & (false[: len(names)].sum(axis=0) == 1)
                for row in np.flatnonzero(judged.accepted | one_false):
                    violates = tuple(names[n] for n in np.flatnonzero(false[: len(names), row]))
                    one = _instance(problem, batch, env, int(row), violates)
                    if violates:
                        violating.append(one)
                    elif family is not Family.OUTSIDE:
                        met.append(one)
    except TermError as error:
        return _obstacle(error.constant, error.problem)
    return Instances(tuple(met), tuple(violating))


def _instance(
    problem: Problem, batch: Batch, env: Env, row: int, violates: tuple[str, ...]
) -> Instance:
    layout = batch.layout
    assert layout is not None
    values: dict[str, object] = {}
    for binder, space, value in zip(problem.theorem.binders, layout.spaces, env, strict=True):
        if binder.role == "value" and binder.name and space is not None:
            try:
                values[binder.name] = plain(space, value, row)
            except TermError as error:
                values[binder.name] = Opaque(error.problem)
    words = described(layout, batch.take(np.array([row])).arrays)
    return Instance(batch.family.value, int(batch.indices[row]), values, violates, words)


def _few(batch: Batch) -> Batch:
    return batch.take(np.flatnonzero(batch.indices < MUTATED))


def _counterexample(problem: Problem, judged: Judged) -> tuple[Family, int, str]:
    """The smallest counterexample below the first one of a batch, in words."""
    row = np.flatnonzero(judged.failing)[:1]
    one = judged.batch.take(row)
    small = smallest(problem, one)
    assert one.layout is not None
    assert small.layout is not None
    drawn = described(one.layout, one.arrays)
    words = described(small.layout, small.arrays)
    if words != drawn:
        words += f" (shrunk; drawn: {drawn})"
    return one.family, int(one.indices[0]), words


@dataclass(frozen=True, slots=True)
class Shown:
    """One instance, drawn again.

    Attributes:
        values: the instance in words; None if no sizes fit.
        smallest: the shrunk counterexample; None if it is none.
        hypotheses: the outcome of each, in words.
        conclusion: the outcome of the conclusion, in words.
        holds: whether the obligation holds; None if undecided.
        instance: the values by binder; None if no sizes fit.
    """

    values: str | None
    smallest: str | None
    hypotheses: tuple[tuple[str, str], ...]
    conclusion: str
    holds: bool | None
    instance: Instance | None = None


WORDS = {
    int(TRUE): "holds",
    int(CLOSE): "holds up to rounding",
    int(SAMPLED): "holds on every sample of a ∀",
    int(FALSE): "fails",
}


def replay_in_numbers(
    library: Library, statement: Statement, key: str, *, seed: int, family: str, index: int
) -> Shown:
    """One instance of a theorem, drawn and evaluated again.

    Args:
        library: what Lean says.
        statement: the theorem's statement.
        key: the obligation's key, ``declaration:binder``.
        seed: the seed of the instances.
        family: one of :data:`FAMILIES`.
        index: the index of the instance in its family.

    Raises:
        InvalidInputError: the theorem is not judged in this way.
    """
    theory = library.theory
    theorem = None if theory is None else theory.theorems.get(statement.name)
    if theory is None or theorem is None:
        raise InvalidInputError(
            f"{key} is not evaluated in numbers: Lean has no term of it",
            remedy="`obligations audit -v` says how it is judged",
        )
    declaration, _, binder = key.rpartition(":")
    problem = problem_of(theory, theorem)
    try:
        batch = draw(problem, declaration, seed, Family(family), [index])[0]
        judged = judged_batch(problem, batch)
    except TermError as error:
        raise InvalidInputError(
            f"{key} is not evaluated in numbers: {error}",
            remedy="`obligations audit -v` says how it is judged",
        ) from error
    names = _names(problem, statement)
    if batch.layout is None:
        return Shown(None, None, (), "nothing was drawn: no sizes fit the hypotheses", None)
    codes = [int(c) for c in judged.assumed[: len(names), 0]]
    hypotheses = tuple(
        (name, WORDS.get(code, "is undecided")) for name, code in zip(names, codes, strict=True)
    )
    code = int(judged.concluded[0])
    asked = code if binder == "conclusion" else codes[names.index(binder)]
    fails = bool(judged.failing[0])
    return Shown(
        values=described(batch.layout, batch.arrays),
        smallest=_counterexample(problem, judged)[2] if fails else None,
        hypotheses=hypotheses,
        conclusion=WORDS.get(code, "is undecided"),
        holds=None if SAMPLED > asked > FALSE else asked >= SAMPLED,
        instance=_instance(problem, batch, batch.layout.env(batch.arrays), 0, ()),
    )
