"""Command lines from pages and help texts: parsed, but not run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from bridge.cli.main import group

FILE = re.compile(r"[\w./-]+\.(json|npz|safetensors|toml)")


def leaf(path: tuple[str, ...]) -> click.Command:
    """The command at the end of a path of names."""
    command: click.Command = group
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def parse(line: str) -> None:
    """Parse ``obligations …`` in the current folder, after creating the files that it names.

    Raises:
        AssertionError: it is another program's line. click.UsageError: the command line does not
            accept it.
    """
    line = line.removeprefix('eval "$(').removesuffix(')"')
    words = shlex.split(re.split(r" (?:>|\|\|?|&&) ", line)[0], comments=True)
    assert words[0] == "obligations", line
    command: click.Command = group
    rest = words[1:]
    if rest[:1] and rest[0].startswith("-"):
        return _make(command, rest)
    while isinstance(command, click.Group):
        if not rest or rest[0] not in command.commands:
            raise click.UsageError(f"there is no such command: {line}")
        command = command.commands[rest.pop(0)]
    return _make(command, rest)


def _make(command: click.Command, words: list[str]) -> None:
    for word in words:
        if FILE.fullmatch(word):
            Path(word).parent.mkdir(parents=True, exist_ok=True)
            Path(word).touch()
    if {"--help", "-h", "--version"} & set(words):
        words = [w for w in words if w not in ("--help", "-h", "--version")]
        if not words:
            return
    command.make_context("obligations", words)
