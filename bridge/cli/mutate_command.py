"""`obligations mutate`: which check finds which planted error."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.auditing import mutate
from bridge.checks.mutation import MutationReport
from bridge.cli.completion import complete_graphs
from bridge.cli.options import LeanChoice, lean_options
from bridge.cli.watch import Watch
from bridge.lean_client import printable

__all__ = ["mutate_command"]

INCOMPLETE = 4


@click.command("mutate")
@lean_options
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="All instances follow from it.",
)
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
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to report.",
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
    """Plant errors in the exported graphs and their derivatives, and see which check fails.

    Exit code 4 if an error survives everywhere, a check finds none, or there is none to plant.

    \b
    obligations mutate --graph layerNormGraph
    obligations mutate --instances 20 --format json > mutants.json
    """
    with Watch() as watch:
        setup = lean.set_up(watch)
        library = setup.library(watch)
        report = mutate(library, seed=seed, instances=instances, graphs=graphs, progress=watch)
    if style == "json":
        click.echo(json.dumps(_json(report), indent=1, ensure_ascii=False))
    else:
        _print(Console(highlight=False), report)
    if not report.rows:
        click.echo("no check runs on a graph of this project, so nothing was planted", err=True)
    ctx.exit(INCOMPLETE if report.survivors or report.idle or not report.rows else 0)


def _json(report: MutationReport) -> dict[str, object]:
    return {
        "schema": "obligations-mutation/1",
        "seed": report.seed,
        "instances": report.instances,
        "families": list(report.families),
        "mutants": [
            {
                "graph": row.graph,
                "mutant": row.mutant,
                "families": {
                    c.family: {"killed_by": list(c.killed_by), "reason": c.reason}
                    for c in row.cells
                },
            }
            for row in report.rows
        ],
    }


def _print(console: Console, report: MutationReport) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("graph", no_wrap=True)
    table.add_column("planted error", ratio=3)
    table.add_column("found by", ratio=4)
    for row in report.rows:
        found = sorted({name for cell in row.cells for name in cell.killed_by})
        missed = [c for c in row.cells if not c.killed_by]
        text = Text(printable(", ".join(found) or "NOTHING"), style="" if found else "bold red")
        for cell in missed:
            text.append(printable(f"\nnot at {cell.family}: {cell.reason or 'unexplained'}"), "dim")
        table.add_row(Text(printable(row.graph)), Text(printable(row.mutant)), text)
    console.print(table)
    killed = len(report.rows) - len(report.survivors)
    console.print(f"{killed} of {len(report.rows)} planted errors are found")
    for row in report.survivors:
        console.print(Text(printable(f"survives: {row.graph}: {row.mutant}"), style="bold red"))
    for name in report.idle:
        console.print(Text(printable(f"finds nothing: {name}"), style="bold red"))
