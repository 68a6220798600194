"""Locks between processes, and processes that do not outlive us."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bridge.engine.errors import CacheUnusableError, LockTimeoutError
from bridge.engine.locks import file_lock
from bridge.engine.processes import bounded_output, exit_reason
from embedded_lean.launch import stand_in_command

HOLD = """
import sys, time
from pathlib import Path
from bridge.engine.locks import file_lock
with file_lock(Path(sys.argv[1]), timeout=1):
    print("held", flush=True)
    time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
from bridge.engine.processes import tied
child = subprocess.Popen(tied(["sleep", "60"]))
print(child.pid, flush=True)
time.sleep(60)
"""
ROOT = str(Path(__file__).parents[2])


def python(source: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", source, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    waited: list[bool] = []
    with python(HOLD, str(tmp_path / "lock")) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(LockTimeoutError, match="has held .*lock for more than"),
            file_lock(tmp_path / "lock", timeout=0.2, on_wait=lambda: waited.append(True)),
        ):
            pass
        assert waited == [True]
        holder.kill()
        holder.wait()
        with file_lock(tmp_path / "lock", timeout=5):
            pass


@pytest.mark.parametrize(
    "number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EIO], ids=errno.errorcode.get
)
def test_a_file_system_without_locks_is_reported_at_once(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    started = time.monotonic()
    with (
        pytest.raises(CacheUnusableError, match=os.strerror(number)) as raised,
        file_lock(tmp_path / "lock", timeout=30),
    ):
        pytest.fail("nothing is locked")
    assert time.monotonic() - started < 5
    assert "LEAN_OBLIGATIONS_CACHE" in raised.value.remedy


def test_a_folder_that_cannot_be_made_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(CacheUnusableError, match="cannot be locked"),
        file_lock(tmp_path / "file" / "lock", timeout=30),
    ):
        pytest.fail("nothing is locked")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells children")
def test_a_child_dies_with_its_parent() -> None:
    with python(PARENT) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        bounded_output(["sh", "-c", "sleep 61.5 & sleep 61.5"], timeout=0.5)
    assert time.monotonic() - started < 30
    time.sleep(0.2)
    assert not [p for p in psutil.process_iter(["cmdline"]) if "61.5" in (p.info["cmdline"] or [])]


def test_reasons_are_named() -> None:
    assert exit_reason(3) == "exit code 3"
    assert exit_reason(-signal.SIGKILL) == "signal SIGKILL"
    assert exit_reason(-250) == "signal 250"


def test_a_project_cannot_pass_its_files_for_ours(tmp_path: Path) -> None:
    for name in ("json.py", "bridge.py", "asyncio.py"):
        (tmp_path / name).write_text("print('evil'); raise SystemExit(9)")
    answer = bounded_output(stand_in_command(["--version"]), timeout=60, cwd=tmp_path)
    assert answer.returncode == 0, answer
    assert answer.stdout.startswith("Lake version")
