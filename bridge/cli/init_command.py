"""`obligations init`."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.options import project_option
from bridge.lean.client import printable
from bridge.lean.exporter import add_exporter

__all__ = ["init_command"]


@click.command("init")
@project_option
def init_command(project_folder: Path) -> None:
    """Put the Lean library `Obligations` into a project, or renew it there.

    It holds the attributes that tag theorems and graphs.  Run this again after each update of
    lean-obligations.

    \b
    obligations init
    obligations init --project ../my-theorems
    """
    added = add_exporter(project_folder)
    for name in added.written:
        click.echo(f"wrote {printable(name)}")
    if not added.written:
        click.echo(f"all {added.current} files of `Obligations` are current")
    if added.declaration:
        click.echo("\nAdd this to the lakefile:\n")
        click.echo(added.declaration)
    click.echo("Next: `import Obligations` and tag a theorem with @[obligation].")
