"""The reference of the command line, made from its commands."""

from __future__ import annotations

import html
from collections.abc import Iterator

import click

from bridge.cli.main import group

__all__ = ["cli_reference"]

BLOCK = "\b"


def cli_reference() -> str:
    """Every command with its usage, description, examples and options, as Markdown."""
    context = click.Context(group, info_name="obligations")
    return "\n\n".join(_parts(group, context))


def _parts(command: click.Command, context: click.Context) -> Iterator[str]:
    subcommands = command.commands if isinstance(command, click.Group) else {}
    if context.parent is not None:
        yield f"## {context.command_path}"
        if not subcommands:
            pieces = " ".join(command.collect_usage_pieces(context))
            yield f"```text\n{context.command_path} {pieces}\n```"
        yield from paragraphs(command.help or "")
        if not subcommands:
            yield from _options(command, context)
    for name in subcommands:
        child = subcommands[name]
        yield from _parts(child, click.Context(child, info_name=name, parent=context))


def paragraphs(text: str) -> Iterator[str]:
    """A help text as Markdown: the text after a ``\\b`` is a block of commands."""
    for paragraph in text.replace("\r", "").split("\n\n"):
        lines = [line.strip() for line in paragraph.strip().splitlines()]
        if lines and lines[0] == BLOCK:
            yield "```sh\n" + "\n".join(lines[1:]) + "\n```"
        elif lines:
            yield " ".join(lines)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "help" not in parameter.opts:
            # Markdown cannot express a bar inside code inside a table.
            option = html.escape(record[0]).replace("|", "&#124;<wbr>")
            rows.append(f"| <code>{option}</code> | {record[1].replace('|', '&#124;')} |")
    if rows:
        yield "\n".join(["| option | what it does |", "| --- | --- |", *rows])
