"""The source that a check consists of: its function, and the helpers that it uses.

The lock keeps a hash of it, so that a check that now measures something else is noticed.  Names are
followed from a function to the top-level statements of its module that bind what it mentions, and
to other modules of the project, or of the bridge's own checks.  A module that is used as a whole
counts as a whole, and so does one whose function cannot be found by its name.  Installed packages
are not followed.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import bridge
import numeric
from bridge.storage import opened

__all__ = ["source_hash"]

_OURS = (f"{bridge.__name__}.checks", numeric.__name__)
_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def source_hash(measure: Callable[..., Any]) -> str:
    """sha256 over the source of a check and everything that it uses; the same on every machine."""
    start = _module(measure.__module__)
    if start is None:  # typed into a notebook
        return hashlib.sha256(inspect.getsource(measure).encode()).hexdigest()
    walk = _Walk(ours=_is_ours(measure.__module__))
    if measure.__name__ in start.bindings and "<locals>" not in measure.__qualname__:
        walk.name(start, measure.__name__)
    else:
        walk.whole(start)
    return hashlib.sha256("\0".join(sorted(walk.found)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Statement:
    """A top-level statement of a module: its text, and the names that it mentions."""

    text: str
    names: frozenset[str]
    imports: tuple[ast.Import | ast.ImportFrom, ...]
    itself: ast.stmt


@dataclass(frozen=True, slots=True)
class _Module:
    """A module's text, the numbers of the top-level statements that bind each name, and of those
    that bind nothing, such as calls that define a family."""

    name: str
    file: str
    text: str
    statements: tuple[_Statement, ...]
    bindings: dict[str, list[int]]
    effects: tuple[int, ...]
    package: str


def _decorators(statement: ast.stmt) -> list[ast.expr]:
    return statement.decorator_list if isinstance(statement, _DEFINES) else []


def _is_ours(module: str) -> bool:
    return any(module == own or module.startswith(f"{own}.") for own in _OURS)


@cache
def _module(name: str) -> _Module | None:
    """A loaded module that is a file of Python source."""
    loaded = sys.modules.get(name)
    file = getattr(loaded, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py") or not Path(file).is_file():
        return None
    text = Path(file).read_text(encoding="utf-8")
    body, lines = ast.parse(text).body, text.splitlines()
    bindings: dict[str, list[int]] = {}
    for number, statement in enumerate(body):
        for bound in set(_bound(statement)):
            bindings.setdefault(bound, []).append(number)
    return _Module(
        name=name,
        file=Path(file).name,
        text=text,
        statements=tuple(_read(statement, lines) for statement in body),
        bindings=bindings,
        effects=tuple(n for n, statement in enumerate(body) if _acts(statement)),
        package=str(getattr(loaded, "__package__", "") or ""),
    )


def _read(statement: ast.stmt, lines: list[str]) -> _Statement:
    first = min([statement.lineno, *(d.lineno for d in _decorators(statement))])
    inside = list(ast.walk(statement))
    return _Statement(
        text="\n".join(lines[first - 1 : statement.end_lineno]),
        names=frozenset(n.id for n in inside if isinstance(n, ast.Name)),
        imports=tuple(n for n in inside if isinstance(n, ast.Import | ast.ImportFrom)),
        itself=statement,
    )


def _acts(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.For | ast.While | ast.With)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Names that a top-level statement of a module binds, also within its branches."""
    if isinstance(statement, _DEFINES):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.split(".")[0]
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.stmt) and node is not statement:
                yield from _bound(node)


@dataclass(slots=True)
class _Walk:
    """The sources found so far; `ours` says whether the check comes with the bridge."""

    ours: bool
    found: set[str] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def name(self, module: _Module, name: str) -> None:
        """Follow a name that is bound at the top level of a module."""
        if (module.name, name) in self.seen:
            return
        self.seen.add((module.name, name))
        for number in (*module.bindings.get(name, ()), *(() if self.ours else module.effects)):
            self.statement(module, number, name)

    def statement(self, module: _Module, number: int, name: str) -> None:
        """Add a statement, and follow the names that it mentions."""
        statement = module.statements[number]
        if isinstance(statement.itself, ast.Import | ast.ImportFrom):
            self.imported(module, statement.itself, name)
            return
        if (module.name, str(number)) in self.seen:
            return
        self.seen.add((module.name, str(number)))
        self.found.add(f"{module.file}:{statement.text}")
        for mentioned in statement.names & module.bindings.keys():
            self.name(module, mentioned)
        for inner in statement.imports:
            self.imported(module, inner, "")

    def imported(self, module: _Module, statement: ast.Import | ast.ImportFrom, name: str) -> None:
        """Follow an import, of `name` or, if that is empty, of everything that it names."""
        for alias in statement.names:
            if name and (alias.asname or alias.name.split(".")[0]) != name:
                continue
            if isinstance(statement, ast.Import):
                self.module(alias.name)
                continue
            source = "." * statement.level + (statement.module or "")
            if statement.level:
                parents = module.package.split(".")
                kept = parents[: len(parents) - statement.level + 1]
                source = ".".join([*kept, *([statement.module] if statement.module else [])])
            target = self.followed(source)
            if target is not None and alias.name in target.bindings:
                self.name(target, alias.name)
            elif target is not None and alias.name == "*":
                self.whole(target)
            else:
                self.module(f"{source}.{alias.name}")

    def module(self, name: str) -> None:
        """Follow a module that is used as a whole."""
        if (target := self.followed(name)) is not None:
            self.whole(target)

    def whole(self, module: _Module) -> None:
        """Add a whole module, and follow all its imports."""
        if (module.name, "*") in self.seen:
            return
        self.seen.add((module.name, "*"))
        self.found.add(f"{module.file}:{module.text}")
        for statement in module.statements:
            for inner in statement.imports:
                self.imported(module, inner, "")

    def followed(self, name: str) -> _Module | None:
        """The module, if it is the project's, or if both the check and it are the bridge's."""
        if name.split(".")[0] in (bridge.__name__, numeric.__name__):
            return _module(name) if self.ours and _is_ours(name) else None
        return _module(name) if _of_the_project(name) else None


@cache
def _of_the_project(name: str) -> bool:
    """Whether a loaded module is a file outside all installed packages."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if not isinstance(file, str):
        return False
    path = Path(file).resolve()
    return not any(path.is_relative_to(Path(folder).resolve()) for folder in opened.INSTALLED)
