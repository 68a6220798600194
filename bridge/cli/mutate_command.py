"""`obligations mutate`: which check finds which planted error."""

from __future__ import annotations

import click
from rich.console import Console

from bridge.auditing.mutate import mutate
from bridge.cli.completion import complete_graphs
from bridge.cli.options import LeanChoice, lean_options, seed_option
from bridge.cli.progress_bar import Watch
from bridge.report.mutants import (
    exit_code_of,
    mutants_json,
    mutants_markdown,
    mutants_renderable,
)

__all__ = ["mutate_command"]


@click.command("mutate")
@lean_options
@seed_option()
@click.option(
    "--instances",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    metavar="N",
    help="Instances for each error and family.",
)
@click.option(
    "--graph",
    "graphs",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_graphs,
    help="Only this exported graph. Repeatable.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json", "markdown"]),
    default="table",
    show_default=True,
    help="The output format.",
)
@click.pass_context
def mutate_command(
    ctx: click.Context,
    lean: LeanChoice,
    seed: int,
    instances: int,
    graphs: tuple[str, ...],
    style: str,
) -> None:
    """Plant errors in the exported graphs, their derivatives and instances; see which check fails.

    Exit code 4 if an error is found nowhere, or survives in some family for no known reason, if a
    check finds none or raises an exception, if there is none to plant, or if the run is interrupted
    (it then prints the results so far).

    \b
    obligations mutate --graph layerNormGraph
    obligations mutate --instances 20 --format json > mutants.json
    """
    with Watch() as watch:
        setup = lean.set_up(watch)
        library = setup.library(watch)
        report = mutate(library, seed=seed, instances=instances, graphs=graphs, progress=watch)
    if style == "table":
        Console(highlight=False).print(mutants_renderable(report))
    else:
        click.echo(mutants_json(report) if style == "json" else mutants_markdown(report), nl=False)
    if not report.planned:
        click.echo("no check runs on a graph of this project, so nothing was planted", err=True)
    ctx.exit(exit_code_of(report))
