"""Checks that receive a statement's own instances by the names of its binders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, cast

import pytest

from bridge.checking import CheckResult, RegistrationError, check, named, named_checks
from bridge.errors import InvalidInputError
from bridge.policy.decisions import refuse_checks_of_nothing
from bridge.statements.by_name import checked_by_name
from bridge.statements.choose import Obstacle, Pairing, Question, Way
from bridge.statements.instances import Instance, Instances
from bridge.statements.numbers import NumbersJudge
from bridge.statements.values import Opaque
from bridge.verdict import Verdict
from tests.bridge.test_numbers import Known, question, theory

KEY = "step_lt:conclusion"


@pytest.fixture(autouse=True)
def unregistered() -> Iterator[None]:
    """Each test registers its own checks."""
    before = dict(named._NAMED)
    yield
    named._NAMED.clear()
    named._NAMED.update(before)


def instance(index: int, eta: int, *violates: str, **more: object) -> Instance:
    return Instance("exact", index, {"eta": Fraction(eta), **more}, violates, f"eta = {eta}")


class Drawn:
    """A method with its own instances: ten that meet `0 < eta`, and three that violate it."""

    way = Way.EXACT

    def __init__(self, *met: Instance, violating: bool = True) -> None:
        self.met = met or tuple(instance(i, i + 1) for i in range(10))
        self.outside = tuple(instance(i, -i, "hEta") for i in range(3)) if violating else ()

    def judge(self, *_: Any, **__: Any) -> Mapping[str, Any]:
        return {}

    def instances(self, *_: Any, **__: Any) -> Instances | Obstacle:
        return Instances(self.met, self.outside)


def judged(
    key: str = KEY, way: Drawn | None = None, own: Verdict = Verdict.HOLDS, **asked: Any
) -> Pairing:
    statement = cast(Any, type("S", (), {"name": "Demo.step_lt"})())
    found = {key: Pairing(Way.EXACT, "", CheckResult(own, "own", 10, 10))}
    questions = [Question(statement, "step_lt", (key,))]
    ways = [way or Drawn()]
    return checked_by_name(cast(Any, None), questions, found, ways, seed=0, instances=10)[key]


def result(*args: Any, **more: Any) -> tuple[Verdict, str]:
    found = judged(*args, **more).result
    assert found is not None
    return found.verdict, found.reason


def test_a_check_gets_the_drawn_values_by_name_and_judges() -> None:
    seen = []

    @check(KEY)
    def positive(eta: Fraction) -> bool:
        """eta is positive."""
        seen.append(eta)
        return eta > 0

    pairing = judged()
    assert (pairing.way, pairing.check) == (Way.CHECK, "positive")
    assert result() == (Verdict.HOLDS, "")
    assert seen[:10] == [Fraction(i) for i in range(1, 11)]


def test_a_counterexample_is_one_of_the_statements_own_instances() -> None:
    @check(KEY)
    def small(eta: Fraction) -> bool:
        """eta is small."""
        return eta < 7

    found = judged().result
    assert found is not None
    assert (found.verdict, found.reason) == (Verdict.FAILS, "fails on 4 of 10 instances")
    assert found.counterexample is not None
    assert (found.counterexample.family, found.counterexample.index) == ("exact", 6)
    assert found.counterexample.description == "eta = 7"


def test_a_failed_assertion_is_a_no() -> None:
    @check(KEY)
    def small(eta: Fraction) -> bool:
        """eta is small."""
        assert eta < 7
        return True

    assert result()[0] is Verdict.FAILS


def test_a_check_that_never_rejects_is_blind() -> None:
    @check(KEY)
    def always(eta: Fraction) -> bool:
        """For any eta."""
        return True

    verdict, reason = result()
    assert verdict is Verdict.INCONCLUSIVE
    assert reason.startswith("blind: always says yes on all instances, also on 3 that violate")


def test_a_check_must_reject_the_changes_that_it_names() -> None:
    def negated(values: dict[str, object]) -> dict[str, object]:
        return {**values, "eta": -cast(Fraction, values["eta"])}

    def doubled(values: dict[str, object]) -> dict[str, object]:
        return {**values, "eta": 2 * cast(Fraction, values["eta"])}

    def positive(eta: Fraction) -> bool:
        """eta is positive."""
        return eta > 0

    check("a:conclusion", rejects=[negated])(positive)
    check("b:conclusion", rejects=[negated, doubled])(positive)
    assert result("a:conclusion", Drawn(violating=False)) == (Verdict.HOLDS, "")
    verdict, reason = result("b:conclusion", Drawn(violating=False))
    assert verdict is Verdict.INCONCLUSIVE
    assert reason == "blind: positive rejects doubled on none of 10 instances"


@pytest.mark.parametrize(("limit", "verdict"), [(0, Verdict.HOLDS), (-2, Verdict.INCONCLUSIVE)])
def test_a_hypothesis_must_be_rejected_wherever_it_is_violated(
    limit: int, verdict: Verdict
) -> None:
    @check("step_lt:hEta")
    def positive(eta: Fraction) -> bool:
        """eta is positive."""
        return eta > limit

    assert result("step_lt:hEta")[0] is verdict


def test_a_statement_that_fails_fails_regardless_of_the_check() -> None:
    @check(KEY)
    def positive(eta: Fraction) -> bool:
        """eta is positive."""
        return eta > 0

    assert result(own=Verdict.FAILS) == (Verdict.FAILS, "own")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda eta: 1 / (eta - 3), "raised ZeroDivisionError"),
        (lambda eta: "yes" if eta < 0 else ..., "expected True, False or None"),
    ],
)
def test_a_check_that_breaks_is_an_error_with_the_values(
    answer: Callable[[Fraction], object], words: str
) -> None:
    @check(KEY)
    def broken(eta: Fraction) -> object:
        """Breaks."""
        return answer(eta)

    verdict, reason = result()
    assert verdict is Verdict.ERROR
    assert words in reason
    assert "eta = " in reason


def test_values_that_python_does_not_have_are_an_error() -> None:
    @check(KEY)
    def of_function(f: object) -> bool:
        """A function."""
        return True

    met = tuple(instance(i, i, f=Opaque("x ↦ 1 * x + 0")) for i in range(10))
    verdict, reason = result(way=Drawn(*met))
    assert verdict is Verdict.ERROR
    assert "f has no Python value: it is a function on an infinite type" in reason


def test_too_few_instances_and_too_many_open_ones_are_inconclusive() -> None:
    @check(KEY)
    def unsure(eta: Fraction) -> bool | None:
        """Cannot tell where eta is large."""
        return None if eta > 4 else eta > 0

    assert result()[1] == "unsure cannot decide 6 of 10 instances"
    assert result(way=Drawn(instance(0, 1))) == (
        Verdict.INCONCLUSIVE,
        "every hypothesis holds on only 1 instances",
    )


def test_if_no_method_draws_instances_the_obligation_stays_unpaired() -> None:
    @check(KEY)
    def positive(eta: Fraction) -> bool:
        """eta is positive."""
        return eta > 0

    statement = cast(Any, type("S", (), {"name": "Demo.step_lt"})())
    found = {KEY: Pairing(Way.UNPAIRED, "exact: My.secret: it has no code to run")}
    questions = [Question(statement, "step_lt", (KEY,))]
    left = checked_by_name(cast(Any, None), questions, found, [], seed=0, instances=9)[KEY]
    assert left.way is Way.UNPAIRED
    assert left.reason.startswith("the check positive needs instances of the statement; exact: My")


def documented(eta: object) -> bool:
    """Says something."""
    return True


def test_an_invalid_check_by_name_is_refused() -> None:
    check(KEY)(documented)
    with pytest.raises(RegistrationError, match="registered already"):
        check(KEY)(documented)
    with pytest.raises(RegistrationError, match="expected a graph"):
        check("a:conclusion", within=["generic"])(documented)
    with pytest.raises(RegistrationError, match="expected a graph"):
        check("softmaxGraph:fidelity")(documented)
    with pytest.raises(RegistrationError, match="docstring"):
        check("a:conclusion")(lambda eta: True)

    def several(*eta: object) -> bool:
        """Any number of values."""
        return True

    with pytest.raises(RegistrationError, match="named like binders but got 'eta', which"):
        check("a:conclusion")(several)
    assert set(named_checks()) == {KEY}


class Obligations:
    """A library with one theorem, which binds `eta`."""

    obligations = (cast(Any, type("O", (), {"key": KEY})()),)

    def statement_named(self, name: str) -> Any:
        return type("S", (), {"named_values": ("eta", "slope")})() if name == "step_lt" else None


@pytest.mark.parametrize(
    ("key", "parameter", "words", "nearest"),
    [
        ("step_lt:conclusio", "eta", "no obligation is called that", KEY),
        (KEY, "etaa", "asks for 'etaa', and the statement binds no value of that name", "eta"),
        (KEY, "slop", "asks for 'slop'", "slope"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest(
    key: str, parameter: str, words: str, nearest: str
) -> None:
    space: dict[str, Any] = {}
    exec(f'def made({parameter}):\n    """A check."""\n    return True', space)
    space["made"].__module__ = "mine"
    check(key)(space["made"])
    library = cast(Any, Obligations())
    refuse_checks_of_nothing(library, ["others"])
    with pytest.raises(InvalidInputError, match=words) as raised:
        refuse_checks_of_nothing(library, ["mine"])
    assert nearest in raised.value.remedy


def test_instances_of_the_numbers_way_come_as_floats_arrays_and_attributes() -> None:
    library = cast(Any, Known(theory()))

    def drawn(name: str) -> Instances:
        found = NumbersJudge().instances(library, question(name), seed=0, instances=40)
        assert isinstance(found, Instances)
        return found

    decay = drawn("Demo.decay_abs_le")
    assert len(decay.met) >= 20
    for one in decay.met:
        s, w = cast(Any, one.values["s"]), cast(float, one.values["w"])
        assert s.rate > 0
        assert s.decay <= 1
        assert isinstance(w, float)
        assert abs(w - s.rate * s.decay * w) <= abs(w) * (1 + 1e-12)
    assert {v for i in decay.violating for v in i.violates} >= {"s.rate_pos", "hDecay"}
    convex = drawn("Demo.convex_le").met
    for one in convex:
        p, x = cast(Any, one.values["p"]), cast(Any, one.values["x"])
        assert p.shape == x.shape == (one.values["n"],)
        assert abs(p.sum() - 1) < 1e-9
        assert f"n = {one.values['n']}" in one.text
