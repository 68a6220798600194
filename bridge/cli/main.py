"""The command group, and what every command does with an error."""

from __future__ import annotations

import difflib
import sys
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from bridge import __version__
from bridge.cli.audit_command import audit_command
from bridge.cli.engine_commands import build_command, doctor_command, engine_group
from bridge.cli.library_commands import graph_command, list_command, show_command
from bridge.cli.lock_command import lock_command
from bridge.cli.mutate_command import mutate_command
from bridge.cli.replay_command import replay_command
from bridge.errors import ObligationsError
from bridge.lean_client import printable

__all__ = ["main"]

INTERRUPTED = 130


class _Group(click.Group):
    """Turns our errors into one message and an exit code; suggests mistyped commands."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ObligationsError as e:
            report_error(e)
            ctx.exit(e.exit_code)
        except KeyboardInterrupt:
            Console(stderr=True).print("Interrupted.")
            ctx.exit(INTERRUPTED)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as e:
            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not close:
                raise
            raise click.UsageError(f"{e.message} Did you mean '{close[0]}'?", ctx) from e


def report_error(error: ObligationsError) -> None:
    """Say what is wrong and what to do next, on stderr."""
    console = Console(stderr=True, highlight=False)
    console.print(Text.assemble(("error: ", "bold red"), printable(error.message)), soft_wrap=True)
    if error.remedy:
        console.print(Text.assemble(("  → ", "bold"), printable(error.remedy)), soft_wrap=True)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 everything holds; 1 something fails; 2 wrong usage or invalid input; "
    "3 no Lean engine, or Lean broke; 4 incomplete.",
)
@click.version_option(__version__, prog_name="lean-obligations")
def group() -> None:
    """Ask Lean what its theorems assume and claim, and check it in numbers.

    \b
    obligations audit                 judge every hypothesis and conclusion
    obligations list                  the keys, and what Lean says of each
    obligations show DECLARATION      one theorem, with its checks
    """


for _command in (
    audit_command,
    list_command,
    show_command,
    graph_command,
    replay_command,
    lock_command,
    mutate_command,
    build_command,
    engine_group,
    doctor_command,
):
    group.add_command(_command)


def main() -> None:
    """Run the command line; never returns."""
    sys.exit(group(prog_name="obligations"))
