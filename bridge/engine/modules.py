"""The modules of a project, in the order in which they have to be compiled.

Starting from the libraries' roots, imports are followed within the project's own libraries; other
imports are Lean's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from bridge.engine.errors import BuildBrokenError
from bridge.engine.interface import LeanMessage
from bridge.engine.lakefile import Library, Package
from bridge.engine.sources import HeaderError, Import, parse_header

__all__ = ["Module", "read_modules", "shown_path"]


_SHIPPED = frozenset({"Init", "Std", "Lean"})
"""What the embedded engine ships.  Lean looks for a module in the first folder that has its root,
and that is the engine's."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module of the project.

    `file` is its path for messages, `imports` are those that the project itself provides.
    `problems` are errors that were found without running Lean (a missing source, an import cycle);
    a module that has any cannot be compiled.
    """

    name: str
    library: Library
    path: Path
    file: str
    source: bytes
    imports: tuple[Import, ...]
    problems: tuple[LeanMessage, ...] = ()


def read_modules(package: Package) -> tuple[Module, ...]:
    """All modules of a package, each after everything that it imports.

    Errors in sources are `problems` of modules.

    Raises:
        BuildBrokenError: a source exists and cannot be read.
    """
    found: dict[str, Module] = {}
    reader = _Reader(package)
    pending = [(root, library) for library in package.libraries for root in library.roots][::-1]
    while pending:
        name, library = pending.pop()
        if name in found:
            continue
        found[name] = reader.read(name, library)
        for imported in reversed(found[name].imports):
            owner = package.library_of(imported.module)
            if owner is not None:
                pending.append((imported.module, owner))
    return tuple(_ordered(found))


def shown_path(path: Path, project: Path) -> str:
    """A path for messages: relative to the project if it is inside, with forward slashes."""
    for folder in (project, project.resolve()):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.as_posix()


class _Reader:
    """Reads the modules of a package; asks the system only once about each file and folder."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._project = package.folder.resolve()
        self._folders: dict[Path, Path] = {}
        self._there: dict[Path, bool] = {}

    def read(self, name: str, library: Library) -> Module:
        """One module, with its problems; see `read_modules`."""
        package, path = self._package, library.source(name)
        file = shown_path(path, package.folder)
        problems: list[LeanMessage] = []

        def problem(text: str, line: int = 0, column: int = 0) -> None:
            problems.append(LeanMessage(file, line, column, "error", text))

        root = name.partition(".")[0]
        if root in _SHIPPED:
            problem(
                f"module {name} cannot be found: Lean ships the modules whose names begin with "
                f"`{root}`, and looks for this one among them alone; rename it, to My.{name} say: "
                "its file, its imports, and the `roots` or the name of its library"
            )
        source = b""
        imports: list[Import] = []
        try:
            source = path.read_bytes()
            real = self._real(path)
            if not real.is_relative_to(self._project):
                problem(
                    f"{file} is a link that leads out of the project, to {real}: put the "
                    "file itself there, or use the official toolchain (--engine lake)"
                )
            header = parse_header(source.decode("utf-8"))
            if header.is_module:
                problem(
                    "a file that begins with `module` needs the official toolchain (--engine lake)",
                    1,
                )
            for imported in header.imports:
                owner = package.library_of(imported.module)
                if owner is None:
                    continue
                target = owner.source(imported.module)
                if self._is_there(target):
                    imports.append(imported)
                else:
                    missing = shown_path(target, package.folder)
                    text = f"unknown module {imported.module}: {missing} is missing"
                    problem(text, imported.line, imported.column)
        except (FileNotFoundError, NotADirectoryError):
            problem(f"module {name} has no source: {file} is missing")
        except OSError as error:
            raise BuildBrokenError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            problem("the source is not UTF-8", source.count(b"\n", 0, error.start) + 1)
        except HeaderError as error:
            problem(error.message, error.line, error.column)
        return Module(name, library, path, file, source, tuple(imports), tuple(problems))

    def _real(self, path: Path) -> Path:
        """The file's own path, without links."""
        if path.is_symlink():
            return path.resolve()
        if path.parent not in self._folders:
            self._folders[path.parent] = path.parent.resolve()
        return self._folders[path.parent] / path.name

    def _is_there(self, path: Path) -> bool:
        if path not in self._there:
            self._there[path] = path.is_file()
        return self._there[path]


def _ordered(modules: dict[str, Module]) -> Iterator[Module]:
    """Imports before importers.  Every module on a cycle gets a problem that shows the cycle."""
    cyclic: dict[str, LeanMessage] = {}
    order: list[str] = []
    done: set[str] = set()
    for start in modules:
        if start in done:
            continue
        path = [start]
        pending = [iter(modules[start].imports)]
        while path:
            imported = next(pending[-1], None)
            if imported is None:
                pending.pop()
                order.append(path.pop())
                done.add(order[-1])
            elif imported.module in path:
                cycle = [*path[path.index(imported.module) :], imported.module]
                for member, following in pairwise(cycle):
                    problem = _cycle_problem(modules[member], following, cycle)
                    cyclic.setdefault(member, problem)
            elif imported.module not in done:
                path.append(imported.module)
                pending.append(iter(modules[imported.module].imports))
    for name in order:
        extra = (cyclic[name],) if name in cyclic else ()
        yield replace(modules[name], problems=(*modules[name].problems, *extra))


def _cycle_problem(module: Module, following: str, cycle: list[str]) -> LeanMessage:
    place = next(i for i in module.imports if i.module == following)
    text = "import cycle: " + " imports ".join(cycle)
    return LeanMessage(module.file, place.line, place.column, "error", text)
