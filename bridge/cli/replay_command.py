"""`obligations replay`: exactly one instance, drawn again."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.auditing import library_for_audit, replay_instance
from bridge.cli.options import lean_options, set_up
from bridge.cli.watch import Watch
from bridge.lean_client import printable
from numeric.measurement import Outcome

__all__ = ["replay_command"]


@click.command("replay")
@click.argument("key")
@lean_options
@click.option("--seed", type=click.IntRange(min=0), required=True, help="The audit's seed.")
@click.option("--family", required=True, help="The family of instances.")
@click.option("--index", type=click.IntRange(min=0), required=True, help="Which of its instances.")
@click.pass_context
def replay_command(
    ctx: click.Context,
    project_folder: Path,
    engine_kind: str,
    timeout: float,
    key: str,
    seed: int,
    family: str,
    index: int,
) -> None:
    """Measure one instance again, such as a counterexample that an audit printed.

    Exit code 0 if the obligation holds on it, 1 if it fails, 4 if it is undecided.
    """
    with Watch() as watch:
        setup = set_up(project_folder, engine_kind, watch)
        library = library_for_audit(setup.project, setup.engine, timeout=timeout, progress=watch)
    found = replay_instance(library, key, seed=seed, family=family, index=index)
    measurement = found.measurement
    outcome = Outcome(int(measurement.outcome[0]))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    graph = found.case.program.graph
    rows = [
        ("obligation", key),
        ("instance", f"{family}, index {index}, seed {seed}"),
        ("sizes", ", ".join(f"{n}={k}" for n, k in graph.sizes.items())),
        *((n, f"{float(v[0]):.17g}") for n, v in found.case.batch.constants.items()),
        *(
            (f"hypothesis {n}", Outcome(int(m.outcome[0])).name.lower())
            for n, m in found.hypotheses.items()
        ),
        ("measured", measurement.parts[int(measurement.part[0])]),
        ("residual", f"{float(measurement.residual[0]):.6g}"),
        ("tolerance", f"{float(measurement.tolerance[0]):.6g}"),
        ("outcome", outcome.name.lower()),
    ]
    if outcome is Outcome.UNDECIDED:
        rows.append(("because", measurement.undecided_because))
    for label, text in rows:
        table.add_row(label, Text(printable(text)))
    Console(highlight=False).print(table)
    ctx.exit({Outcome.HOLDS: 0, Outcome.FAILS: 1, Outcome.UNDECIDED: 4}[outcome])
