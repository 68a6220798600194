"""The command group, and the error handling of every command."""

from __future__ import annotations

import errno
import multiprocessing
import sys
import traceback
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from bridge import __version__
from bridge.cli.audit_command import audit_command
from bridge.cli.completion import completion_command
from bridge.cli.engine_commands import build_command, doctor_command, engine_group
from bridge.cli.export_command import export_command
from bridge.cli.groups import HelpfulGroup
from bridge.cli.init_command import init_command
from bridge.cli.library_commands import graph_command, list_command, show_command
from bridge.cli.lock_command import lock_command
from bridge.cli.mutate_command import mutate_command
from bridge.cli.replay_command import replay_command
from bridge.cli.search_command import search_command
from bridge.errors import InvalidInputError, ObligationsError
from bridge.lean.answers import cache_folder
from bridge.lean.client import printable

__all__ = ["main"]

INTERRUPTED = 130
BROKEN = 3


class _Group(HelpfulGroup):
    """Turns errors into one message and an exit code that no verdict has."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ObligationsError as e:
            report_error(e)
            ctx.exit(e.exit_code)
        except KeyboardInterrupt:
            Console(stderr=True).print("Interrupted.")
            for child in multiprocessing.active_children():  # Python would wait for them
                child.kill()
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except OSError as e:
            if e.errno == errno.EPIPE:  # the reader of the pipe has closed it: click ends quietly
                raise
            report_error(_of_file(e))
            ctx.exit(InvalidInputError.exit_code)
        except Exception as e:
            traceback.print_exc()
            report_error(_bug(e))
            ctx.exit(BROKEN)


def _of_file(error: OSError) -> InvalidInputError:
    name = error.filename
    where = "" if name is None else f"{name}: "
    remedy = "check that the disk has room and that the file or folder can be read and written"
    if isinstance(name, str) and Path(name).is_relative_to(cache_folder()):
        remedy += ", or set LEAN_OBLIGATIONS_CACHE to another folder"
    return InvalidInputError(f"{where}{error.strerror or error}", remedy=remedy)


def _bug(error: Exception) -> ObligationsError:
    return ObligationsError(
        f"this is a bug in lean-obligations {__version__}: {type(error).__name__}: {error}",
        remedy="report it with the lines above and the command that you ran",
    )


def report_error(error: ObligationsError) -> None:
    """Print the error and what to do next, on stderr."""
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
    obligations list                  the keys, and what Lean says about each obligations show
    DECLARATION      one theorem, with its checks
    """


for _command in (
    audit_command,
    list_command,
    show_command,
    graph_command,
    export_command,
    replay_command,
    search_command,
    lock_command,
    mutate_command,
    init_command,
    build_command,
    engine_group,
    doctor_command,
    completion_command,
):
    group.add_command(_command)


def main(key: str | None = None) -> None:
    """Run the command line; never returns.

    ``key`` is the key of an audit whose outcome may be kept (`bridge.storage.outcome`).
    """
    sys.exit(group(prog_name="obligations", obj=key))
