"""Pages with commands and their output: run again, and compared or rewritten."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"^```(console|(python|lean|toml|text) title=\"(?P<file>[\w./-]+)\")\n(?P<body>.*?)^```$",
    re.M | re.S,
)
LEFT_OUT = "…"
PROGRESS = re.compile(
    r"^(compiling Lean|checking that nothing overrides our commands|asking Lean"
    r"|drawing (instances|values|the instance) in Lean"
    r"|sending every constant.*"
    r"|writing what the theorems rest on|asking the kernel of .*"
    r"|measuring|checking|auditing layers)"
    r"( ….*| [\d.]+ s)$|^waiting for another build$|^Nothing has changed since .*$"
)

# What may differ between machines, versions of the library, and engines.
VARIABLE = (
    (re.compile(r" \\\n\s+"), " "),
    (re.compile(r"in family\s+'[^']+',\s+instance\s+\d+"), "in family F"),
    (re.compile(r"--family ('[^']+'|\S+) --index \d+"), "--family F --index N"),
    (re.compile(r"^instance +.+, index \d+, seed", re.M), "instance F, seed"),
    (re.compile(r"^(embedded|official)? ?Lean \S+ .*?seed", re.S), "ENGINE seed"),
    (re.compile(r"\d[\d,]* (constants|more theorems|obligations)"), r"N \1"),
    (re.compile(r"^ +\d+  (?=\w+ +(proved|sorry|axiom))", re.M), "  N  "),
    (re.compile(r"(\.lean):\d+(:\d+)?"), r"\1:N"),
    (re.compile(r"\b\d[\d.]*(e[-+]?\d+)? tol\b"), "N tol"),
    (re.compile(r"-?\b\d+\.\d+(e[-+]?\d+)?|-?\b\d+e[-+]?\d+"), "N"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A command and its output in the page."""

    command: str
    output: str


def steps(body: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield Step(command, output.rstrip("\n"))


def same(page: str, found: str) -> bool:
    """Whether the page shows the output that was found; a line of ``…`` stands for any lines."""
    head, *rest = (_stable(part) for part in _parts(page))
    whole = _stable(found)
    if not rest:
        return whole == head
    if not whole.startswith(head):
        return False
    whole = whole[len(head) :]
    *middle, tail = rest
    for part in middle:
        _, seen, whole = whole.partition(part)
        if not seen:
            return False
    return whole.endswith(tail)


def _parts(page: str) -> list[str]:
    return re.split(rf"^{LEFT_OUT}$", page, flags=re.M)


def _stable(text: str) -> str:
    for pattern, word in VARIABLE:
        text = pattern.sub(word, text)
    return " ".join(text.split())


def shortened(found: str, like: str) -> str:
    """``found`` with lines left out as in ``like``: as many stay of the head, of the tail, and from
    the first line on of each part between."""
    head, *rest = (part.strip("\n").splitlines() for part in _parts(like))
    if not rest:
        return found
    lines = found.splitlines()
    kept, lines = [lines[: len(head)]], lines[len(head) :]
    *middle, tail = rest
    for part in middle:
        start = _position(part[0], lines)
        kept.append(lines[start : start + len(part)])
    kept.append(lines[-len(tail) :] if tail else [])
    blank = "\n\n" if f"\n\n{LEFT_OUT}\n\n" in like else "\n"
    return f"{blank}{LEFT_OUT}{blank}".join("\n".join(part) for part in kept).strip("\n")


def _position(line: str, among: list[str]) -> int:
    """The position of a line, or of the first that begins with the same word.

    Raises:
        ValueError: there is none; the page needs another line as an anchor.
    """
    first = line.split()[:1]
    for position, other in enumerate(among):
        if _stable(other) == _stable(line):
            return position
    for position, other in enumerate(among):
        if other.split()[:1] == first:
            return position
    raise ValueError(f"nothing printed begins like {line!r}")


class Shell:
    """Runs commands in sequence in a folder; ``$?`` is the exit code of the previous one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = 0

    def run(self, command: str) -> str:
        """What a command prints, without its progress."""
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.code})\n{command}"],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "COLUMNS": "80",
                "NO_COLOR": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.code = done.returncode
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        return "\n".join(line for line in lines if not PROGRESS.match(line)).strip("\n")


@dataclass(frozen=True, slots=True)
class Replayed:
    """The page with current output, and where it differs."""

    text: str
    differences: tuple[str, ...]


def replayed(text: str, folder: Path) -> Replayed:
    """Run every command of a page in a folder, and write the files that it shows."""
    shell = Shell(folder)
    differences: list[str] = []

    def again(match: re.Match[str]) -> str:
        if match["file"]:
            path = folder / match["file"]
            path.parent.mkdir(exist_ok=True)
            path.write_text(match["body"], encoding="utf-8")
            return match[0]
        lines = []
        for step in steps(match["body"]):
            found = shell.run(step.command)
            if not same(step.output, found):
                differences.append(
                    f"$ {step.command}\n{found}\n--- but the page says\n{step.output}"
                )
            shown = shortened(found, step.output)
            lines.append(f"$ {step.command}" + (f"\n{shown}" if shown else ""))
        return "```console\n" + "\n".join(lines) + "\n```"

    return Replayed(BLOCK.sub(again, text), tuple(differences))
