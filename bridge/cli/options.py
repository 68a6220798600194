"""Options that several commands share, and what they mean together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from bridge.cli.watch import Watch, install_watcher
from bridge.engine import Engine, select
from bridge.lean_client import DEFAULT_TIMEOUT
from bridge.project import Project, find_project

__all__ = ["Setup", "audit_options", "lean_options", "project_option"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Setup:
    """Where to look and which Lean to ask."""

    project: Project
    engine: Engine


project_option = click.option(
    "--project",
    "project_folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The Lean project; default: this folder or the nearest above it with a lakefile.",
)


def lean_options(command: F) -> F:
    """``--project``, ``--engine`` and ``--timeout``."""
    for option in (
        click.option(
            "--timeout",
            type=click.FloatRange(min=1),
            default=DEFAULT_TIMEOUT,
            show_default=True,
            metavar="SECONDS",
            help="How long Lean may take to answer, after compiling.",
        ),
        click.option(
            "--engine",
            "engine_kind",
            type=click.Choice(["auto", "lake", "embedded"]),
            default="auto",
            show_default=True,
            help="Which Lean to ask: the official one, the embedded one, or whichever is there.",
        ),
        project_option,
    ):
        command = option(command)
    return command


def audit_options(command: F) -> F:
    """``--seed`` and ``--instances``."""
    from bridge.auditing import DEFAULT_INSTANCES

    for option in (
        click.option(
            "--instances",
            type=click.IntRange(min=1),
            default=DEFAULT_INSTANCES,
            show_default=True,
            metavar="N",
            help="Instances to draw for each obligation.",
        ),
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            metavar="N",
            help="All instances follow from it.",
        ),
    ):
        command = option(command)
    return command


def set_up(project_folder: Path, engine_kind: str, watch: Watch) -> Setup:
    """Find the project and choose an engine, installing the embedded one where it is needed."""
    project = find_project(project_folder)
    engine = select(engine_kind, project=project.root, progress=install_watcher(watch))
    return Setup(project, engine)
