"""An audit that cannot be fooled: every trick, through the real engine."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli.main import group
from bridge.lean.project import Project
from tests.cli.faults import FAULTS
from tests.lean.conftest import ROOT, Once, write_project
from tests.lean.many_tricks import MANY, bodies_of
from tests.lean.trick import HEAD, TAIL, Trick
from tests.lean.tricks import HONEST, TRICKS
from tests.lean.tricks_at_import import AT_IMPORT

Make = Callable[[str], Project]


ALL = (*TRICKS, *AT_IMPORT)
ALONE = tuple(t for t in ALL if not t.shares)
LONG = {"theorem-removed", "trust-answered", "statements-rewritten", "search-hijacked"}
"""Those that only `make slow-test` tries: each takes an audit of its own project, or two."""
SHARING = (HONEST, *(t for t in ALL if t.shares))
FIRST = {t.shares: t for t in reversed(SHARING)}
"""The first trick of each project that several share: `make test` tries no others by themselves."""
WITH_MANY = "refused"
"""The project that also has the many tricks."""
NOTHING = "nothing"
"""The project without obligations: it can only be audited as a whole."""


def obligations(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(group, [*arguments, "--project", str(project.root)])


def write(
    project: Project, tricks: Sequence[Trick], *, before: bool = False, spoilt: str = ""
) -> None:
    """The project of these tricks; if there are several, each in its own namespace.

    Waivers that spoil an audit are written only for the trick ``spoilt``.
    """
    lean, imports, bodies, waivers = project.root / "lean", "", "", ""
    for trick in tricks:
        for module, text in trick.files.items():
            name = trick.moved(module).replace(f"{trick.space}.", trick.space)
            (lean / (name.replace(".", "/") + ".lean")).write_text(text, encoding="utf-8")
            imports += f"import {name}\n"
        body = trick.body if not before or trick.before is None else trick.before
        space = trick.space if trick.shares else ""
        body = f"namespace {space}\n{trick.moved(body)}end {space}\n" if space else body
        bodies += body
        for key in trick.waived if not trick.spoils or trick.name == spoilt else ():
            key = f"{space}.{key}" if space else key
            waivers += f'[[waiver]]\nkey = "{key}"\nreason = "not a number"\n'
    if any(t.shares == WITH_MANY for t in tricks):
        bodies += bodies_of(MANY)
    (lean / "Demo" / "Basic.lean").write_text(imports + HEAD + bodies + TAIL, encoding="utf-8")
    (project.root / "waivers.toml").write_text(waivers, encoding="utf-8")


def audited(project: Project, tricks: Sequence[Trick]) -> Result:
    """The first audit of a project, after locking it as the tricks require."""
    if any(t.before is not None for t in tricks):
        write(project, tricks, before=True)
        locked = obligations(project, "lock")
        assert locked.exit_code == 0, locked.output
    write(project, tricks)
    return obligations(project, "audit")


def judged(trick: Trick, result: Result) -> None:
    assert result.exit_code == trick.code, result.output
    assert " ".join(trick.moved(trick.said).split()) in " ".join(result.output.split())
    assert "Traceback" not in result.output


@pytest.mark.lean
@pytest.mark.parametrize(
    "trick",
    [pytest.param(t, id=t.name, marks=[pytest.mark.slow] * (t.name in LONG)) for t in ALONE],
)
def test_trick(trick: Trick, project_of: Make) -> None:
    judged(trick, audited(project_of("import Obligations\n"), [trick]))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Callable[[str], Project]:
    """The project that tricks share, audited as a whole: Lean has answered about all of them."""

    @functools.cache
    def project(name: str) -> Project:
        made = write_project(tmp_path_factory.mktemp(name), "import Obligations\n")
        with once(f"tricks-{name}"):
            audited(made, [t for t in SHARING if t.shares == name])
        return made

    return project


@pytest.mark.lean
@pytest.mark.parametrize(
    "trick",
    [
        pytest.param(t, id=t.name, marks=[pytest.mark.slow] * (t is not FIRST[t.shares]))
        for t in SHARING
    ],
)
def test_trick_among_others(
    trick: Trick, shared: Callable[[str], Project], project_of: Make
) -> None:
    """An audit of its theorems alone gives the same result as an audit of a project with nothing
    else."""
    project = shared(trick.shares)
    if trick.spoils:  # the same sources, about which Lean has answered
        project = project_of("import Obligations\n")
        write(project, [t for t in SHARING if t.shares == trick.shares], spoilt=trick.name)
    only = () if trick.shares == NOTHING else ("--only", f"{trick.space}.*")
    judged(trick, obligations(project, "audit", *only))


@pytest.mark.lean
def test_many_tricks_in_one_project(shared: Callable[[str], Project]) -> None:
    result = obligations(shared(WITH_MANY), "audit", "--format", "json")
    assert result.exit_code == 1, result.output
    found = {
        o["declaration"].split(".")[0]: o["lean"]["status"]
        for o in json.loads(result.stdout)["obligations"]
        if o["binder"] == "conclusion"
    }
    others = {t.space: "refused" for t in SHARING if t.shares == WITH_MANY}
    assert found == {**{t.space: t.status for t in MANY}, **others}


def test_the_page_shows_every_trick() -> None:
    path = ROOT / "docs" / "tricks.md"
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page(), "run it once with UPDATE_DOCS=1"


def page() -> str:
    rows = [f"| {t.name} | {t.what} | {t.code} | {t.said.strip()} |" for t in ALL]
    many = [f"| {t.what} | {t.status} |" for t in MANY]
    faults = [f"| {f.mode} | {f.what} | {f.code} | {f.said} |" for f in FAULTS]
    return (
        PAGE
        + "\n".join(rows)
        + "\n"
        + TOGETHER
        + "\n".join(many)
        + "\n"
        + SERVERS
        + "\n".join(faults)
        + "\n"
        + END
    )


PAGE = """\
# Ways to fool an audit

Each row is a small Lean project in `tests/lean/tricks.py` or `tests/lean/tricks_at_import.py`,
audited by the real engine in the tests.  Its obligations are waived, so that an honest project ends
with exit code 0; everything that is reported is due to the trick.  Most share a project, each in
its own namespace that is audited alone.

| trick | what is tried | exit code | what the audit says |
| --- | --- | --- | --- |
"""
TOGETHER = """
## Many at once

Each row is a namespace with a theorem of its own (`tests/lean/many_tricks.py`), in the project of
the tricks above that a kernel refuses; one audit ends with exit code 1 and gives each theorem the
status listed here.

| what is tried | the theorem is |
| --- | --- |
"""
SERVERS = """
## Servers that misbehave

Each row is a scripted language server in a whole audit in `tests/cli/test_faults.py`.

| server | what it does | exit code | what the audit says |
| --- | --- | --- | --- |
"""
END = """
## What is not seen

Every trick in the first table is found without the official toolchain: the tests run it on the
embedded engine where no other is installed, and the exit codes are that engine's.  One of them can
differ: the embedded engine's kernel cannot run compiled code, so it refuses `native_decide`; where
a kernel accepts it, its axioms `Lean.ofReduceBool` and `Lean.trustCompiler` count as foreign, with
exit code 1.

Only the official toolchain sees the proofs of Lean's own library: to the embedded engine its lemmas
are axioms, which are counted but not inspected.  Only the official toolchain has `leanchecker`,
which reads the compiled files themselves; with the embedded engine these are stored by the hash of
their sources, and Lean's own replay checks what was loaded from them.

Code in the audited project runs inside Lean while it is compiled, and whenever its modules are
imported: `initialize`, linters, elaborators and tactics of its own.  None of it runs where the
verdict is computed: a document that imports none of the project reads its modules as data
(`lean/Obligations/Clean.lean`), and there Lean says what each theorem states and depends on,
whether it is vacuous, what the kernel accepts, and what another kernel receives.  An answer that
differs elsewhere ends the audit with 1.  Such code can only change text for people, or evidence:
how a statement is printed, which graphs are exported, what is drawn and decided exactly.  So
reports name what runs at import, and a strict audit is incomplete until a waiver of `trust:MODULE`
says why it may.  Faults of the engine are in `tests/engine`.
"""


def test_there_are_enough_tricks() -> None:
    assert len(ALL) >= 25
    assert len({t.name for t in ALL}) == len(ALL)


def test_pages_say_nothing_of_this_machine() -> None:
    assert str(Path.home()) not in page()
