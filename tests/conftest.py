"""The processor time of each test file: `pytest --cpu 20` shows the slowest 20.

Unlike wall-clock time it does not depend on what else the machine does.  Processes that a test
starts count towards the test that waits for them, even if they outlive it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest

_KEY = "cpu seconds"
_before = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("terminal reporting")
    group.addoption("--cpu", type=int, default=0, metavar="N", help="show the N costliest files")


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_before] = _spent()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """The last report of each test contains the time spent since that of the previous test."""
    report: pytest.TestReport = yield
    if item.config.getoption("--cpu") and report.when == "teardown":
        now = _spent()
        report.user_properties.append((_KEY, max(0.0, now - item.config.stash[_before])))
        item.config.stash[_before] = now
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    most = terminalreporter.config.getoption("--cpu")
    if not most:
        return
    spent: Counter[str] = Counter()
    for report in (r for reports in terminalreporter.stats.values() for r in reports):
        for name, seconds in getattr(report, "user_properties", ()):
            if name == _KEY:
                spent[report.nodeid.partition("::")[0]] += seconds
    terminalreporter.section(f"CPU seconds by file, {spent.total():.0f} in all")
    for file, seconds in spent.most_common(most):
        terminalreporter.write_line(f"{seconds:8.1f}  {file}")


def _spent() -> float:
    """Seconds of this process, of its children that have ended, and of those still running."""
    own = os.times()
    total = own.user + own.system + own.children_user + own.children_system
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.Error:  # it has just ended
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
