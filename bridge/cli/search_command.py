"""`obligations search`: a small counterexample, saved to a file."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from bridge.auditing.search import SearchInterrupted
from bridge.auditing.single import search
from bridge.cli.completion import complete_keys
from bridge.cli.options import LeanChoice, graph_option, lean_options, read_graph, seed_option
from bridge.cli.progress_bar import Watch
from bridge.errors import InvalidInputError
from bridge.lean.client import printable
from numeric.instances.instance_file import write_instance

__all__ = ["search_command"]


@click.command("search")
@click.argument("key", shell_complete=complete_keys)
@lean_options
@seed_option(says="Determines the search.")
@click.option(
    "--examples",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="N",
    help="Instances to try before giving up.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("counterexample.json"),
    show_default=True,
    metavar="FILE",
    help="The file for the counterexample.",
)
@graph_option
@click.pass_context
def search_command(
    ctx: click.Context,
    lean: LeanChoice,
    key: str,
    seed: int,
    examples: int,
    output: Path,
    graph_file: Path | None,
) -> None:
    """Search for a counterexample to one obligation, and shrink it.

    Hypothesis (extra `strategies`) chooses and shrinks shape, scale, degenerate rows and entries.
    Exit code 1 if there is a counterexample, 0 if none was found, which proves nothing.  Ctrl-C
    saves the smallest one so far.

    \b
    obligations search layerNorm_eval:conclusion
    obligations search encoderBlockGraph:fidelity --graph mine.json --output small.json
    """
    replacement = None if graph_file is None else read_graph(graph_file)
    if not output.parent.is_dir():
        raise InvalidInputError(
            f"--output {output}: there is no folder {output.parent}",
            remedy="name a file in an existing folder",
        )
    interrupted = False
    with Watch() as watch:
        setup = lean.set_up(watch)
        library = setup.library(watch)
        try:
            found = search(
                library,
                key,
                replace_graph=replacement,
                examples=examples,
                seed=seed,
                progress=watch,
            )
        except SearchInterrupted as stop:
            found, interrupted = stop.case, True
    console = Console(highlight=False)
    if found is None:
        console.print(f"no counterexample in {examples} instances; that shows nothing")
        return
    write_instance(output, key, found)
    sizes = ", ".join(f"{n}={k}" for n, k in found.program.graph.sizes.items())
    if interrupted:
        console.print("interrupted while shrinking: this is the smallest so far")
    console.print(Text(printable(f"{key} fails at {sizes}; the instance is in {output}")))
    line = shlex.join(["obligations", "replay", "--instance", str(output)])
    click.echo(printable(line))  # on one line, however long, so that it can be copied
    ctx.exit(1)
