"""The compiled modules that a document may import, for the present sources of a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bridge.engine.lakefile import Package, read_package
from bridge.engine.modules import read_modules
from bridge.engine.sources import HeaderError, Import, parse_header
from embedded_lean.store import Store, module_keys

__all__ = ["Snapshot", "imports_of", "take_snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State of a project's sources at one moment.

    `tree` holds the compiled form of every module in `compiled`; a missing module was not compiled
    since it, or something it imports, was last changed.
    """

    package: Package
    tree: Path
    compiled: Mapping[str, str] = field(repr=False)

    def missing(self, imports: tuple[Import, ...]) -> tuple[Import, ...]:
        """The imports of the project's own modules that are not compiled from their present
        source."""
        return tuple(
            i
            for i in imports
            if self.package.library_of(i.module) is not None and i.module not in self.compiled
        )


def take_snapshot(project: Path, store: Store, fingerprint: str) -> Snapshot:
    """Read all sources of a project, and find which are compiled.  Nothing is compiled.

    Raises:
        LakefileError, BuildBrokenError: the project cannot be read.
    """
    package = read_package(project)
    keys = module_keys(read_modules(package), fingerprint, store, project)
    compiled = {name: key for name, key in keys.items() if store.has(key)}
    return Snapshot(package, store.tree(keys), compiled)


def imports_of(text: str) -> tuple[Import, ...]:
    """Imports of a source; none if its head cannot be read, which Lean will report."""
    try:
        return parse_header(text).imports
    except HeaderError:
        return ()
