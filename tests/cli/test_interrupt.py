"""Ctrl-C, in a separate process: a process that waits for nothing ends at once."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import multiprocessing, signal, sys, time
import click
from bridge.cli.main import group

def stubborn(ready):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready.set()
    time.sleep(1000)

@click.command("wait")
def wait():
    ready = multiprocessing.Event()
    multiprocessing.Process(target=stubborn, args=(ready,)).start()
    ready.wait()
    raise KeyboardInterrupt

group.add_command(wait)
sys.exit(group(["wait"]))
"""


def test_an_interrupt_does_not_wait_for_processes_that_measure() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 130, done.stderr
    assert "Interrupted." in done.stderr
    assert "Traceback" not in done.stderr
