"""Inspecting the project while the rest of an audit runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bridge.auditing.looking import looking
from bridge.errors import AnswerError, EngineError, HijackedError
from bridge.lean.library import Library
from bridge.lean.trust import Trust

LIBRARY = cast(Library, SimpleNamespace(name="library"))
TRUST = cast(Trust, SimpleNamespace(name="trust"))
SECONDS = 30.0


def nothing() -> None:
    """No project code answers for us."""


def raising(error: BaseException) -> Callable[..., Any]:
    def act(*_: object) -> None:
        raise error

    return act


def test_both_run_at_once() -> None:
    looked, asked = threading.Event(), threading.Event()

    def ask() -> Library:
        assert looked.wait(SECONDS)
        asked.set()
        return LIBRARY

    def look(library: Callable[[], Library]) -> Trust:
        looked.set()
        assert asked.wait(SECONDS)
        assert library() is LIBRARY
        return TRUST

    over = threading.Event()
    with looking(nothing, ask, look, over) as (library, found):
        assert library is LIBRARY
        assert found.result(SECONDS) is TRUST
    assert not over.is_set()


def test_no_answer_is_returned_if_project_code_answers_for_us() -> None:
    over, looked = threading.Event(), []

    def ask() -> Library:
        assert over.wait(SECONDS)  # the guard ends the request
        raise EngineError("the build was cancelled")

    guard = raising(HijackedError("Evil answers #export_obligations"))
    with pytest.raises(HijackedError, match="Evil"), looking(guard, ask, looked.append, over):
        pytest.fail("the answer got out")
    assert not looked


def test_a_guard_that_is_slower_than_the_answer_is_waited_for() -> None:
    answered = threading.Event()

    def guard() -> None:
        assert answered.wait(SECONDS)
        raise HijackedError("Evil answers")

    def ask() -> Library:
        answered.set()
        return LIBRARY

    with pytest.raises(HijackedError), looking(guard, ask, raising(KeyError()), threading.Event()):
        pytest.fail("the answer got out")


def test_a_wrong_answer_is_reported_if_nothing_else_gave_it() -> None:
    over, told = threading.Event(), []

    def look(library: Callable[[], Library]) -> None:
        try:
            library()
        except CancelledError as error:
            told.append(error)
            raise

    wrong = raising(AnswerError("malformed"))
    with pytest.raises(AnswerError, match="malformed"), looking(nothing, wrong, look, over):
        pytest.fail("the answer got out")
    assert over.is_set()
    assert len(told) == 1  # the inspection did not wait forever


def test_the_inspection_ends_with_the_block() -> None:
    over, ended = threading.Event(), []

    def look(_library: object) -> None:
        ended.append(over.wait(SECONDS))

    with (
        pytest.raises(KeyboardInterrupt),
        looking(nothing, lambda: LIBRARY, look, over),
    ):
        raise KeyboardInterrupt
    assert ended == [True]


def test_an_error_in_the_inspection_is_the_result() -> None:
    broken = raising(EngineError("a kernel gave no complete answer"))
    with (
        looking(nothing, lambda: LIBRARY, broken, threading.Event()) as (_, found),
        pytest.raises(EngineError, match="no complete answer"),
    ):
        found.result(SECONDS)
