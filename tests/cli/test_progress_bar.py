"""Progress in a pipe: a line for long tasks, none for quick ones."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console

from bridge.cli import progress_bar
from bridge.cli.progress_bar import Watch, watched_install
from bridge.engine import InstallEvent


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(progress_bar, "QUIET_SECONDS", 0.05)
    return io.StringIO()


def console(out: io.StringIO) -> Console:
    return Console(file=out, width=80)


def bars(w: Watch) -> list[str]:
    assert w._bars is not None
    return [task.description for task in w._bars.tasks]


def test_a_quick_task_says_nothing(out: io.StringIO) -> None:
    with Watch(console=console(out)) as w:
        w.update("quick", 0, 1)
        w.update("quick", 1, 1)
    time.sleep(0.1)
    assert out.getvalue() == ""


def test_a_task_without_updates_is_reported(out: io.StringIO) -> None:
    with Watch(console=console(out)) as w:
        w.update("slow", 0, None)
        time.sleep(0.2)
        w.update("slow", 1, 1)
    first, second = out.getvalue().splitlines()
    assert first == "slow …"
    assert second.startswith("slow 0.")


def test_a_long_task_reports_its_progress(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_bar, "AGAIN_SECONDS", 0.1)
    with Watch(console=console(out)) as w:
        w.update("slow", 0, 107, unit="A")
        w.update("slow", 53, 107, unit="B.C")
        while out.getvalue().count("53 of 107 B.C") < 2:
            time.sleep(0.02)
        w.update("slow", 107, 107)
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["slow … 53 of 107 B.C"] * 2
    assert lines[-1].startswith("slow 0.")


def test_a_part_of_a_task_is_not_reported(out: io.StringIO) -> None:
    with Watch(console=console(out)) as w:
        w.update("whole", 0, 3)
        w.update("part", 0, 200)
        time.sleep(0.2)
        w.update("part", 200, 200)
        w.update("whole", 3, 3)
        w.update("next", 0, None)
        time.sleep(0.2)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["whole", "whole", "next"]


def test_the_progress_of_another_thread_is_shown(out: io.StringIO) -> None:
    with Watch(console=console(out)) as w:
        w.update("whole", 0, 3)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(w.update, "other", 1, 3, unit="1 holds").result()
        time.sleep(0.2)
    assert sorted(out.getvalue().splitlines()) == ["other … 1 of 3 1 holds", "whole … 0 of 3"]


def test_the_phase_after_an_installation_is_reported(out: io.StringIO) -> None:
    """A phase that reports no end is over when the installation is."""
    with Watch(console=console(out)) as w:
        with watched_install(w) as installing:
            installing(InstallEvent("unpack", 102, 122))
            time.sleep(0.1)
        w.update("compiling", 0, 3)
        time.sleep(0.2)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == [
        *("unpacking", "unpacking", "compiling")
    ]


def test_a_bar_of_an_installation_ends_with_it() -> None:
    terminal = Console(file=io.StringIO(), width=80, force_terminal=True)
    with Watch(console=terminal) as w:
        with watched_install(w) as installing:
            installing(InstallEvent("unpack", 102, 122))
            assert len(bars(w)) == 1
        w.end("unpacking")  # reported twice, shown once
        assert bars(w) == []


def test_a_note_is_shown_at_once(out: io.StringIO) -> None:
    with Watch(console=console(out)) as w:
        w.note("waiting for another build\x1b[2J")
    assert out.getvalue() == "waiting for another build�[2J\n"


def test_quiet_is_quiet(out: io.StringIO) -> None:
    with Watch(quiet=True, console=console(out)) as w:
        w.note("x")
        w.update("slow", 0, 1)
        time.sleep(0.1)
    assert out.getvalue() == ""
