"""`obligations audit`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console

from bridge.auditing.audit import DEFAULT_INSTANCES
from bridge.cli.completion import complete_names
from bridge.cli.dry_run import Choice, show_plan
from bridge.cli.groups import KeysByOption
from bridge.cli.kept_outcome import copied_output, keep_outcome
from bridge.cli.model_options import ModelChoice, audit_of_model, model_options
from bridge.cli.options import (
    JOBS,
    LeanChoice,
    graph_option,
    lean_options,
    read_graph,
    seed_option,
)
from bridge.cli.progress_bar import Watch
from bridge.errors import InvalidInputError
from bridge.report import Report
from bridge.report.formats import FORMATS, render
from bridge.report.table import Detail, print_table
from bridge.storage.atomic import write_atomically
from bridge.storage.opened import Reads, recording

__all__ = ["audit_command"]

CERTIFIED_BOX = 1e-6
"""The default radius of ``--certify``."""


@click.command("audit", cls=KeysByOption)
@lean_options
@seed_option(None, "Determines all instances; default 0.")
@click.option(
    "--instances",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Instances to draw for each obligation; default {DEFAULT_INSTANCES}.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="KEY",
    shell_complete=complete_names,
    help="Only these obligations: a key, a declaration, or a glob. Repeatable.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(sorted(FORMATS)),
    help="The report's format; repeatable with --output. Default: table.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each report to a file in this folder, and print the table.",
)
@click.option(
    "-v",
    "--verbose",
    "detail",
    flag_value=Detail.OBLIGATIONS,
    type=Detail,
    help="Print every obligation with its measurements, not a line for each theorem.",
)
@click.option(
    "-q",
    "--quiet",
    "detail",
    flag_value=Detail.SUMMARY,
    type=Detail,
    help="Print the summary only.",
)
@graph_option
@model_options
@click.option(
    "--trust/--no-trust",
    "look_behind",
    default=True,
    help="Send every constant to Lean's kernel again, and look for what steps outside it "
    "(a minute or so after a change of the library); on by default.",
)
@click.option(
    "--cache/--no-cache",
    "use_cache",
    default=True,
    help="Use cached answers of Lean and cached results of checks if nothing that they depend on "
    "has changed; on by default.",
)
@click.option(
    "--jobs",
    type=JOBS,
    default=1,
    metavar="N",
    help="Measure in N processes, or in one for each core (auto); default 1.  The report "
    "is the same.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Measure on the Dask cluster of this scheduler, such as tcp://host:8786.  The report is "
    "the same.",
)
@click.option(
    "--backend",
    metavar="NAME",
    help="Run graphs by numpy (the default), jax or torch; the latter two optionally with a "
    "device, as in torch:cuda:1, and with the extra of that name.  numpy measures again what the "
    "other leaves open; verdicts are the same.",
)
@click.option(
    "--strict/--no-strict",
    "strict",
    default=None,
    help="Whatever this audit does not look at makes it incomplete (exit code 4): no official "
    "Lean, no lock to compare with, the kernel not asked again, only part of the obligations, a "
    "graph given with --graph, theorems with hypotheses that are neither tagged nor named by the "
    "setting `untagged`.  Off by default.",
)
@click.option(
    "--certify",
    type=click.FloatRange(min=0),
    is_flag=False,
    flag_value=CERTIFIED_BOX,
    metavar="[RADIUS]",
    help="Enclose each side condition that holds in ball arithmetic, for every input within RADIUS "
    "of each instance, entry by entry (1e-6 by default; 0 is the instance alone): "
    "the verdict is `certified` if that shows it on all of them.  Needs the extra "
    "`rigorous`; slow, so meant for small sizes.  With --model: bound how far value and gradients "
    "that each layer returns are from the exact ones, by ball arithmetic on the graph that it "
    "runs; takes no RADIUS, and needs a torch module.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Only print what would be asked and measured, and what is kept from an earlier audit; "
    "Lean is not started.  Exit code 4, since nothing is judged.",
)
@click.pass_context
def audit_command(
    ctx: click.Context,
    lean: LeanChoice,
    dry_run: bool,
    look_behind: bool,
    use_cache: bool,
    jobs: int,
    scheduler: str | None,
    backend: str | None,
    strict: bool | None,
    certify: float | None,
    seed: int | None,
    instances: int | None,
    only: tuple[str, ...],
    formats: tuple[str, ...],
    output: Path | None,
    detail: Detail | None,
    graph_file: Path | None,
    model: ModelChoice | None,
) -> None:
    """Judge every hypothesis and conclusion of the tagged theorems.

    \b
    obligations audit
    obligations audit --only 'layerNorm*:hVarEpsPos' --instances 1000
    obligations audit --instances 100000 --jobs auto
    obligations audit --instances 100000 --backend jax
    obligations audit --format json > report.json
    obligations audit --format json --format table --output reports
    obligations audit --dry-run
    obligations audit -v --only layerNorm_eval
    obligations audit --certify --only '*:hNorm?VarEpsPos'
    obligations audit --model model.safetensors --inputs tokens.npz
    """
    if len(formats) > 1 and output is None:
        raise InvalidInputError(
            f"--format {' --format '.join(formats)}: several reports need a folder to go to",
            remedy="add --output DIR",
        )
    if dry_run and model is not None:
        raise InvalidInputError(
            "--dry-run says what an audit of the library would do, not one of a model",
            remedy="leave one of --dry-run and --model out",
        )
    if dry_run and (formats or output is not None):
        raise InvalidInputError(
            "--dry-run judges nothing, so there is nothing to report",
            remedy="leave --format and --output out",
        )
    if model is not None and (only or graph_file is not None):
        raise InvalidInputError(
            "--model audits the layers of a model against the block's theorems",
            remedy="leave --only and --graph out",
        )
    if model is not None and (jobs > 1 or scheduler is not None):
        raise InvalidInputError(
            "--model goes through the layers one after another, in this process",
            remedy="leave --jobs and --scheduler out",
        )
    if model is not None and backend is not None:
        raise InvalidInputError(
            "--model measures layers with numpy",
            remedy="leave --backend out",
        )
    if model is not None and certify not in (None, 0.0, CERTIFIED_BOX):
        raise InvalidInputError(
            f"--certify {certify:g}: for a model, the results at these weights and inputs are "
            "certified, not a box around them",
            remedy="leave the radius out",
        )
    replacement = None if graph_file is None else read_graph(graph_file)
    if output is not None:
        prepare_folder(output, formats or ("table",))
    if dry_run:
        choice = Choice(
            seed, instances, only, replacement, look_behind, use_cache, certify, backend
        )
        ctx.exit(show_plan(lean, choice))
    if model is not None:
        found = audit_of_model(
            lean,
            model,
            seed=seed,
            sequences=instances,
            look_behind=look_behind,
            use_cache=use_cache,
            strict=strict,
            certify=certify is not None,
            tracebacks=detail is Detail.OBLIGATIONS,
        )
        ctx.exit(publish(found, formats, output, detail))
    reads = Reads()
    with recording(reads), Watch() as watch:
        setup = lean.set_up(watch)
        report = setup.audit(
            seed=seed,
            instances=instances,
            only=only,
            replace_graph=replacement,
            graph_file="" if graph_file is None else str(graph_file),
            look_behind=look_behind,
            use_cache=use_cache,
            strict=strict,
            certify=certify,
            jobs=jobs,
            scheduler=scheduler,
            backend=backend,
            progress=watch,
        )
    with copied_output() as printed:
        code = publish(report, formats, output, detail)
    usual = use_cache and replacement is None and scheduler is None and not watch.noted
    if ctx.obj is not None and usual:
        files = () if output is None else tuple(report_files(output, formats))
        keep_outcome(ctx.obj, report, setup, printed=printed.getvalue(), files=files, reads=reads)
    if report.interrupted and use_cache:
        click.echo("Finished measurements are kept: the same command continues there.", err=True)
    ctx.exit(code)


def publish(
    report: Report,
    formats: tuple[str, ...],
    output: Path | None,
    detail: Detail | None = None,
) -> int:
    """Write or print the report in the requested formats, and return its exit code.

    ``detail`` says how much of it a printed table shows; a file has all of it.
    """
    chosen = formats or ("table",)
    if output is not None:
        for name, file in zip(chosen, report_files(output, formats), strict=True):
            write_atomically(file, render(report, name))
    if output is not None or chosen == ("table",):
        print_table(report, Console(highlight=False), detail or Detail.THEOREMS)
    else:
        click.echo(render(report, chosen[0]), nl=False)
    return report.exit_code


def report_files(output: Path, formats: tuple[str, ...]) -> Iterator[Path]:
    """The file of each report in a folder, in the order of the formats."""
    return (output / FORMATS[name].file_name for name in formats or ("table",))


def prepare_folder(folder: Path, formats: tuple[str, ...] = ()) -> None:
    """Make the folder for reports, and check before the work that it is writable.

    Reports of an earlier audit in these formats are removed: if this audit ends with an error, they
    must not pass for its outcome.

    Raises:
        InvalidInputError: it is not writable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for name in formats:
            (folder / FORMATS[name].file_name).unlink(missing_ok=True)
    except OSError as e:
        raise InvalidInputError(
            f"--output {folder}: {e.strerror}", remedy="name a folder that can be written to"
        ) from e
