"""Child processes that never outlive us.

On Linux the kernel kills a child when the thread that started it ends (so children are started
from threads that live as long as they do).  Elsewhere the child watches for its parent itself (see
js/loader.cjs), and we kill what we started when we exit.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["bounded_output", "exit_reason", "terminate", "tied", "usable_cores"]

# Run by a separate Python.  Its arguments are our process number, an environment as JSON or
# nothing, and the command.  1 is PR_SET_PDEATHSIG; if we died before that call, the parent is no
# longer us.
_ENVIRONMENT_ONLY = """\
import json, os, sys
_, parent, settings, *command = sys.argv
env = json.loads(settings) if settings else os.environ
try:
    os.execve(command[0], command, env)
except OSError as error:
    sys.exit(f"{command[0]} cannot be started: {error.strerror}")
"""
_TIE = f"""\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
{_ENVIRONMENT_ONLY}"""


def usable_cores() -> int:
    """How many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


def tied(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> list[str]:
    """A command line that runs `command` and, on Linux, lets the kernel kill it when we die.

    The process is started with our own environment; `command` itself gets `env`, or ours if that is
    None.  A given environment appears in the command line, so it must hold no secrets.

    Python could do the same between fork and exec, but not safely where threads run.

    Raises:
        FileNotFoundError: there is no such program.
    """
    program = shutil.which(str(command[0]))
    if program is None:
        raise FileNotFoundError(errno.ENOENT, "there is no such program", str(command[0]))
    settings = "" if env is None else json.dumps(dict(env))
    start = _TIE if sys.platform.startswith("linux") else _ENVIRONMENT_ONLY
    arguments = [program, *map(str, command[1:])]
    return [sys.executable, "-ISc", start, str(os.getpid()), settings, *arguments]


def terminate(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and reap it.  It holds no state worth saving, so no request precedes."""
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
    """Run a command that should answer quickly, in a separate process group.

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
