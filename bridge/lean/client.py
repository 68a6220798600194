"""The only file that talks to Lean.

A request is a small document that imports the project's libraries and runs our export commands; it
goes to Lean's language server through leanclient, or to an engine's batch mode.  The answer's
messages carry the request's own nonce, so that nothing the audited code prints can pass for one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from leanclient.aio import (
    AsyncLeanLSPClient,
    LeanClientError,
    LeanRequestTimeout,
    LeanTransportError,
    LeanUnsupportedVersion,
    LeanWorkerCrashed,
)

from bridge.engine import STOPPED, LeanMessage
from bridge.errors import (
    AnswerError,
    EngineError,
    InvalidInputError,
    LeanServerError,
    LeanSourceError,
)
from bridge.lean.requests import Request

__all__ = [
    "Answer",
    "ask",
    "ask_in_batch",
    "printable",
]

DEFAULT_TIMEOUT = 900.0
_PREFIX = "obligations:"
_ERROR = 1
_SEVERITY = {"error": _ERROR, "warning": 2, "information": 3}


Batch = Callable[[str], Sequence[LeanMessage] | None]
"""Returns Lean's messages about a document without a server, or None if it cannot."""

Answer = Mapping[str, tuple[object, ...]]
"""Lean's raw answer: the decoded messages of each section, in Lean's order."""


def ask(
    project: Path,
    server_command: Sequence[str],
    request: Request,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    batch: Batch | None = None,
) -> Answer:
    """Send one request to a fresh Lean server for ``project`` and return its answer.

    If the server dies, the same request goes to ``batch``, which needs none.

    Args:
        project: the folder of the Lean project; compiled already.
        server_command: command line of the language server, from the engine.
        request: what to ask.
        timeout: seconds to wait for Lean.
        batch: returns Lean's messages about a document without a server, or None if it cannot.

    Raises:
        LeanSourceError: Lean reports errors, for instance in the audited project's imports.
        AnswerError: Lean finished, but an answer is missing or is not ours.
        EngineError: the server did not start, died, or took too long.
    """
    nonce = secrets.token_hex(16)
    try:
        return _run(_ask(project, list(server_command), request, timeout, nonce))
    except LeanServerError:
        if batch is None:
            raise
        nonce = secrets.token_hex(16)  # what the server was asked must not answer this
        messages = batch(request.document(nonce))
        if messages is None:
            raise
    return _understood(_items(messages), request, nonce, fatal=False)


def ask_in_batch(request: Request, batch: Batch) -> Answer | None:
    """Send one request to Lean without a server; None if that cannot be done.

    Raises the same as :func:`ask`.
    """
    nonce = secrets.token_hex(16)
    messages = batch(request.document(nonce))
    if messages is None:
        return None
    return _understood(_items(messages), request, nonce, fatal=False)


def _items(messages: Sequence[LeanMessage]) -> list[dict[str, object]]:
    return [{"message": m.text, "severity": _SEVERITY[m.severity]} for m in messages]


def _run(conversation: Coroutine[object, object, Answer]) -> Answer:
    """The conversation's outcome; a notebook's thread has an event loop that runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(conversation)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, conversation).result()


async def _ask(
    project: Path, command: list[str], request: Request, timeout: float, nonce: str
) -> Answer:
    path = f"_obligations_request_{nonce}.lean"
    client = AsyncLeanLSPClient(
        str(project), request_timeout=timeout, server_command=command, max_workers=1
    )
    try:
        async with asyncio.timeout(timeout):  # leanclient itself waits for 30 s
            await client.start()
        await client.open(path, text=request.document(nonce))
        report = await client.diagnostics(path)
    except (LeanRequestTimeout, TimeoutError) as e:
        raise EngineError(
            f"Lean did not answer within {timeout:g} s",
            remedy="give it more time with --timeout, or look for the cause with "
            "`obligations doctor`",
        ) from e
    except LeanWorkerCrashed as e:
        raise LeanServerError(
            f"Lean's worker died while it was asked: {e}",
            remedy="run the command again; `obligations doctor` looks for the cause",
        ) from e
    except LeanUnsupportedVersion as e:
        raise InvalidInputError(str(e), remedy="update the project's lean-toolchain") from e
    except LeanTransportError as e:
        tail = e.stderr_tail.strip().splitlines()[-1:] or ["it wrote nothing to stderr"]
        raise LeanServerError(
            f"the Lean server went away: {e} ({printable(tail[0])})",
            remedy="run the command again; `obligations doctor` looks for the cause",
        ) from e
    except LeanClientError as e:
        raise EngineError(f"the Lean server refused the request: {e}") from e
    except OSError as e:
        raise EngineError(
            f"cannot start the Lean server {command[0]!r}: {e.strerror or e}",
            remedy="see what is installed with `obligations doctor`",
        ) from e
    finally:
        await client.close()
        await _reap(client)
    if report.partial:
        raise EngineError(
            f"Lean did not finish within {timeout:g} s", remedy="give it more time with --timeout"
        )
    return _understood(report.items, request, nonce, fatal=report.fatal_error)


def _understood(
    items: Sequence[dict[str, object]], request: Request, nonce: str, *, fatal: bool
) -> Answer:
    """The sections of the answer among Lean's messages."""
    _refuse_errors(items, fatal)
    return {
        section: _extract(items, f"{_PREFIX}{nonce}.{section}:") for section in request.sections
    }


async def _reap(client: AsyncLeanLSPClient) -> None:
    """End the server for good.

    leanclient 0.13.2 leaves the process running after its reader has met a malformed message,
    because it considers the connection closed.  This can go when ``AsyncLeanLSPClient.close``
    always kills it.
    """
    process = client._transport._proc
    if process is None:
        return
    if process.returncode is None:
        # The server leads its own process group, so its workers are killed with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        await process.wait()
    await asyncio.sleep(0)  # let the pipes' transports see that they are closed


def _refuse_errors(items: Sequence[dict[str, object]], fatal: bool) -> None:
    errors = [str(i.get("message", "")) for i in items if i.get("severity") == _ERROR]
    if fatal and any(e.startswith(STOPPED) for e in errors):
        raise LeanServerError(
            f"Lean's server broke: {printable(errors[-1])}",
            remedy="run the command again; `obligations doctor` looks for the cause",
        )
    if errors:
        shown = "\n".join(printable(e) for e in errors[:5])
        remedy = "correct the Lean sources; `obligations build` shows every message with its place"
        if any(
            "unknown module prefix 'Obligations'" in e or "Obligations.olean" in e for e in errors
        ):
            remedy = "`obligations init` puts the Lean library `Obligations` into the project"
        raise LeanSourceError(f"Lean reports an error:\n{shown}", remedy=remedy)
    if fatal:
        raise EngineError("Lean stopped without saying why", remedy="run `obligations doctor`")


def _extract(items: Sequence[dict[str, object]], prefix: str) -> tuple[object, ...]:
    found: list[object] = []
    for item in items:
        message = item.get("message")
        if isinstance(message, str) and message.startswith(prefix):
            try:
                found.append(msgspec.json.decode(message[len(prefix) :]))
            except (ValueError, RecursionError) as e:
                raise AnswerError(
                    f"Lean's answer is not JSON: {e} in {printable(message)[:200]!r}"
                ) from e
    if not found:
        raise AnswerError(
            "Lean finished without an error and without an answer",
            remedy="run the command again; if it persists, report it with `obligations doctor`",
        )
    return tuple(found)


def printable(text: str) -> str:
    """``text`` without control characters, so that nothing Lean prints can drive a terminal."""
    return re.sub(r"[^\S\n ]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "�", text)
