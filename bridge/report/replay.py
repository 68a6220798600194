"""The one line that draws a counterexample again."""

from __future__ import annotations

import shlex

from bridge.report.model import Entry

__all__ = ["replay_command"]


def replay_command(entry: Entry) -> str:
    """A command that measures exactly the counterexample of ``entry``; empty without one."""
    if entry.result is None or entry.result.counterexample is None:
        return ""
    c = entry.result.counterexample
    words = ["obligations", "replay", entry.obligation.key]
    words += ["--seed", str(c.seed), "--family", c.family, "--index", str(c.index)]
    return shlex.join(words)
