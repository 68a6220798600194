"""Child processes that never outlive us.

On Linux the kernel kills a child when the thread that started it ends (so children are started
from threads that live as long as they do).  Elsewhere the child watches for its parent itself
(see js/loader.cjs), and we kill what we started when we leave.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["bounded_output", "die_with_parent", "exit_reason", "terminate"]

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> Callable[[], None] | None:
    """A `preexec_fn` that ties a child's life to the thread that starts it; None if impossible."""
    if not sys.platform.startswith("linux"):
        return None
    # Everything that allocates or loads happens here, before the fork.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died between the fork and the call above
            os._exit(1)

    return tie


def terminate(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and reap it.  It holds no state worth saving, so it is not asked first."""
    if process.poll() is None:
        process.kill()
    process.wait()


def exit_reason(code: int) -> str:
    """`exit code 3`, or `signal SIGKILL`, for messages."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def bounded_output(
    command: Sequence[str | Path],
    *,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command that should answer quickly, in a process group of its own.

    Raises:
        subprocess.TimeoutExpired: it did not end in time; it and its children are killed.
        OSError: it could not be started.
    """
    with subprocess.Popen(
        [str(c) for c in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=env,
        start_new_session=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            kill_group(process.pid)
            process.wait()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def kill_group(leader: int) -> None:
    """Kill a process that was started with `start_new_session`, and its children."""
    if sys.platform == "win32":
        os.kill(leader, signal.SIGTERM)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
