"""The exact way: Lean draws instances of a theorem, and decides its propositions on them.

It can judge theorems over types that a computer can represent, whose propositions Lean can decide;
see ``lean/Obligations/Exact.lean``.  Anything else is named as an obstacle.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bridge.checking import CheckResult
from bridge.errors import AnswerError, EngineError, InvalidInputError
from bridge.lean.answers import AnswerCache
from bridge.lean.client import DEFAULT_TIMEOUT
from bridge.lean.library import Library, answer_key, ask_lean
from bridge.lean.locked_answer import KeptAnswer
from bridge.lean.obligation import Obligation
from bridge.lean.requests import lean_document
from bridge.lean.statement import Statement
from bridge.progress import Progress, Silent
from bridge.statements.choose import Obstacle, Question, Taken, Way
from bridge.statements.exact_answer import (
    Drawn,
    ExactObstacle,
    Found,
    Place,
    Valued,
    parse_instance,
    parse_judged,
    parse_many,
)
from bridge.statements.exact_verdicts import FAMILY, results_of
from bridge.statements.instances import Instance, Instances
from bridge.statements.values import read_value
from bridge.verdict import Verdict

__all__ = ["FAMILY", "ExactJudge", "replay_exactly", "value_of"]

T = TypeVar("T")

SECONDS = 30
"""Seconds for the instances of one theorem."""
_MANY = 8
"""From this many theorems on, two documents are faster than one."""

STARTING = 150.0
"""Seconds for Lean to import the project and to compile an experiment, on a busy machine."""

TOGETHER = 10.0
"""Seconds for each of many theorems: most need less than one."""


def stream_of(seed: int, theorem: str) -> int:
    """The seed of a theorem's instances: 64 bits determined by the audit's seed and its name."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{theorem}".encode()).digest()[:8], "big")


@dataclass(frozen=True, slots=True)
class ExactRequest:
    """A command of ``lean/Obligations/Exact.lean``.

    Attributes:
        imports: root modules of the libraries.
        command: the command without its ``#``.
        wanted: the command's argument, as JSON.
    """

    imports: tuple[str, ...]
    command: str
    wanted: Mapping[str, object]

    @property
    def sections(self) -> tuple[str, ...]:
        """The one part of the answer."""
        return ("exact",)

    def document(self, nonce: str) -> str:
        """The Lean document that asks for it."""
        return lean_document(
            (*self.imports, "Obligations"),
            f'#{self.command} "{nonce}.exact" {_literal(self.wanted)}',
        )


def _literal(value: object) -> str:
    """A value as JSON in a Lean string."""
    return json.dumps(json.dumps(value, ensure_ascii=False), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class ExactJudge:
    """Lets Lean judge theorems exactly.

    Attributes:
        timeout: seconds for Lean to answer.
        use_cache: whether to use a cached answer for the same sources, seed and number.
        may_ask: whether Lean may be asked; else only cached answers count.
        watcher: the callback that receives updates.
    """

    timeout: float = DEFAULT_TIMEOUT
    use_cache: bool = True
    may_ask: bool = True
    watcher: Progress = field(default_factory=Silent)

    @property
    def way(self) -> Way:
        """Exact."""
        return Way.EXACT

    def judge(
        self, library: Library, questions: Sequence[Question], *, seed: int, instances: int
    ) -> Mapping[str, Taken | Obstacle]:
        """See :class:`bridge.statements.choose.Judge`; every theorem is in the answer."""
        if isinstance(library.engine, KeptAnswer):
            why = "Lean was not run, and it is Lean that draws and decides"
            return {q.statement.name: Obstacle(Way.EXACT, "", why) for q in questions}
        over = threading.Event()
        engine = library.engine.until(over)
        if engine is None or len(questions) < _MANY:
            return self._tried(library, questions, seed, instances)
        # Each half in its own document, on its own core.
        ending, middle = replace(library, engine=engine), len(questions) // 2
        with ThreadPoolExecutor(2) as threads:
            try:
                halves = [
                    threads.submit(self._tried, ending, half, seed, instances)
                    for half in (questions[:middle], questions[middle:])
                ]
                return {name: said for half in halves for name, said in half.result().items()}
            except BaseException:
                over.set()
                raise

    def _tried(
        self, library: Library, questions: Sequence[Question], seed: int, instances: int
    ) -> dict[str, Taken | Obstacle]:
        """All in one document, or if Lean breaks, each in its own."""
        try:
            return self._judged(library, questions, seed, instances)
        except EngineError as e:
            if len(questions) == 1:
                return {questions[0].statement.name: _gave_up(questions[0], e)}
        # One theorem may take all of Lean's time or memory, as a definition may count up for ever
        # and nothing stops it: the others are judged without it.
        found: dict[str, Taken | Obstacle] = {}
        for question in questions:
            found.update(self._tried(library, [question], seed, instances))
        return found

    def instances(
        self, library: Library, question: Question, *, seed: int, instances: int
    ) -> Instances | Obstacle:
        """See :class:`bridge.statements.instances.Draws`."""
        name = question.statement.name
        wanted = {
            "name": name,
            "seed": stream_of(seed, name),
            "instances": instances,
            "milliseconds": SECONDS * 1000,
        }
        request = ExactRequest(library.project.roots, "draw_exactly", wanted)
        drawn = self._answer(library, request, parse_many, "drawing values in Lean")
        if drawn is None:
            return Obstacle(Way.EXACT, "", "its values are not drawn yet")
        if isinstance(drawn, ExactObstacle):
            return Obstacle(Way.EXACT, drawn.constant, f"{drawn.constant}: {drawn.why}")
        names = {
            place: b.name or f"#{place[0]}"
            for place, b in question.statement.placed_hypotheses.items()
        }
        return Instances(
            tuple(_with_values(v, names) for v in drawn.met),
            tuple(_with_values(v, names) for v in drawn.violating),
            drawn.remarks,
        )

    def _answer(
        self,
        library: Library,
        request: ExactRequest,
        parse: Callable[[Sequence[object]], T],
        task: str,
        seconds: float = STARTING + SECONDS,
    ) -> T | None:
        """Lean's answer within this many seconds, or fewer if ``timeout`` is less; None if Lean may
        not be asked and no readable answer is kept."""
        if self.may_ask:
            return ask_lean(
                library.project,
                library.engine,
                request,
                lambda answer, _files, _cached: parse(answer["exact"]),
                task=task,
                timeout=min(self.timeout, seconds),
                watcher=self.watcher,
                use_cache=self.use_cache,
            )
        key = answer_key(library.project, library.engine, request)
        known = AnswerCache.default().load(key, library.project.root)
        try:
            return None if known is None else parse(known["exact"])
        except (AnswerError, KeyError):
            return None

    def _judged(
        self, library: Library, questions: Sequence[Question], seed: int, instances: int
    ) -> dict[str, Taken | Obstacle]:
        names = tuple(q.statement.name for q in questions)
        wanted = {
            "instances": instances,
            "milliseconds": SECONDS * 1000,
            "theorems": [{"name": n, "seed": stream_of(seed, n)} for n in names],
        }
        request = ExactRequest(library.project.roots, "judge_exactly", wanted)
        answers = self._answer(
            library,
            request,
            lambda said: parse_judged(said, names),
            "drawing instances in Lean",
            STARTING + max(SECONDS, TOGETHER * len(names)),
        )
        if answers is None:
            return {}
        return {
            q.statement.name: _taken(q, answers[q.statement.name], seed, instances)
            for q in questions
        }


def _taken(
    question: Question, found: Found | ExactObstacle, seed: int, instances: int
) -> Taken | Obstacle:
    if isinstance(found, ExactObstacle):
        return Obstacle(Way.EXACT, found.constant, f"{found.constant}: {found.why}")
    results = results_of(
        question.statement, question.declaration, found, seed=seed, instances=instances
    )
    # Lean does not decide what it does not list, such as a proof in the branches of a tree.
    unlisted = CheckResult(Verdict.INCONCLUSIVE, "it is not judged: nothing decides it", 0, 0)
    return Taken(dict.fromkeys(question.keys, unlisted) | results)


def value_of(drawn: Drawn, index: int) -> Instance:
    """An instance that was drawn again, with its values."""
    values = {name: read_value(text) for name, text in drawn.values.items()}
    return Instance(FAMILY, index, values, (), drawn.text)


def _with_values(valued: Valued, names: Mapping[Place, str]) -> Instance:
    return Instance(
        FAMILY,
        valued.index,
        {name: read_value(text) for name, text in valued.values.items()},
        tuple(names[p] for p, truth in valued.hypotheses.items() if truth in ("no", "unlikely")),
        valued.text,
    )


def _gave_up(question: Question, error: EngineError) -> Taken:
    result = CheckResult(Verdict.INCONCLUSIVE, f"Lean could not finish: {error}", 0, 0)
    return Taken(dict.fromkeys(question.keys, result))


def replay_exactly(
    library: Library,
    statement: Statement,
    obligation: Obligation,
    *,
    seed: int,
    index: int,
    timeout: float = DEFAULT_TIMEOUT,
) -> tuple[Drawn, str]:
    """One instance of a theorem, drawn again, and the truth of one of its obligations on it.

    Raises:
        InvalidInputError: the theorem is not judged in this way.
        EngineError: Lean could not be asked.
    """
    name = statement.name
    wanted = {"name": name, "seed": stream_of(seed, name), "index": index}
    request = ExactRequest(library.project.roots, "replay_exactly", wanted)
    drawn = ask_lean(
        library.project,
        library.engine,
        request,
        lambda answer, _files, _cached: parse_instance(answer["exact"]),
        task="drawing the instance in Lean",
        timeout=timeout,
        watcher=Silent(),
        use_cache=True,
    )
    if isinstance(drawn, ExactObstacle):
        raise InvalidInputError(
            f"{statement.name} has no exact instances: {drawn.constant}: {drawn.why}",
            remedy="`obligations show` says what judges it",
        )
    names = {b.name: place for place, b in statement.placed_hypotheses.items()}
    place = names.get(obligation.binder)
    truth = drawn.conclusion if place is None else drawn.hypotheses.get(place)
    if truth is None:
        raise InvalidInputError(
            f"{obligation.key} is not judged: nothing decides it on an instance",
            remedy=f"replay {obligation.declaration}:conclusion, or waive it in waivers.toml",
        )
    return drawn, truth
