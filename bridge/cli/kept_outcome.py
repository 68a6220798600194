"""Keeps the outcome of an audit, to print it again if nothing has changed
(`bridge.storage.outcome`)."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from bridge.auditing.configured import Setup
from bridge.report import Report
from bridge.storage.opened import Reads
from bridge.storage.outcome import Outcome, OutcomeCache
from bridge.verdict import Verdict

__all__ = ["copied_output", "keep_outcome"]

_MAY_DIFFER = frozenset({Verdict.INCONCLUSIVE, Verdict.ERROR})
"""Verdicts that may differ in another run: one that gave up may have had too little time."""


class _Copying:
    """Standard output that keeps a copy of what is written."""

    def __init__(self, output: TextIO, copy: io.StringIO) -> None:
        self._output, self._copy = output, copy

    def write(self, text: str) -> int:
        self._copy.write(text)
        return self._output.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)


@contextmanager
def copied_output() -> Iterator[io.StringIO]:
    """Copy what is printed to standard output within the block."""
    output, copy = sys.stdout, io.StringIO()
    sys.stdout = cast(TextIO, _Copying(output, copy))
    try:
        yield copy
    finally:
        sys.stdout = output


def keep_outcome(
    key: str,
    report: Report,
    setup: Setup,
    *,
    printed: str,
    files: tuple[Path, ...],
    reads: Reads,
) -> None:
    """Keep what an audit printed and wrote, if everything that it depends on is among ``reads``.

    It is not with the official toolchain, which reads dependencies that are not recorded, with a
    project's own checks, and with a backend other than numpy, whose device is not recorded.
    """
    if (
        report.interrupted
        or report.engine.kind == "lake"
        or report.backend != "numpy"
        or setup.settings.checks
        or any(e.verdict in _MAY_DIFFER for e in report.entries)
    ):
        return
    written = {str(path.absolute()): path.read_bytes().decode() for path in files}
    root, state = str(setup.project.root), (report.commit, report.date)
    OutcomeCache().store(key, Outcome(printed, report.exit_code, written, root, state), reads)
