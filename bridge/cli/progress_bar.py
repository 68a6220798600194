"""Progress on a terminal, and in a pipe.

On a terminal: a bar for each task, on stderr.  Elsewhere: one plain line when a task has run for a
second, one each minute, and one when it ends, so that a log shows what took the time without being
flooded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bridge.engine import InstallEvent
from bridge.lean.client import printable

__all__ = ["Watch", "watched_install"]

QUIET_SECONDS = 1.0
AGAIN_SECONDS = 60.0


class Watch:
    """Shows progress while it is open; ``quiet`` shows none."""

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self.noted = False  # whether a note was printed
        self._console = console or Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._log = _Log(self._console)
        if self._console.is_terminal and not quiet:
            self._bars = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[amount]}"),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )

    def __enter__(self) -> Watch:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._log.close()

    def note(self, message: str) -> None:
        """Print a separate line."""
        self.noted = True
        if not self._quiet:
            self._console.print(printable(message), markup=False, soft_wrap=True)

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        """Show how far ``task`` is; ``unit`` is ``"B"`` for bytes, else the current item."""
        if self._quiet:
            return
        if self._bars is not None:
            self._show_bar(task, done, total, unit)
        elif total is not None and done >= total:
            self._log.end(task)
        else:
            counted = total is not None and total > 1
            self._log.begin(task, _amount(done, total, unit), counted=counted)

    def end(self, task: str) -> None:
        """End ``task``, however far it was reported to be; nothing if it has ended already."""
        if self._bars is None:
            self._log.end(task)
        elif task in self._tasks:
            self._bars.remove_task(self._tasks.pop(task))

    def _show_bar(self, task: str, done: float, total: float | None, unit: str) -> None:
        assert self._bars is not None
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task(task, total=total, amount="")
        self._bars.update(
            self._tasks[task], completed=done, total=total, amount=_amount(done, total, unit)
        )


@dataclass(slots=True)
class _Task:
    """A running task: its start, how far it is, the timer of its next line, and its thread."""

    begun: float
    amount: str
    timer: threading.Timer
    counted: bool
    thread: int
    shown: bool = False


class _Log:
    """A line when a task has run for a second, updated or not, one each minute, and one at its end.
    A task that begins while another is counted item by item in the same thread is a part of an
    item: it gets no line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, _Task] = {}
        self._lock = threading.Lock()  # timers print from their own threads

    def begin(self, task: str, amount: str, *, counted: bool) -> None:
        with self._lock:
            thread = threading.get_ident()
            if task in self._tasks:
                self._tasks[task].amount = amount
            elif not any(t.counted and t.thread == thread for t in self._tasks.values()):
                timer = self._timer(task, QUIET_SECONDS)
                self._tasks[task] = _Task(time.monotonic(), amount, timer, counted, thread)

    def end(self, task: str) -> None:
        with self._lock:
            known = self._tasks.pop(task, None)
            if known is not None:
                known.timer.cancel()
                if known.shown:
                    self._print(f"{task} {time.monotonic() - known.begun:.1f} s")

    def close(self) -> None:
        with self._lock:
            for known in self._tasks.values():
                known.timer.cancel()
            self._tasks.clear()

    def _timer(self, task: str, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._tell, (task,))
        timer.daemon = True
        timer.start()
        return timer

    def _tell(self, task: str) -> None:
        with self._lock:
            known = self._tasks.get(task)
            if known is None:
                return
            self._print(f"{task} … {known.amount}".strip())
            known.shown = True
            known.timer = self._timer(task, AGAIN_SECONDS)

    def _print(self, line: str) -> None:
        self._console.print(printable(line), markup=False, soft_wrap=True)


def _amount(done: float, total: float | None, unit: str) -> str:
    if unit == "B":
        of = f" of {total / 1e6:.0f}" if total else ""
        return f"{done / 1e6:.0f}{of} MB"
    count = f"{done:.0f} of {total:.0f}" if total is not None and total > 1 else ""
    return f"{count} {printable(unit)}".strip()


_PHASES = {
    "wait": "waiting for another installation",
    "download": "fetching the Lean engine",
    "verify": "verifying the package",
    "unpack": "unpacking",
    "patch": "patching",
    "library": "preparing Lean's library",
    "check": "verifying the result",
    "activate": "putting it in place",
}


@contextmanager
def watched_install(watch: Watch) -> Iterator[Callable[[InstallEvent], None]]:
    """A callback that shows an installation's progress on ``watch``.

    Phases overlap, and not all of them report their end: those still shown when the installation is
    over have ended.
    """
    begun: list[str] = []

    def tell(event: InstallEvent) -> None:
        name = _PHASES.get(event.phase, event.phase)
        if name not in begun:
            begun.append(name)
        watch.update(name, event.done, event.total, unit="B")

    yield tell
    for name in begun:
        watch.end(name)
