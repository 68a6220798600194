"""The one line that draws a counterexample again."""

from __future__ import annotations

import shlex

from bridge.checking import Counterexample, Witness
from bridge.report.model import Entry

__all__ = ["folded", "replay_command", "witness_command"]


def folded(command: str, width: int = 72) -> list[str]:
    """A command over several lines, all except the last ending in a backslash: it can be copied."""
    lines: list[str] = []
    for part in command.replace(" --", "\n--").replace(" replay ", " replay\n").split("\n"):
        if lines and len(lines[-1]) + len(part) + 1 <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part if not lines else f"  {part}")
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def replay_command(entry: Entry) -> str:
    """A command that measures exactly the counterexample of ``entry``; empty without one."""
    if entry.result is None or entry.result.counterexample is None:
        return ""
    return _command(entry, entry.result.counterexample)


def witness_command(entry: Entry) -> str:
    """A command that measures an instance on which every hypothesis holds; empty without one."""
    if entry.result is None or entry.result.witness is None:
        return ""
    return _command(entry, entry.result.witness)


def _command(entry: Entry, instance: Counterexample | Witness) -> str:
    words = ["obligations", "replay", entry.obligation.key]
    words += ["--seed", str(instance.seed)]
    words += ["--family", instance.family, "--index", str(instance.index)]
    if entry.graph:
        words += ["--graph", entry.graph]
    return shlex.join(words)
