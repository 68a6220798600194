"""Which method judges a theorem: the first that can read it, otherwise a reason that names the
obstacle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bridge.checking import CheckResult
from bridge.lean.statement import Conclusion, Statement
from bridge.statements.choose import Judge, Obstacle, Question, Taken, Way, choose
from bridge.verdict import Verdict


def theorem(name: str) -> Statement:
    conclusion = Conclusion("1 = 1", "l n1")
    return Statement(name, "Demo", 1, "", True, (), conclusion, (), (), ())


def question(name: str) -> Question:
    return Question(theorem(name), name, (f"{name}:h", f"{name}:conclusion"))


@dataclass
class Scripted:
    """A method that reads some theorems, reports an obstacle in others, and ignores the rest."""

    way: Way
    reads: tuple[str, ...] = ()
    meets: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def judge(self, library: object, questions: Any, *, seed: int, instances: int) -> Any:
        self.asked += [q.statement.name for q in questions]
        found: dict[str, Taken | Obstacle] = {
            name: Obstacle(self.way, constant, f"{constant} has no code")
            for name, constant in self.meets.items()
        }
        for q in questions:
            if q.statement.name in self.reads:
                result = CheckResult(Verdict.HOLDS, self.way.value, instances, instances)
                found[q.statement.name] = Taken(dict.fromkeys(q.keys, result))
        return found


def chosen(*judges: Scripted) -> dict[str, tuple[Way, str]]:
    found = choose(
        cast(Any, None),
        [question("a"), question("b")],
        cast("list[Judge]", judges),
        seed=0,
        instances=5,
    )
    return {key: (p.way, p.reason) for key, p in found.items()}


def test_the_first_method_that_can_read_a_theorem_judges_it() -> None:
    first = Scripted(Way.EXACT, reads=("a",), meets={"b": "Real"})
    second = Scripted(Way.NUMBERS, reads=("a", "b"))
    found = chosen(first, second)
    assert found["a:h"] == (Way.EXACT, "")
    assert found["a:conclusion"] == (Way.EXACT, "")
    assert found["b:h"] == (Way.NUMBERS, "")
    assert second.asked == ["b"], "what one way has judged, the next is not asked about"


def test_if_no_method_can_read_it_every_obstacle_is_named() -> None:
    found = chosen(Scripted(Way.EXACT, meets={"b": "Real"}), Scripted(Way.NUMBERS, reads=("a",)))
    assert found["b:conclusion"] == (Way.UNPAIRED, "exact: Real has no code")


def test_a_theorem_that_no_method_covers_is_unpaired_and_says_so() -> None:
    assert chosen()["a:h"] == (Way.UNPAIRED, "no way to judge such a statement is known")
