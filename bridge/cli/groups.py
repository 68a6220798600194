"""A group of commands that helps if a command or an option is mistyped."""

from __future__ import annotations

import difflib
import re

import click

__all__ = ["HelpfulGroup", "KeysByOption"]


class HelpfulGroup(click.Group):
    """Lists its commands in the order of a session, and suggests corrections."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its complete first sentence."""
        rows = [
            (name, command.get_short_help_str(10_000)) for name, command in self.commands.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest a similar one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as e:
            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not close:
                raise
            raise click.UsageError(f"{e.message} Did you mean '{close[0]}'?", ctx) from e

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the group's own options; an option of a command is an error here."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as e:
            owners = [
                name
                for name, command in self.commands.items()
                if any(e.option_name in p.opts for p in command.params)
            ]
            if not owners:
                raise
            raise click.UsageError(
                f"{e.option_name} belongs to a command: write it after its name, as in "
                f"`{ctx.command_path} {owners[0]} {e.option_name} …`.",
                ctx,
            ) from e


class KeysByOption(click.Command):
    """A command that takes keys by ``--only``, and says so if one is given without it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options; the command has no arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as e:
            stray = re.fullmatch(r"Got unexpected extra arguments? \((.*)\)\.?", e.message)
            if stray is None:
                raise
            name = stray[1].split()[0]
            raise click.UsageError(f"{e.message} Did you mean --only {name}?", ctx) from e
