"""The compiled modules that a language server may import, for the present sources of a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bridge.engine.lakefile import Option, Package, read_package
from bridge.engine.modules import read_modules
from bridge.engine.sources import HeaderError, Import, parse_header
from embedded_lean.store import Store, module_keys

__all__ = ["Snapshot", "imports_of", "take_snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State of a project's sources at one moment.

    `tree` holds the compiled form of every module in `compiled`; a module that is missing there
    was not compiled since it, or something it imports, was last changed.
    """

    package: Package
    tree: Path
    compiled: Mapping[str, str] = field(repr=False)

    def key(self, imported: str) -> str:
        """Key of a compiled module; empty if it is not compiled, or not one of the project's."""
        return self.compiled.get(imported, "")

    def missing(self, imports: tuple[Import, ...]) -> tuple[Import, ...]:
        """The project's own among `imports` that are not compiled from their present source."""
        return tuple(
            i
            for i in imports
            if self.package.library_of(i.module) is not None and i.module not in self.compiled
        )

    def options(self, uri: str) -> tuple[tuple[str, Option], ...]:
        """Lean options for a source: its library's, or the package's where it belongs to none."""
        path = Path(unquote(urlsplit(uri).path))
        for library in self.package.libraries:
            if path.is_relative_to(library.source_folder):
                inside = path.relative_to(library.source_folder).with_suffix("")
                if library.owns(".".join(inside.parts)):
                    return library.options
        return self.package.options


def take_snapshot(project: Path, store: Store, fingerprint: str) -> Snapshot:
    """Read all sources of a project, and find what is compiled of them.  Nothing is compiled.

    Raises:
        LakefileError, BuildBrokenError: the project cannot be read.
    """
    package = read_package(project)
    keys = module_keys(read_modules(package), fingerprint, store, project)
    compiled = {name: key for name, key in keys.items() if store.has(key)}
    return Snapshot(package, store.tree(keys), compiled)


def imports_of(text: str) -> tuple[Import, ...]:
    """Imports of a source; none if its head cannot be read, which Lean will say."""
    try:
        return parse_header(text).imports
    except HeaderError:
        return ()
