"""Instances of a theorem: drawn, then moved towards its hypotheses, or onto their edge.

Every number follows from the seed, the theorem, the family and the index, and from nothing else:
moving an instance depends on that instance alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from numeric.propositions.branches import between_branches
from numeric.propositions.kinds import DOMAIN, KINDS
from numeric.propositions.layout import Impossible, Layout, laid_out
from numeric.propositions.problem import Hypothesis, Problem
from numeric.propositions.secant import secant
from numeric.propositions.truth import FALSE, SAMPLED, Truth
from numeric.propositions.values import Env
from numeric.streams import Streams

__all__ = ["Batch", "Family", "draw", "kinds_of"]

FloatArray = npt.NDArray[np.float64]
Arrays = list[FloatArray]

GROUP = 8
"""The number of consecutive instances with the same sizes."""
ATTEMPTS = 16
"""The number of attempts to choose sizes before a group counts as one that no sizes fit."""
ROUNDS = 3
PROBES = 24


class Family(StrEnum):
    """How an instance is drawn; the index counts within a family."""

    USUAL = "usual"
    """Numbers of usual sizes, moved to where the hypotheses hold."""
    EXTREME = "extreme"
    """Including zeros, equal entries, large and tiny numbers."""
    EDGE = "edge"
    """One hypothesis is met with equality, if possible."""
    BRANCH = "branch"
    """A comparison of the conclusion, such as that of an if-then-else, is met with equality or
    nearly so, or the instance lies between two of them; every hypothesis is met, if possible."""
    OUTSIDE = "outside"
    """One hypothesis is violated; the others are met, if possible."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Instances of one family that have the same sizes; nothing is drawn if no sizes fit.

    Attributes:
        indices: of the instances.
        layout: None if no sizes fit.
        arrays: one ``(B, *shape)`` for each slot of the layout.
        aimed: the hypothesis whose edge, or outside, an instance was moved to; −1 for none.
    """

    family: Family
    indices: npt.NDArray[np.int64]
    layout: Layout | None
    arrays: tuple[FloatArray, ...]
    aimed: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, rows: npt.NDArray[np.int64]) -> Batch:
        """Some of the instances."""
        arrays = tuple(a[rows] for a in self.arrays)
        return replace(self, indices=self.indices[rows], arrays=arrays, aimed=self.aimed[rows])


def _whole(problem: Problem, h: Hypothesis, layout: Layout) -> bool:
    """Whether a hypothesis mentions only whole numbers."""
    return not any(slot.level in h.mentions for slot in layout.slots)


def _layout(problem: Problem, key: str, seed: int, family: Family, group: int) -> Layout | None:
    """The first sizes, of some attempts, at which no hypothesis about sizes is violated."""
    spare: Layout | None = None
    for attempt in range(ATTEMPTS):
        stream = Streams.of(seed, key, f"{family.value}/sizes/{attempt}", [group])

        def choose(place: str, among: Sequence[int], stream: Streams = stream) -> int:
            return among[int(stream.child(place).below(len(among))[0])]

        try:
            layout = laid_out(problem.evaluator, problem.theorem, choose)
            # Every other group outside violates a hypothesis about sizes, if there is one.
            if _fits(problem, layout) != (family is Family.OUTSIDE and group % 2 == 1):
                return layout
            spare = spare or layout
        except Impossible:
            continue
    return spare if family is Family.OUTSIDE else None


def _fits(problem: Problem, layout: Layout) -> bool:
    env = layout.env([np.zeros((1, *s.shape)) for s in layout.slots])
    whole = [h for h in problem.hypotheses if _whole(problem, h, layout)]
    return all(np.all(problem.assumed(h, layout, env, 1).code >= SAMPLED) for h in whole)


def kinds_of(problem: Problem, layout: Layout, key: str, seed: int) -> dict[str, tuple[str, ...]]:
    """For each slot, the kinds of numbers that meet the hypotheses about it alone.

    If none meets them on half of the instances, those that ever do; if none does, all.
    """
    found = {}
    for position, slot in enumerate(layout.slots):
        alone = [
            h
            for h in problem.hypotheses
            if {s.name for s in layout.slots if s.level in h.mentions} == {slot.name}
        ]
        shares = {}
        for kind in KINDS if alone else ():
            stream = Streams.of(seed, key, f"kinds/{kind}/{slot.name}", range(PROBES))
            arrays = [np.ones((PROBES, *s.shape)) for s in layout.slots]
            arrays[position] = KINDS[kind](stream, slot.shape)
            env = layout.env(arrays)
            met = [
                np.broadcast_to(problem.assumed(h, layout, env, PROBES).code, (PROBES,)) >= SAMPLED
                for h in alone
            ]
            shares[kind] = float(np.mean(np.logical_and.reduce(met)))
        best = tuple(k for k, share in shares.items() if share >= 0.5)
        found[slot.name] = (
            best or tuple(k for k, share in shares.items() if share > 0) or tuple(KINDS)
        )
    return found


def draw(
    problem: Problem, key: str, seed: int, family: Family, indices: Sequence[int]
) -> list[Batch]:
    """The instances ``indices`` of a family, in batches of equal sizes.

    Raises:
        TermError: the theorem has a part that numbers cannot evaluate or draw.
    """
    layouts: dict[tuple[tuple[str, int], ...] | None, Layout | None] = {}
    members: dict[tuple[tuple[str, int], ...] | None, list[int]] = {}
    known: dict[int, Layout | None] = {}
    for index in indices:
        group = index // GROUP
        if group not in known:
            known[group] = _layout(problem, key, seed, family, group)
        layout = known[group]
        sizes = None if layout is None else layout.choices
        layouts.setdefault(sizes, layout)
        members.setdefault(sizes, []).append(index)
    found = []
    for sizes, rows in members.items():
        layout = layouts[sizes]
        at = np.asarray(rows, dtype=np.int64)
        if layout is None:
            found.append(Batch(family, at, None, (), np.full(len(at), -1)))
        else:
            found.append(_Drawing(problem, layout, key, seed, family, at).batch())
    return found


@dataclass(slots=True)
class _Drawing:
    problem: Problem
    layout: Layout
    key: str
    seed: int
    family: Family
    indices: npt.NDArray[np.int64]

    @property
    def streams(self) -> Streams:
        return Streams.of(self.seed, self.key, self.family.value, self.indices)

    def batch(self) -> Batch:
        with np.errstate(all="ignore"):
            arrays = self.drawn()
            arrays = self.repaired(arrays)
            aimed = np.full(len(self.indices), -1, dtype=np.int64)
            if self.family in (Family.EDGE, Family.OUTSIDE):
                arrays, aimed = self.aimed(arrays)
            elif self.family is Family.BRANCH:
                arrays = self.branched(arrays)
        return Batch(self.family, self.indices, self.layout, tuple(arrays), aimed)

    def drawn(self) -> Arrays:
        kinds = kinds_of(self.problem, self.layout, self.key, self.seed)
        found = []
        for slot in self.layout.slots:
            stream = self.streams.child("slot", slot.name)
            apt = kinds[slot.name]
            if self.family is not Family.EXTREME:
                apt = tuple(k for k in apt if k in DOMAIN) or apt
            picked = stream.child("kind").below(len(apt))
            array = np.zeros((len(self.indices), *slot.shape))
            for number, kind in enumerate(apt):
                rows = picked == number
                if rows.any():
                    array[rows] = KINDS[kind](stream.take(np.flatnonzero(rows)), slot.shape)
            found.append(array)
        return found

    def env(self, arrays: Sequence[FloatArray]) -> Env:
        return self.layout.env(arrays)

    def hypothesis(self, h: Hypothesis, arrays: Sequence[FloatArray]) -> Truth:
        truth = self.problem.assumed(h, self.layout, self.env(arrays), len(self.indices))
        shape = (len(self.indices),)
        return Truth(
            np.broadcast_to(truth.code, shape),
            np.broadcast_to(truth.margin, shape),
            np.broadcast_to(truth.slack, shape),
        )

    def slots_of(self, h: Hypothesis) -> list[int]:
        return [
            i for i, s in enumerate(self.layout.slots) if s.level in h.mentions and 0 not in s.shape
        ]

    def repaired(self, arrays: Arrays) -> Arrays:
        """Move instances that violate a hypothesis to where it holds, one hypothesis at a time."""
        hypotheses = self.problem.hypotheses
        for round_ in range(ROUNDS):
            moved = False
            for number, h in enumerate(hypotheses):
                slots = self.slots_of(h)
                if not slots:
                    continue
                truth = self.hypothesis(h, arrays)
                bad = truth.code < SAMPLED
                if not bad.any():
                    continue
                moved = True
                stream = self.streams.child("repair", round_, number)
                # Usual instances lie well inside; some of the others stop on the edge.
                inside = stream.child("inside").uniform() < 0.8
                push = np.where(inside | (self.family is Family.USUAL), 1.0, 0.0)
                target = self.moved(h, slots, arrays, stream, push)
                better = bad & (self.hypothesis(h, target).code >= SAMPLED)
                arrays = _mixed(better, target, arrays)
            if not moved:
                break
        return arrays

    def aimed(self, arrays: Arrays) -> tuple[Arrays, npt.NDArray[np.int64]]:
        """Move each instance to the edge of one hypothesis, or beyond it."""
        hypotheses = [
            (number, h) for number, h in enumerate(self.problem.hypotheses) if self.slots_of(h)
        ]
        aimed = np.full(len(self.indices), -1, dtype=np.int64)
        if not hypotheses:
            return arrays, aimed
        picked = self.streams.child("aim").below(len(hypotheses))
        beyond = self.family is Family.OUTSIDE
        for position, (number, h) in enumerate(hypotheses):
            rows = picked == position
            if not rows.any():
                continue
            stream = self.streams.child("aim", number)
            push = np.full(len(self.indices), -1.0 if beyond else 0.0)
            target = self.moved(h, self.slots_of(h), arrays, stream, push)
            code = self.hypothesis(h, target).code
            there = rows & ((code == FALSE) if beyond else (code >= SAMPLED))
            if not beyond:
                there &= self.others_hold(number, arrays, target)
            arrays = _mixed(there, target, arrays)
            aimed[there] = number
        return arrays, aimed

    def branched(self, arrays: Arrays) -> Arrays:
        """Move each instance to the boundary of a branch, or between two, if this violates none of
        its hypotheses."""
        target = between_branches(self.problem, self.layout, arrays, self.streams.child("branch"))
        return _mixed(self.others_hold(-1, arrays, target), target, arrays)

    def others_hold(self, number: int, before: Arrays, after: Arrays) -> npt.NDArray[np.bool_]:
        """Where a move violates no other hypothesis that held."""
        kept = np.ones(len(self.indices), dtype=bool)
        for other, h in enumerate(self.problem.hypotheses):
            if other != number and self.slots_of(h):
                had = self.hypothesis(h, before).code >= SAMPLED
                kept &= ~had | (self.hypothesis(h, after).code >= SAMPLED)
        return kept

    def moved(
        self,
        h: Hypothesis,
        slots: Sequence[int],
        arrays: Arrays,
        stream: Streams,
        push: FloatArray,
    ) -> Arrays:
        """Solve a hypothesis for equality in one slot of each instance, then take a step.

        ``push`` is 1 for a step to where it holds, −1 for one to where it does not, 0 for none.
        """
        ways = [(slot, scaled) for slot in slots for scaled in (False, True)]
        picked = stream.child("way").below(len(ways))
        found = arrays
        for number, (slot, scaled) in enumerate(ways):
            rows = picked == number
            if rows.any():
                target = self.solved(h, slot, scaled, arrays, stream, push)
                found = _mixed(rows, target, found)
        return found

    def solved(
        self,
        h: Hypothesis,
        slot: int,
        scaled: bool,
        arrays: Arrays,
        stream: Streams,
        push: FloatArray,
    ) -> Arrays:
        """The secant method on the slack, in t that is added to a slot's entries or scales them."""
        base = arrays[slot]
        shape = (-1, *(1 for _ in base.shape[1:]))

        def at(t: FloatArray) -> Arrays:
            step = t.reshape(shape)
            here = list(arrays)
            here[slot] = base * (1.0 + step) if scaled else base + step
            return here

        equation = np.zeros(len(base), dtype=bool)

        def slack(t: FloatArray) -> FloatArray:
            truth = self.hypothesis(h, at(t))
            np.logical_or(equation, truth.margin != truth.slack, out=equation)
            return truth.slack

        after, slope = secant(slack, len(base))
        distance = stream.child("distance").log_uniform(-1.0, 0.5)
        on_edge = self.hypothesis(h, at(after)).code
        direction = np.sign(np.where(np.isfinite(slope), slope, 0.0))
        step = push * distance * direction
        # An equation is met only on its edge; ``≠`` is violated only there.
        step = np.where(equation & ((push > 0) == (on_edge >= SAMPLED)), 0.0, step)
        return at(after + step)


def _mixed(rows: npt.NDArray[np.bool_], a: Arrays, b: Arrays) -> Arrays:
    """The instances ``rows`` from ``a``, the others from ``b``."""
    return [
        np.where(rows.reshape(-1, *(1 for _ in x.shape[1:])), x, y)
        for x, y in zip(a, b, strict=True)
    ]
