"""One process of Lean's own file worker, which serves one open source."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.engine.processes import exit_reason, tied
from embedded_lean.frames import FrameError, Message, encode_frame, read_frame
from embedded_lean.runtime import (
    Invocation,
    exit_report,
    explain_end,
    fatal_text,
    is_chatter,
    memory_report,
)

__all__ = ["Ended", "Worker"]

_STREAM_LIMIT = 1 << 20
_LAST_WORDS = 6
# Lean's worker leaves with this code where the imports changed and it wants to be started again.
RESTART_CODE = 2


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended by itself: its exit code, and why, for people."""

    code: int
    reason: str


@dataclass(slots=True, eq=False)
class Worker:
    """A running worker.  `start` makes one.

    Attributes:
        label: what it was started for; a worker serves only sources with this label.
        process: its process.
        on_message: called with every message of the worker.
        on_end: called once when it ends without having been killed by `kill`.
        pending: requests it has not answered yet, by their number.
        memory_mb: size of Lean's memory when it last told.
        killed: whether it is gone, or about to go.
    """

    label: object
    process: asyncio.subprocess.Process
    on_message: Callable[[Worker, Message], None]
    on_end: Callable[[Worker, Ended], None]
    pending: dict[object, Message] = field(default_factory=dict)
    memory_mb: int = 0
    killed: bool = False
    _exit_code: int | None = None
    _last_words: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_WORDS))
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    async def start(
        cls,
        invocation: Invocation,
        label: object,
        initialize: Message,
        on_message: Callable[[Worker, Message], None],
        on_end: Callable[[Worker, Ended], None],
    ) -> Worker:
        """Start a worker and hand it the client's `initialize` request.

        Raises:
            OSError: the process could not be started.
        """
        process = await asyncio.create_subprocess_exec(
            *tied(invocation.command, invocation.env),
            cwd=invocation.cwd,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_STREAM_LIMIT,
        )
        worker = cls(label, process, on_message, on_end)
        complaints = asyncio.create_task(worker._read_complaints())
        worker._tasks = [complaints, asyncio.create_task(worker._read_messages(complaints))]
        worker.send(initialize)
        worker.pending.clear()  # the client has its answer to `initialize` already
        return worker

    def send(self, message: Message) -> None:
        """Send a message; it is dropped where the worker is gone, which `on_end` tells."""
        if "id" in message and "method" in message:
            self.pending[message["id"]] = message
        if self.process.stdin is not None and not self.process.stdin.is_closing():
            self.process.stdin.write(encode_frame(message))

    def kill(self) -> None:
        """End it; `on_end` is not called."""
        self.killed = True
        if self.process.returncode is None:
            self.process.kill()

    async def wait(self) -> None:
        """Wait until it is gone, and everything it wrote is read."""
        await self.process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read_messages(self, complaints: asyncio.Task[None]) -> None:
        assert self.process.stdout is not None
        broken = ""
        try:
            while (message := await read_frame(self.process.stdout)) is not None:
                if not self.killed:
                    self.on_message(self, message)
        except FrameError as error:
            broken = f"it sent something unreadable: {error}"
            if self.process.returncode is None:
                self.process.kill()
        code = await self.process.wait()
        await complaints
        if self._exit_code is not None:
            code = self._exit_code
        if not self.killed:
            self.killed = True
            reason = broken or explain_end(exit_reason(code), self._last_words, self.memory_mb)
            self.on_end(self, Ended(code, reason))

    async def _read_complaints(self) -> None:
        """Drain stderr: note memory reports, pass on what may interest someone."""
        assert self.process.stderr is not None
        while True:
            try:
                raw = await self.process.stderr.readline()
            except ValueError:  # a line without an end; what was read of it is dropped
                continue
            if not raw:
                return
            line = raw.decode("utf-8", "replace")
            memory, code = memory_report(line), exit_report(line)
            if memory is not None:
                self.memory_mb = memory
            elif code is not None:
                self._exit_code = code
            elif not is_chatter(line):
                words = (fatal_text(line) or line.strip())[:300]
                self._last_words.append(words)
                print(f"lean: {words}", file=sys.stderr, flush=True)
