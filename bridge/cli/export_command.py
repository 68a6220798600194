"""`obligations export-constants`: what theorems rest on, for another kernel."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click

from bridge.cli.options import LeanChoice, lean_options
from bridge.cli.progress_bar import Watch
from bridge.errors import InvalidInputError, LeanSourceError
from bridge.kernels.exporting import write_export
from bridge.lean.client import printable

__all__ = ["export_command"]


@click.command("export-constants")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@lean_options
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    required=True,
    help="The file to write.",
)
def export_command(lean: LeanChoice, names: tuple[str, ...], output: Path) -> None:
    """Write constants and all that they rest on in lean4export's format, NDJSON 3.1.0.

    Without NAME: the tagged theorems, and the lemmas that discharge their hypotheses.  Pass the
    file to any checker that reads the format.  A constant that the format cannot express is an
    error that names it, and nothing is written.

    \b
    obligations export-constants --output export.ndjson
    obligations export-constants PostNorm.layerNorm_eval --output layer_norm.ndjson
    """
    with Watch() as watch, tempfile.TemporaryDirectory(prefix="obligations-") as folder:
        setup = lean.set_up(watch)
        path = Path(folder) / "export.ndjson"
        written = write_export(
            setup.project, setup.engine, names, path, timeout=setup.timeout, progress=watch
        )
        if written is None:
            raise InvalidInputError(
                f"--engine {setup.engine.kind} cannot write a file",
                remedy="choose --engine embedded",
            )
        if written.refused:
            said = "\n".join(
                printable(f"{written.spelled[n]}: {why}") for n, why in written.refused.items()
            )
            raise LeanSourceError(
                f"these constants cannot be exported:\n{said}",
                remedy="look for what declares them; name theorems that do not rest on them",
            )
        shutil.move(path, output)
    size = output.stat().st_size / 1e6
    click.echo(f"{output}: {written.count:,} constants, {size:.1f} MB")
