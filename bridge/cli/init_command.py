"""`obligations init`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from bridge.cli.options import project_option
from bridge.lean.client import printable
from bridge.lean.exporter import add_exporter
from bridge.lean.starting import start_project

__all__ = ["init_command"]


@click.command("init")
@project_option
@click.option(
    "--new",
    metavar="NAME",
    help="Begin a Lean project in this folder: a lakefile, a toolchain, and NAME.lean.",
)
def init_command(project_folder: Path, new: str | None) -> None:
    """Put the Lean library `Obligations` into a project, or renew it there.

    It holds the attributes that tag theorems and graphs.  Run this again after each update of
    lean-obligations.

    \b
    obligations init
    obligations init --project ../my-theorems
    obligations init --new Demo
    """
    if new is not None:
        click.echo(f"wrote {', '.join(start_project(project_folder, new))}")
    added = add_exporter(project_folder)
    if added.written:
        click.echo(f"wrote {printable(_in_short(added.written))}")
    else:
        click.echo(f"all {added.current} files of `Obligations` are current")
    if added.declaration:
        click.echo("\nAdd this to the lakefile:\n")
        click.echo(added.declaration)
    if new is None:
        click.echo("Next: `import Obligations` and tag a theorem with @[obligation].")
    else:
        click.echo(f"Next: `obligations audit -v`; then write your own theorems into {new}.lean.")


def _in_short(files: Sequence[str]) -> str:
    """The files' names; for many in one folder their number."""
    folders = dict.fromkeys(f.partition("Obligations/")[0] for f in files if "Obligations/" in f)
    found = [f for f in files if "Obligations/" not in f]
    for folder in folders:
        below = [f for f in files if f.startswith(f"{folder}Obligations/")]
        found.append(below[0] if len(below) == 1 else f"{len(below)} files in {folder}Obligations/")
    return ", ".join(found)
