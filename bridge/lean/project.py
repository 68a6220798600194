"""A Lean project on disk: its libraries, its sources, and one hash over all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bridge.engine import LakefileError
from bridge.engine.lakefile import Library as LeanLibrary
from bridge.engine.lakefile import read_package, scan_libraries
from bridge.errors import InvalidInputError

__all__ = ["Project", "find_libraries", "find_project"]

LAKEFILES = ("lakefile.lean", "lakefile.toml")
_PINNED = (*LAKEFILES, "lean-toolchain", "lake-manifest.json")
EXPORTER = "Obligations"


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a lakefile, and the Lean libraries it declares."""

    root: Path
    libraries: tuple[LeanLibrary, ...]

    @property
    def roots(self) -> tuple[str, ...]:
        """Root modules of the audited libraries: all except the exporter's own."""
        found = [r for lib in self.libraries for r in lib.roots if r != EXPORTER]
        return tuple(dict.fromkeys(found))

    def sources(self) -> tuple[Path, ...]:
        """Every Lean file of every library, sorted."""
        found: set[Path] = set()
        for library in self.libraries:
            for root in library.roots:
                source = library.source(root)
                found.update(
                    p for p in (source, *source.with_suffix("").rglob("*.lean")) if p.is_file()
                )
        return tuple(sorted(found))

    @property
    def modules(self) -> tuple[str, ...]:
        """Every module of the audited libraries, by its file."""
        found = []
        for path in self.sources():
            for library in self.libraries:
                if path.is_relative_to(library.source_folder):
                    parts = path.relative_to(library.source_folder).with_suffix("").parts
                    if library.owns(name := ".".join(parts)):
                        found.append(name)
                        break
        return tuple(name for name in found if name.split(".")[0] != EXPORTER)

    def fingerprint(self) -> str:
        """sha256 over every Lean source, the lakefile, the toolchain and the manifest."""
        return self._digest((*self._pinned(), *self.sources()))

    def pinned_fingerprint(self) -> str:
        """Like :meth:`fingerprint`, without the sources."""
        return self._digest(self._pinned())

    def _pinned(self) -> tuple[Path, ...]:
        return tuple(p for name in _PINNED if (p := self.root / name).is_file())

    def _digest(self, paths: Iterable[Path]) -> str:
        digest = hashlib.sha256()
        for path in paths:
            name = path.relative_to(self.root).as_posix().encode()
            data = path.read_bytes()
            digest.update(b"%d:%d:" % (len(name), len(data)) + name + data)
        return digest.hexdigest()

    def file_of(self, module: str) -> str | None:
        """Path of a module's source, relative to the project, with forward slashes."""
        for library in self.libraries:
            path = library.source(module)
            if library.owns(module) and path.is_file():
                return path.relative_to(self.root).as_posix()
        return None


def _libraries(root: Path) -> tuple[LeanLibrary, ...]:
    """The libraries of a project, even if only the official `lake` can parse its lakefile.

    The embedded engine reads the lakefile itself and refuses what it cannot parse.
    """
    try:
        return read_package(root).libraries
    except LakefileError:
        found = scan_libraries(root)
        if not found:
            raise
        return found


def find_libraries(root: Path) -> tuple[LeanLibrary, ...]:
    """The libraries that the lakefile in the folder ``root`` declares; at least one.

    Raises:
        InvalidInputError: there is no lakefile.
        EngineError: the lakefile cannot be parsed.
    """
    if not any((root / name).is_file() for name in LAKEFILES):
        raise InvalidInputError(
            f"{root} holds neither {' nor '.join(LAKEFILES)}",
            remedy="name the folder of a Lean project with --project DIR; `obligations init --new "
            "Demo` begins one",
        )
    return _libraries(root)


def find_project(folder: Path) -> Project:
    """The Lean project at ``folder`` or in the nearest folder above it.

    Raises:
        InvalidInputError: there is no lakefile, or it declares no library to audit.
        EngineError: the lakefile cannot be understood.
    """
    start = folder.resolve()
    if not start.is_dir():
        wrong = "this is a file, not a folder" if start.exists() else "there is no such folder"
        raise InvalidInputError(
            f"--project {folder}: {wrong}", remedy="name a folder with a lakefile"
        )
    for root in (start, *start.parents):
        if any((root / name).is_file() for name in LAKEFILES):
            project = Project(root, _libraries(root))
            if not project.roots:
                raise InvalidInputError(
                    f"{root}: the lakefile declares no Lean library to audit",
                    remedy="add a `lean_lib` to it",
                )
            return project
    raise InvalidInputError(
        f"{folder}: neither this folder nor one above it holds {' or '.join(LAKEFILES)}",
        remedy="name the Lean project with --project DIR",
    )
