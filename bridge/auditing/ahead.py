"""Measures what the lock keeps while Lean compiles, so that first results come early.

``statements.lock.answer.json.gz`` has Lean's answer to an earlier state of the sources.  Checks run
on its statements and graphs, and results go to the cache, under keys with the graphs' hashes.  So a
result counts only if Lean exports the same graph again; no verdict rests on the lock.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from bridge.auditing.audit import library_for_audit, prepare
from bridge.auditing.judge import MEASURING, measure_ahead
from bridge.checking.store import ResultCache
from bridge.errors import ObligationsError
from bridge.lean.project import Project
from bridge.policy.answer_file import open_kept
from bridge.policy.decisions import Policy
from bridge.progress import Progress
from numeric.backends import Backend

__all__ = ["PATIENCE", "Ahead", "ahead_of_lean", "measure_locked"]

TASK = "measuring what was locked"
_NICE = 5
"""The thread's lower priority: the audit waits for Lean, which keeps most of the cores."""
PATIENCE = 5.0
"""Seconds before it begins.  After a change of one file Lean may need no more, and the results are
in the cache; the thread would delay the others, which share the interpreter with it."""


class _LeanAnsweredError(Exception):
    """What was measured ahead is no longer needed."""


class Ahead:
    """Receives progress of the measuring, and ends it within a check once Lean has answered.

    Attributes:
        over: set once it has.
        begun: whether anything was shown.
    """

    def __init__(self, watcher: Progress) -> None:
        self.over = threading.Event()
        self.begun = False
        self._watcher = watcher

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        """Show only how many obligations are measured."""
        if self.over.is_set():
            raise _LeanAnsweredError
        if task == MEASURING and done:
            self.begun = True
            self._watcher.update(TASK, done, total, unit=unit)

    def note(self, message: str) -> None:
        """Do nothing: the audit will report it."""


@contextmanager
def ahead_of_lean(
    measure: Callable[[Ahead], object] | None, watcher: Progress
) -> Iterator[Callable[[], None]]:
    """Measure in a thread while the block runs, or until what it yields is called; it begins after
    :data:`PATIENCE`.

    Args:
        measure: measures, and reports progress to its argument.  If it raises an `ObligationsError`
            over what is locked, nothing is reported: the audit meets the same error, or it does not
            matter.  Any other exception is noted and does not end the audit.  None measures
            nothing.
        watcher: the callback that receives updates.
    """
    if measure is None:
        yield lambda: None
        return
    ahead = Ahead(watcher)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        running = thread.submit(_measured, measure, ahead)

        def end() -> None:
            ahead.over.set()
            if error := running.exception():
                watcher.note(f"{TASK} ended early: {error!r}")
            if ahead.begun:
                watcher.update(TASK, 1, 1)

        try:
            yield end
        finally:
            ahead.over.set()


def _measured(measure: Callable[[Ahead], object], ahead: Ahead) -> None:
    if ahead.over.wait(PATIENCE):
        return
    if sys.platform == "linux":  # elsewhere threads share the process's priority
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    with contextlib.suppress(ObligationsError, _LeanAnsweredError):
        measure(ahead)


def measure_locked(
    project: Project,
    ahead: Ahead,
    *,
    policy: Policy,
    seed: int,
    instances: int,
    only: Sequence[str] = (),
    certify: float | None = None,
    backend: Backend | None = None,
) -> None:
    """Measure what an audit with these arguments would, if Lean had said what the lock keeps.

    Results go to the cache.

    Args:
        project: the project.
        ahead: receives progress, and stops the measuring.
        policy: the project's policy.
        seed: the seed of the instances.
        instances: how many for each obligation.
        only: keys, declarations or globs; empty means all.
        certify: the radius of the boxes on which side conditions are enclosed, if at all.
        backend: runs graphs instead of numpy.

    Raises:
        EngineError: the lock keeps no answer.
        AnswerError: the answer that it keeps is damaged.
        InvalidInputError: as :func:`bridge.auditing.audit`.
    """
    chosen, context = prepare(
        library_for_audit(project, open_kept(project.root)),
        seed=seed,
        instances=instances,
        only=only,
        policy=replace(policy, lock=None),  # a later change is not stale here
        trust=None,
        results=ResultCache.default(),
        backend=backend,
    )
    context = replace(context, certify=certify, watcher=ahead)
    measure_ahead(chosen, context, until=ahead.over.is_set)
