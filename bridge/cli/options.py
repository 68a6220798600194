"""Options that several commands share, and their combination."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from bridge.auditing.configured import Setup, set_up
from bridge.cli.progress_bar import Watch, watched_install
from bridge.engine.processes import usable_cores
from bridge.errors import InvalidInputError
from bridge.lean.client import DEFAULT_TIMEOUT
from bridge.policy.settings import ENGINES
from numeric.errors import GraphError
from numeric.graph import Graph, parse_graph_text

__all__ = [
    "JOBS",
    "LeanChoice",
    "graph_option",
    "lean_options",
    "project_option",
    "read_graph",
    "seed_option",
]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class LeanChoice:
    """The command line's options for Lean; ``None`` means the project's settings."""

    project_folder: Path
    engine_kind: str | None
    timeout: float | None

    def set_up(self, watch: Watch, *, install: bool = True) -> Setup:
        """The project, and the Lean to ask: see :func:`bridge.auditing.configured.set_up`."""
        with watched_install(watch) as installing:
            return set_up(
                self.project_folder,
                engine=self.engine_kind,
                timeout=self.timeout,
                install=install,
                install_progress=installing,
            )


class _Jobs(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number of processes, or ``auto`` for one for each core that this process may use."""

    name = "jobs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "auto":
            return usable_cores()
        try:
            return int(click.IntRange(min=1).convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"expected a number of processes or auto but got {value!r}", param, ctx)


JOBS = _Jobs()

project_option = click.option(
    "--project",
    "project_folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The Lean project; default: this folder or the nearest above it with a lakefile.",
)


graph_option = click.option(
    "--graph",
    "graph_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Compare this graph with the library graph that it computes, or declares to be.",
)


def seed_option(
    default: int | None = 0, says: str = "Determines all instances."
) -> Callable[[F], F]:
    """``--seed``; the default ``None`` shows the command whether it was given."""
    return click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=default,
        show_default=default is not None,
        metavar="N",
        help=says,
    )


MOST_BYTES = 64 * 2**20
"""The most bytes of a graph's file; a layer of 300 nodes has about 50,000."""


def read_graph(path: Path, option: str = "--graph") -> Graph:
    """A graph from a file that ``option`` names.

    Raises:
        InvalidInputError: it is not a well-formed graph (the message names the node), or larger
            than `MOST_BYTES`.
    """
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise InvalidInputError(
                f"{option} {path}: it has {size:,} bytes, and at most {MOST_BYTES:,} are read",
                remedy="write the graph at smaller sizes, with weights as inputs",
            )
        return parse_graph_text(path.read_text(encoding="utf-8"))
    except (GraphError, OSError, UnicodeDecodeError) as e:
        raise InvalidInputError(
            f"{option} {path}: {e}", remedy="`obligations graph NAME` writes a well-formed graph"
        ) from e


def lean_options(command: F) -> F:
    """``--project``, ``--engine`` and ``--timeout``, as one argument ``lean``."""

    @wraps(command)
    def gathered(
        *args: Any,
        project_folder: Path,
        engine_kind: str | None,
        timeout: float | None,
        **kwargs: Any,
    ) -> Any:
        return command(*args, lean=LeanChoice(project_folder, engine_kind, timeout), **kwargs)

    result: Any = gathered
    for option in (
        click.option(
            "--timeout",
            type=click.FloatRange(min=1),
            metavar="SECONDS",
            help=f"How long Lean may take to answer, after compiling; default {DEFAULT_TIMEOUT:g}.",
        ),
        click.option(
            "--engine",
            "engine_kind",
            type=click.Choice(ENGINES),
            help="Which Lean to ask: the official one, the embedded one, or (auto, the default) "
            "whichever is installed; lock asks none and uses what `obligations lock` kept.",
        ),
        project_option,
    ):
        result = option(result)
    return cast(F, result)
