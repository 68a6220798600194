"""Documents wait for their turn: no more run at once than there are cores."""

from __future__ import annotations

import threading

import pytest

from bridge.engine.errors import BuildBrokenError
from embedded_lean.batch import _turn


def test_a_document_waits_until_another_has_ended() -> None:
    turns, never, entered = threading.Semaphore(1), threading.Event(), threading.Event()

    def second() -> None:
        with _turn(turns, never):
            entered.set()

    waiting = threading.Thread(target=second)
    with _turn(turns, never):
        waiting.start()
        assert not entered.wait(0.3)
    assert entered.wait(10)
    waiting.join()


def test_one_that_waits_can_be_cancelled() -> None:
    turns, cancelled = threading.Semaphore(1), threading.Event()
    with _turn(turns, threading.Event()):
        cancelled.set()
        with (
            pytest.raises(BuildBrokenError, match="cancelled before it began"),
            _turn(turns, cancelled),
        ):
            raise AssertionError
    assert turns.acquire(blocking=False)  # it took no turn with it


def test_a_turn_is_given_back_after_an_error() -> None:
    turns = threading.Semaphore(1)
    with pytest.raises(KeyError), _turn(turns, threading.Event()):
        raise KeyError
    assert turns.acquire(blocking=False)
