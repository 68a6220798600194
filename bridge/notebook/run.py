"""`audit`, as a function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bridge.auditing.configured import set_up
from bridge.notebook.display import shown_progress
from bridge.notebook.result import AuditResult
from bridge.progress import Progress

__all__ = ["audit"]


def audit(
    project: str | Path = ".",
    *,
    only: str | Sequence[str] = (),
    seed: int | None = None,
    instances: int | None = None,
    engine: str | None = None,
    look_behind: bool = True,
    use_cache: bool = True,
    strict: bool | None = None,
    jobs: int = 1,
    backend: str | None = None,
    progress: Progress | None = None,
) -> AuditResult:
    """Judge the obligations of a Lean project, as `obligations audit` does.

    Defaults are the project's settings in ``obligations.toml`` or ``pyproject.toml``.

    Args:
        project: the project's folder, or one below it.
        only: keys, declarations or globs; all if it is empty.
        seed: determines all instances.
        instances: how many to draw for each obligation.
        engine: ``auto``, ``lake``, ``embedded`` or ``lock``.
        look_behind: send every constant to Lean's kernel again.
        use_cache: use cached answers and results if nothing has changed.
        strict: whether what was not looked at makes the audit incomplete.
        jobs: how many processes measure.
        backend: what runs graphs: ``numpy``, ``jax`` or ``torch``, optionally with a device.
        progress: the callback that receives updates; in a notebook, a line below the cell.

    Raises:
        ObligationsError: no project, no Lean, a source that does not compile, wrong names; the
            error's ``remedy`` says what to do.
    """
    with shown_progress(progress) as watcher:
        setup = set_up(Path(project), engine=engine)
        library = setup.library(watcher, use_cache=use_cache)
        report = setup.audit(
            only=(only,) if isinstance(only, str) else tuple(only),
            seed=seed,
            instances=instances,
            look_behind=look_behind,
            use_cache=use_cache,
            strict=strict,
            jobs=jobs,
            backend=backend,
            progress=watcher,
        )
    return AuditResult(report, library, setup.instances(instances))
