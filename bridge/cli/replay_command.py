"""`obligations replay`: exactly one instance, drawn again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.auditing.configured import Setup
from bridge.auditing.selection import unknown_name
from bridge.auditing.single import replay_file, replay_instance
from bridge.checking import Replay, named_checks
from bridge.checks.pairing import paired
from bridge.cli.completion import complete_families, complete_keys
from bridge.cli.options import LeanChoice, graph_option, lean_options, read_graph, seed_option
from bridge.cli.progress_bar import Watch
from bridge.errors import InvalidInputError
from bridge.lean.client import printable
from bridge.lean.library import Library
from bridge.statements.by_name import Broken, asked
from bridge.statements.exact import FAMILY, replay_exactly, value_of
from bridge.statements.instances import Instance
from bridge.statements.numbers import FAMILIES, replay_in_numbers
from numeric.errors import GraphError
from numeric.graph import Graph, parse_graph
from numeric.judge.measurement import Outcome

__all__ = ["replay_command"]

EXIT = {Outcome.HOLDS: 0, Outcome.FAILS: 1, Outcome.UNDECIDED: 4}


@dataclass(frozen=True, slots=True)
class _Instance:
    key: str
    seed: int
    family: str
    index: int
    statement_hash: str | None = None


@click.command("replay")
@click.argument("key", required=False, shell_complete=complete_keys)
@lean_options
@seed_option(None, "The audit's seed.")
@click.option(
    "--family",
    metavar="NAME",
    shell_complete=complete_families,
    help="The family of instances.",
)
@click.option("--index", type=click.IntRange(min=0), metavar="N", help="Which of its instances.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Replay the counterexamples of a JSON report: all of them, or KEY's, on the graph in it.",
)
@click.option(
    "--instance",
    "instance_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Replay the instance in a file that `obligations search` wrote, on the graph in it.",
)
@graph_option
@click.pass_context
def replay_command(
    ctx: click.Context,
    lean: LeanChoice,
    key: str | None,
    seed: int | None,
    family: str | None,
    index: int | None,
    report_file: Path | None,
    instance_file: Path | None,
    graph_file: Path | None,
) -> None:
    """Measure one instance again, such as a counterexample that an audit printed.

    Exit code 0 if the obligation holds on it, 1 if it fails, 4 if it is undecided; for several
    instances the worst.

    \b
    obligations replay layerNorm_eval:conclusion --seed 0 --family 'large offset' --index 3
    obligations replay --report reports/report.json
    obligations replay --instance counterexample.json
    """
    if instance_file is not None:
        if report_file is not None or graph_file is not None or key is not None:
            raise InvalidInputError(
                "--instance names key, numbers and graph by itself",
                remedy="leave KEY, --report and --graph out",
            )
        with Watch() as watch:
            library = lean.set_up(watch).library(watch)
        own, again = replay_file(library, instance_file)
        outcome = Outcome(int(again.measurement.outcome[0]))
        what = _Instance(own, 0, str(instance_file), 0)
        Console(highlight=False).print(_table(what, again, outcome))
        ctx.exit(EXIT[outcome])
    replacement = None if graph_file is None else read_graph(graph_file)
    if report_file is not None:
        wanted, within = _from_report(report_file, key, graph_given=graph_file is not None)
        replacement = within if replacement is None else replacement
    elif key is None or seed is None or family is None or index is None:
        raise InvalidInputError(
            "expected KEY with --seed, --family and --index, or --report FILE",
            remedy="copy the line that the audit printed below the counterexample",
        )
    else:
        wanted = [_Instance(key, seed, family, index)]
    with Watch() as watch:
        setup = lean.set_up(watch)
        library = setup.library(watch)
    hashes = {o.key: o.statement_hash for o in library.obligations}
    console = Console(highlight=False)
    outcomes = set()
    for one in wanted:
        if one.statement_hash is not None and hashes.get(one.key) not in (None, one.statement_hash):
            console.print(f"note: the statement of {one.key} is not the one of the report")
        if one.family == FAMILY or (one.family in FAMILIES and one.key not in paired(library)):
            by = _exactly if one.family == FAMILY else _in_numbers
            outcome = by(console, setup, library, one)
            outcomes.add(outcome)
            continue
        found = replay_instance(
            library,
            one.key,
            seed=one.seed,
            family=one.family,
            index=one.index,
            replace_graph=replacement,
        )
        outcome = Outcome(int(found.measurement.outcome[0]))
        outcomes.add(outcome)
        console.print(_table(one, found, outcome))
    ctx.exit(max((EXIT[o] for o in outcomes), key=(0, 4, 1).index, default=0))


TRUTH = {"yes": Outcome.HOLDS, "likely": Outcome.HOLDS, "no": Outcome.FAILS}
"""Lean's answers that count as held and as failed; anything else is undecided."""


def _exactly(console: Console, setup: Setup, library: Library, one: _Instance) -> Outcome:
    """Let Lean draw an instance again, and show it.

    Raises:
        InvalidInputError: there is no such obligation, or Lean does not judge its theorem exactly.
    """
    obligation = next((o for o in library.obligations if o.key == one.key), None)
    statement = None if obligation is None else library.statement_named(obligation.declaration)
    if obligation is None or statement is None:
        raise unknown_name(one.key, library.obligations)
    drawn, truth = replay_exactly(
        library, statement, obligation, seed=one.seed, index=one.index, timeout=setup.timeout
    )
    outcome = TRUTH.get(truth, Outcome.UNDECIDED)
    places = statement.placed_hypotheses
    rows = [
        ("obligation", one.key),
        ("instance", f"{one.family}, index {one.index}, seed {one.seed}"),
        ("values", drawn.text),
        *((f"hypothesis {places[p].name}", TRUTH_WORDS[t]) for p, t in drawn.hypotheses.items()),
        ("conclusion", TRUTH_WORDS[drawn.conclusion]),
        *(("where", remark) for remark in drawn.remarks),
        ("outcome", outcome.name.lower()),
    ]
    if drawn.smallest not in (None, drawn.text):
        rows.insert(3, ("smallest", str(drawn.smallest)))
    rows, outcome = _with_check(one.key, value_of(drawn, one.index), rows, outcome)
    console.print(_grid(rows))
    return outcome


def _in_numbers(console: Console, setup: Setup, library: Library, one: _Instance) -> Outcome:
    """Draw an instance of a statement over the reals again, and show it.

    Raises:
        InvalidInputError: there is no such obligation, or its theorem is not judged in numbers.
    """
    obligation = next((o for o in library.obligations if o.key == one.key), None)
    statement = None if obligation is None else library.statement_named(obligation.declaration)
    if obligation is None or statement is None:
        raise unknown_name(one.key, library.obligations)
    shown = replay_in_numbers(
        library, statement, one.key, seed=one.seed, family=one.family, index=one.index
    )
    outcome = Outcome.UNDECIDED
    if shown.holds is not None:
        outcome = Outcome.HOLDS if shown.holds else Outcome.FAILS
    rows = [
        ("obligation", one.key),
        ("instance", f"{one.family}, index {one.index}, seed {one.seed}"),
        ("values", shown.values or "none: no sizes fit the hypotheses"),
        *((f"hypothesis {name}", said) for name, said in shown.hypotheses),
        ("conclusion", shown.conclusion),
        ("outcome", outcome.name.lower()),
    ]
    if shown.smallest is not None:
        rows.insert(3, ("smallest", shown.smallest))
    if shown.instance is not None:
        rows, outcome = _with_check(one.key, shown.instance, rows, outcome)
    console.print(_grid(rows))
    return outcome


def _with_check(
    key: str, instance: Instance, rows: list[tuple[str, str]], outcome: Outcome
) -> tuple[list[tuple[str, str]], Outcome]:
    """The rows with the result of a check by binder names, and the outcome.

    A statement that fails on the instance fails, whatever the check says.
    """
    check = named_checks().get(key)
    if check is None:
        return rows, outcome
    try:
        said = asked(check, instance)
    except Broken as e:
        raise InvalidInputError(str(e), remedy="correct the check") from e
    own = Outcome.UNDECIDED
    if said is not None:
        own = Outcome.HOLDS if said else Outcome.FAILS
    outcome = outcome if outcome is Outcome.FAILS else own
    row = (f"check {check.name}", own.name.lower())
    return [*rows[:-1], row, ("outcome", outcome.name.lower())], outcome


TRUTH_WORDS = {
    "yes": "holds",
    "likely": "holds on every sample of a ∀",
    "unknown": "not evaluated: it cannot be stated if a hypothesis is violated",
    "unlikely": "no sample is a witness of an ∃",
    "no": "fails",
}


def _from_report(
    path: Path, key: str | None, *, graph_given: bool
) -> tuple[list[_Instance], Graph | None]:
    """The counterexamples in a report, and its graph, if it is not about the library's.

    Raises:
        InvalidInputError: it is not a report, holds no such counterexample, or is about a graph
            that it does not contain and that is not given.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["schema"] != "obligations-report/1":
            raise ValueError(f"its schema is {value['schema']!r}")
        found = [
            _Instance(o["key"], c["seed"], c["family"], c["index"], o["statement_hash"])
            for o in value["obligations"]
            if (c := o["counterexample"]) is not None and key in (None, o["key"])
        ]
        for one in found:
            if not (_counts(one.seed) and _counts(one.index) and isinstance(one.family, str)):
                raise ValueError(f"{one.key} has no instance such as seed 0, 'generic', index 3")
    except (ValueError, KeyError, TypeError, OSError) as e:
        what = f"{e.args[0]!r} is missing" if isinstance(e, KeyError) else e
        raise InvalidInputError(
            f"--report {path} is not a report: {what}",
            remedy="write one with `obligations audit --format json --output DIR`",
        ) from e
    within = _graph_within(path, value)
    if (graph := value.get("graph")) is not None and within is None and not graph_given:
        raise InvalidInputError(
            f"--report {path} is about the graph in {graph}, and does not hold it",
            remedy=f"add --graph {graph}",
        )
    if not found:
        of = "" if key is None else f" of {key}"
        raise InvalidInputError(
            f"--report {path} holds no counterexample{of}",
            remedy="nothing failed there; name any instance by KEY, --seed, --family and --index",
        )
    return found, within


def _counts(value: object) -> bool:
    return type(value) is int and value >= 0


def _graph_within(path: Path, report: dict[str, object]) -> Graph | None:
    """The graph in a report; ``None`` if it is about the library's own.

    Raises:
        InvalidInputError: it is malformed; the message names the node.
    """
    if (value := report.get("graph_data")) is None:
        return None
    try:
        return parse_graph(value)
    except GraphError as e:
        raise InvalidInputError(
            f"--report {path}: its graph is malformed: {e}",
            remedy="write the report again with `obligations audit --format json --output DIR`",
        ) from e


def _table(instance: _Instance, found: Replay, outcome: Outcome) -> Table:
    measurement = found.measurement
    graph = found.case.program.graph
    rows = [
        ("obligation", instance.key),
        ("instance", f"{instance.family}, index {instance.index}, seed {instance.seed}"),
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
    return _grid(rows)


def _grid(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for label, text in rows:
        table.add_row(label, Text(printable(text)))
    return table
