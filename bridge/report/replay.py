"""The one line that draws a counterexample again."""

from __future__ import annotations

import shlex

from bridge.report.model import Entry

__all__ = ["folded", "replay_command"]


def folded(command: str, width: int = 72) -> list[str]:
    """A command over several lines, each but the last ending in a backslash: it can be copied."""
    lines: list[str] = []
    for part in command.replace(" --", "\n--").split("\n"):
        if lines and len(lines[-1]) + len(part) + 1 <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part if not lines else f"  {part}")
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def replay_command(entry: Entry) -> str:
    """A command that measures exactly the counterexample of ``entry``; empty without one."""
    if entry.result is None or entry.result.counterexample is None:
        return ""
    c = entry.result.counterexample
    words = ["obligations", "replay", entry.obligation.key]
    words += ["--seed", str(c.seed), "--family", c.family, "--index", str(c.index)]
    if entry.graph:
        words += ["--graph", entry.graph]
    return shlex.join(words)
