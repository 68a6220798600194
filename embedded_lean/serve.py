"""`lake serve`: the watchdog on standard input and output."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from embedded_lean.build import seconds_per_file
from embedded_lean.engine import EmbeddedEngine
from embedded_lean.frames import FrameError, Message, encode_frame, read_frame
from embedded_lean.watchdog import Watchdog

__all__ = ["serve"]

_STREAM_LIMIT = 1 << 20


def serve(engine: EmbeddedEngine, project: Path, arguments: tuple[str, ...]) -> int:
    """Serve until the client says so, goes away, or a signal comes; the exit code.

    Every worker is dead when this returns.
    """
    return asyncio.run(_serve(engine, project, arguments))


async def _serve(engine: EmbeddedEngine, project: Path, arguments: tuple[str, ...]) -> int:
    loop = asyncio.get_running_loop()
    requests = asyncio.StreamReader(limit=_STREAM_LIMIT)
    try:
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(requests), sys.stdin.buffer
        )
        transport, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, sys.stdout.buffer
        )
    except ValueError:
        print("lake serve: standard input and output have to be pipes", file=sys.stderr)
        return 2
    answers = asyncio.StreamWriter(transport, protocol, None, loop)

    def emit(message: Message) -> None:
        if not answers.is_closing():
            answers.write(encode_frame(message))

    watchdog = Watchdog(
        engine.layout,
        engine.node,
        project,
        fingerprint=engine.fingerprint,
        emit=emit,
        arguments=arguments,
        seconds_per_file=seconds_per_file(),
    )
    main = asyncio.ensure_future(_converse(requests, answers, watchdog))
    ticks = asyncio.ensure_future(watchdog.run_ticks())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, main.cancel)
    code = 0
    try:
        await main
    except asyncio.CancelledError:
        pass
    except FrameError as error:
        print(f"lake serve: the client sent something unreadable: {error}", file=sys.stderr)
        code = 1
    finally:
        ticks.cancel()
        await asyncio.gather(ticks, return_exceptions=True)
        await watchdog.close()
    return code


async def _converse(
    requests: asyncio.StreamReader, answers: asyncio.StreamWriter, watchdog: Watchdog
) -> None:
    while not watchdog.exiting:
        message = await read_frame(requests)
        if message is None or answers.is_closing():
            return
        await watchdog.handle(message)
        await answers.drain()
