"""`obligations audit --dry-run`: what an audit would do."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.auditing.configured import Setup
from bridge.auditing.plan import Plan, Step, plan
from bridge.checking.store import ResultCache
from bridge.cli.options import LeanChoice
from bridge.cli.progress_bar import Watch
from bridge.engine import EngineDamagedError, EngineNotInstalledError
from bridge.lean.client import printable
from bridge.lean.locked_answer import KeptAnswer
from bridge.verdict import Verdict
from numeric.graph import Graph

__all__ = ["Choice", "show_plan"]

INCOMPLETE = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """The command line's options for the audit; ``None`` and empty mean the project's settings."""

    seed: int | None
    instances: int | None
    only: tuple[str, ...]
    graph: Graph | None
    look_behind: bool
    use_cache: bool
    certify: float | None
    backend: str | None = None


def show_plan(lean: LeanChoice, choice: Choice) -> int:
    """Print what an audit would do; returns the exit code of an audit that judged nothing."""
    console = Console(highlight=False)
    try:
        setup = lean.set_up(Watch(quiet=True), install=False)
    except (EngineNotInstalledError, EngineDamagedError) as e:
        console.print(Text(printable(e.message)))
        console.print("An audit would install it: 121 MB to fetch, once.")
        return _nothing_judged(console)
    instances = setup.instances(choice.instances)
    seed = setup.seed(choice.seed)
    backend = setup.backend(choice.backend)
    found = plan(
        setup.project,
        setup.engine,
        seed=seed,
        instances=instances,
        only=choice.only or setup.settings.only,
        replace_graph=choice.graph,
        policy=setup.policy,
        results=ResultCache.default() if choice.use_cache else None,
        judges=setup.judges(may_ask=False),
        backend=backend,
    )
    console.print(_head(setup, choice, found, seed, instances))
    if found.steps is None or not choice.use_cache:
        console.print("The obligations are known once Lean has answered.")
    else:
        _print_steps(console, found, instances)
    return _nothing_judged(console)


def _nothing_judged(console: Console) -> int:
    console.print(f"Nothing was judged.  exit code {INCOMPLETE}")
    return INCOMPLETE


def _head(setup: Setup, choice: Choice, found: Plan, seed: int, instances: int) -> Table:
    sources = len(setup.project.sources())
    if isinstance(setup.engine, KeptAnswer):
        lean = "would not be asked (--engine lock)"
    elif choice.use_cache and found.steps is not None:
        lean = f"has answered for these {sources} sources; it would not be started"
    else:
        lean = f"would compile what changed among {sources} sources, and be asked"
    if not choice.look_behind or isinstance(setup.engine, KeptAnswer):
        kernel = "would not be asked again"
    elif choice.use_cache and found.trust_known:
        kernel = "has seen every constant of these sources; it would not be asked"
    else:
        kernel = "would be given every constant once more"
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column()
    enclosed = () if choice.certify is None else (("certify", _boxes(choice.certify)),)
    for label, text in (
        ("project", f"{setup.project.root}: {', '.join(setup.project.roots)}"),
        ("engine", setup.engine.describe()),
        ("Lean", lean),
        ("kernel", kernel),
        ("instances", f"{instances} for each obligation, seed {seed}"),
        *enclosed,
    ):
        table.add_row(label, Text(printable(text)))
    return table


def _boxes(radius: float) -> str:
    around = f" on a box of radius {radius:g} around each instance" if radius else ""
    return f"side conditions that hold would be enclosed in ball arithmetic{around}"


def _print_steps(console: Console, found: Plan, instances: int) -> None:
    assert found.steps is not None
    for declaration, group in groupby(found.steps, key=lambda s: s.obligation.declaration):
        console.print(Text(f"\n{printable(declaration)}", style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(ratio=1)
        for step in group:
            what, why = _words(step)
            table.add_row(
                Text(printable(step.obligation.binder)), what, Text(printable(why), style="dim")
            )
        console.print(Padding(table, (0, 0, 0, 2)))
    measured = found.count("measure")
    counts = [
        f"{measured} would be measured" + (f" on {instances} instances each" if measured else ""),
        f"{found.count('kept')} are kept from an earlier audit",
        *(f"{n} {v.value}" for v in Verdict if (n := found.count(v.value))),
    ]
    number = len(found.steps)
    console.print(f"\n{number} obligation{'s' if number != 1 else ''}: {', '.join(counts)}.")


def _words(step: Step) -> tuple[str, str]:
    if step.verdict is not None:
        return step.verdict.value, step.reason
    assert step.check is not None
    check = f"{step.check.name} on {step.check.graph}"
    return ("kept", check) if step.kept else ("would be measured", check)
