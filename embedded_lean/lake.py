"""A replacement for the `lake` command, for the embedded engine: `serve`, `build`, `env`,
`--version`.

Run as `python -m embedded_lean.lake`.  It answers as Lake does, so that a client of Lake can
use it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.engine.errors import EngineError
from bridge.engine.interface import BuildEvent, BuildReport
from embedded_lean import pins
from embedded_lean.engine import EmbeddedEngine, open_engine
from embedded_lean.layout import default_layout
from embedded_lean.runtime import BUILD, LIBRARY

__all__ = ["main"]

_USAGE = """\
lake, the stand-in of lean-obligations for the embedded Lean engine

usage: lake [--dir DIR] serve
       lake [--dir DIR] build
       lake [--dir DIR] env
       lake --version"""


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    left = list(arguments)
    project = Path.cwd()
    while left and left[0] in ("-d", "--dir"):
        if len(left) < 2:
            return _usage("--dir needs a folder")
        project = Path(left[1]).resolve()
        left = left[2:]
    match left:
        case ["--version"]:
            print(f"Lake version 5.0.0-embedded (Lean version {pins.LEAN_VERSION})")
            return 0
        case ["--help"]:
            print(_USAGE)
            return 0
        case ["env"]:
            print(f"LEAN_PATH={LIBRARY}:{BUILD}")
            return 0
        case ["serve"]:
            return _with_engine(lambda engine: _serve(engine, project))
        case ["build"]:
            return _with_engine(lambda engine: _build(engine, project))
        case _:
            return _usage(f"{left[0]!r} is not available" if left else "a command is missing")


def _usage(problem: str) -> int:
    print(f"error: {problem}\n\n{_USAGE}", file=sys.stderr)
    return 2


def _with_engine(run: Callable[[EmbeddedEngine], int]) -> int:
    try:
        return run(open_engine(default_layout()))
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.remedy:
            print(f"       {error.remedy}", file=sys.stderr)
        return error.exit_code


def _serve(engine: EmbeddedEngine, project: Path) -> int:
    from embedded_lean.serve import serve  # not needed for the rest

    return serve(engine, project)


def _build(engine: EmbeddedEngine, project: Path) -> int:
    def show(event: BuildEvent) -> None:
        if event.outcome in ("built", "failed"):
            mark = "✔" if event.outcome == "built" else "✖"
            print(f"{mark} [{event.done}/{event.total}] Built {event.module}", flush=True)

    report: BuildReport = engine.build(project, progress=show)
    for message in report.messages:
        print(message)
    if report.ok:
        print(f"Build completed successfully ({len(report.modules)} jobs).")
        return 0
    failed = [m.module for m in report.modules if m.outcome == "failed"]
    print("Some required targets logged failures:", *(f"- {name}" for name in failed), sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
