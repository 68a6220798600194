"""`obligations list`, `show` and `graph`: what Lean says, without numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.auditing.audit import last_entry
from bridge.auditing.configured import Setup
from bridge.auditing.selection import select_keys, unknown_name
from bridge.checking import named_checks
from bridge.checks.pairing import paired
from bridge.cli.completion import complete_graphs, complete_names
from bridge.cli.groups import KeysByOption
from bridge.cli.options import LeanChoice, lean_options
from bridge.cli.progress_bar import Watch
from bridge.cli.prove_command import prove_files
from bridge.errors import InvalidInputError
from bridge.lean.client import printable
from bridge.lean.graphs import Family
from bridge.lean.known_names import remembered
from bridge.lean.library import Library, read_library
from bridge.lean.obligation import Obligation
from bridge.lean.requests import GraphRequest
from bridge.lean.statement import Statement
from bridge.report import Entry
from bridge.report.replay import witness_command
from bridge.report.table import first_sentence, lean_words
from bridge.report.wording import WAYS
from bridge.suggestions import did_you_mean
from bridge.verdict import Role

__all__ = ["graph_command", "list_command", "show_command"]


_BRACKETS = {
    "default": ("(", ")"),
    "implicit": ("{", "}"),
    "strictImplicit": ("⦃", "⦄"),
    "instImplicit": ("[", "]"),
}


def _library(lean: LeanChoice) -> Library:
    with Watch() as watch:
        return lean.set_up(watch).library(watch)


def _obligation_json(library: Library, o: Obligation) -> dict[str, object]:
    check = paired(library).get(o.key) or named_checks().get(o.key)
    return {
        "key": o.key,
        "role": o.role.value,
        "statement": o.statement,
        "file": library.project.file_of(o.module),
        "line": o.line,
        "statement_hash": o.statement_hash,
        "lean": o.lean.status.value,
        "check": None if check is None else check.name,
    }


@click.command("list", cls=KeysByOption)
@lean_options
@click.option(
    "--only",
    multiple=True,
    metavar="KEY",
    shell_complete=complete_names,
    help="Only these obligations: a key, a declaration, or a glob. Repeatable.",
)
@click.option(
    "--untagged",
    is_flag=True,
    help="List the theorems that have hypotheses and are not tagged instead.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="The output format.",
)
def list_command(lean: LeanChoice, only: tuple[str, ...], style: str, untagged: bool) -> None:
    """List every tagged theorem: its place, its hypotheses, its conclusion.

    \b
    obligations list
    obligations list --only 'encoderBlock*:h*'
    obligations list --format json
    obligations list --untagged
    """
    if untagged:
        _list_untagged(lean)
        return
    library = _library(lean)
    chosen = select_keys(library.obligations, only)
    if style == "json":
        click.echo(
            json.dumps([_obligation_json(library, o) for o in chosen], indent=2, ensure_ascii=False)
        )
        return
    console = Console(highlight=False)
    for declaration, group in groupby(chosen, key=lambda o: o.declaration):
        members = list(group)
        place = _place(library, members[0].module, members[0].line)
        console.print(
            Text.assemble((printable(declaration), "bold"), "  ", (printable(place), "dim"))
        )
        if members[0].doc:
            console.print(
                Padding(Text(first_sentence(members[0].doc), style="italic"), (0, 0, 0, 2))
            )
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(ratio=1)
        for o in members:
            table.add_row(
                Text(printable(o.binder)), Text(o.lean.status.value), Text(printable(o.statement))
            )
        console.print(Padding(table, (0, 0, 1, 2)))
    theorems = len({o.declaration for o in chosen if o.role is not Role.FIDELITY})
    graphs = sum(o.role is Role.FIDELITY for o in chosen)
    plural = "graph" if graphs == 1 else "graphs"
    console.print(f"{theorems} theorems, {graphs} {plural}, {len(chosen)} obligations")
    if not chosen:
        click.echo("  → tag a theorem with @[obligation]", err=True)


def _place(library: Library, module: str, line: int) -> str:
    """The place of a declaration; a graph has none."""
    return f"{library.project.file_of(module)}:{line}" if module else "exported graph"


def _list_untagged(lean: LeanChoice) -> None:
    with Watch() as watch:
        setup = lean.set_up(watch)
        trust, library = setup.trust(watch), setup.library(watch)
    if trust is None:
        raise InvalidInputError(
            "--untagged: the lock does not have this", remedy="choose another --engine"
        )
    for name in setup.policy.left_out(trust, library).untagged:
        click.echo(printable(name))


def _show_statement(console: Console, library: Library, statement: Statement) -> None:
    console.print(
        Text.assemble(
            (printable(statement.name), "bold"),
            "  ",
            (printable(f"{library.project.file_of(statement.module)}:{statement.line}"), "dim"),
        )
    )
    if statement.doc:
        console.print(Padding(Text(printable(statement.doc), style="italic"), (1, 0, 1, 2)))
    for b in statement.binders:
        left, right = _BRACKETS[b.kind]
        name = "" if b.name is None else f"{b.name} : "
        style = "bold" if b.is_prop else ""
        console.print(
            Padding(Text(printable(f"{left}{name}{b.type}{right}"), style=style), (0, 0, 0, 2))
        )
    console.print(
        Padding(Text(printable(f": {statement.conclusion.type}"), style="bold"), (0, 0, 1, 2))
    )


@click.command("show")
@click.argument("name", metavar="KEY|DECLARATION", shell_complete=complete_names)
@lean_options
def show_command(lean: LeanChoice, name: str) -> None:
    """Show one theorem or obligation: the statement, Lean's status, its check, the check's result.

    The result is the one that the last audit with the project's seed and number of instances kept.

    \b
    obligations show layerNorm_hasFDerivAt
    obligations show layerNorm_hasFDerivAt:hVarEpsPos
    """
    with Watch() as watch:
        setup = lean.set_up(watch)
        library = setup.library(watch)
    found = library.find(name)
    if not found:
        raise unknown_name(name, library.obligations)
    console = Console(highlight=False)
    full = {s.name: s for s in library.statements.theorems}
    declaration = found[0].declaration
    theorem = next(
        (s for n, s in full.items() if n == declaration or n.split(".", 1)[-1] == declaration),
        None,
    )
    if theorem is None:
        console.print(Text.assemble((printable(declaration), "bold"), ("  exported graph", "dim")))
        console.print(Padding(Text(printable(found[0].doc), style="italic"), (1, 0, 1, 2)))
    else:
        _show_statement(console, library, theorem)
    for o in found:
        console.print(Text(printable(o.key), style="bold"))
        lines = [("Lean", lean_words(o)), ("statement", o.statement)]
        if o.lean.discharge is not None:
            lines.append(("discharged by", o.lean.discharge.lemma))
        if o.role is Role.CONCLUSION:
            axioms = ", ".join((*o.lean.standard_axioms, *o.lean.foreign_axioms)) or "none"
            if o.lean.library_axioms:
                axioms += (
                    f"; {o.lean.library_axioms} lemmas of Lean's own library, "
                    "whose proofs this engine does not see"
                )
            lines.append(("axioms", axioms))
        check = paired(library).get(o.key) or named_checks().get(o.key)
        entry = _last(setup, library, o)
        way = "" if entry is None else WAYS.get(entry.way, "")
        lines.append(("check", check.name if check is not None else way or "none"))
        if check is not None:
            lines.append(("", " ".join(check.doc.replace("``", "`").split())))
        lines.append(("hash", o.statement_hash))
        lines += _numbers(entry, o)
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, style="dim")
        table.add_column(ratio=1, overflow="fold")
        for label, text in lines:
            table.add_row(label, Text(printable(text)))
        console.print(Padding(table, (0, 0, 1, 2)))


def _last(setup: Setup, library: Library, o: Obligation) -> Entry | None:
    """The last audit's entry; None if there was no audit, or something has changed since."""
    return last_entry(
        library,
        o,
        seed=setup.seed(),
        instances=setup.instances(),
        policy=setup.policy,
        judges=setup.judges(may_ask=False),
        backend=setup.backend(),
    )


def _numbers(entry: Entry | None, o: Obligation) -> list[tuple[str, str]]:
    """The last audit's result: verdict, witness, and whether each hypothesis is needed."""
    if entry is None:
        return [("numbers", "not measured yet, or not since something changed: audit again")]
    lines = [("numbers", " ".join(x for x in (entry.verdict.value, entry.reason) if x))]
    r = entry.result
    if r is None:
        return lines
    if o.role is Role.CONCLUSION:
        lines.append(("accepted", f"every hypothesis holds on {r.accepted} of {r.instances}"))
    if r.witness is not None:
        lines.append(("witness", witness_command(entry)))
    return lines + [(f"without {n.hypothesis}", n.words) for n in r.needs]


def _sizes(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for value in values:
        name, _, number = value.partition("=")
        if not name or not number.isdigit():
            raise click.BadParameter(f"expected NAME=NUMBER but got {value!r}")
        sizes[name] = int(number)
    return sizes


def _family(families: Sequence[Family], name: str) -> Family:
    for family in families:
        if family.short == name:
            return family
    known = [f.short for f in families]
    raise InvalidInputError(
        f"no exported graph is called {name!r}",
        remedy=did_you_mean(name, known, "`obligations graph` lists them"),
    )


@click.command("graph")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=complete_graphs)
@lean_options
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="NAME=N",
    callback=_sizes,
    help="A size other than the default. Repeatable.",
)
@click.option(
    "--prove",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Let Lean prove the graph in this file instead, and print its hypotheses. Repeatable.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="The format of the proof's report.",
)
@click.pass_context
def graph_command(
    ctx: click.Context,
    lean: LeanChoice,
    name: str | None,
    sizes: dict[str, int],
    files: tuple[Path, ...],
    style: str,
) -> None:
    """Print an exported graph as JSON; without NAME, list all graphs.

    With --prove: exit code 0 if every graph is proved, 1 if a proof rests on sorry or a foreign
    axiom, 2 usage, 3 no Lean, 4 if Lean has no theorem about a graph.

    \b
    obligations graph
    obligations graph layerNormGraph
    obligations graph layerNormGraph --size seqLen=3 --size dModel=8
    obligations graph --prove layer.json
    """
    if files:
        if name is not None or sizes:
            raise InvalidInputError(
                "--prove takes graphs from files, not the library's", remedy="leave NAME out"
            )
        ctx.exit(prove_files(lean, files, style))
    with Watch() as watch:
        setup = lean.set_up(watch)
        if name is not None and name not in remembered(setup.project.root).graphs:
            _family(setup.library(watch).graphs.families, name)
        requests = [] if name is None else [GraphRequest(name, tuple(sorted(sizes.items())))]
        library = read_library(
            setup.project, setup.engine, requests, timeout=setup.timeout, progress=watch
        )
    families = library.graphs.families
    if name is None:
        for family in families:
            defaults = " ".join(f"{n}={k}" for n, k in (*family.sizes, *family.constants))
            click.echo(f"{family.short}  {defaults}")
        if not families:
            click.echo("no graph is exported\n  → tag its definition @[graph_family]", err=True)
        return
    (request,) = requests
    if request in library.graphs.refused:
        given = " ".join(f"--size {n}={k}" for n, k in _family(families, name).sizes)
        raise InvalidInputError(
            library.graphs.refused[request], remedy=f"its sizes and their defaults: {given}"
        )
    click.echo(json.dumps(library.graphs.members[request], indent=1, ensure_ascii=False))
