"""Modules of a project that may read files while they are compiled, for the official toolchain.

Lake compiles a module again if its source, its options or its imports have changed; it does not
know which files its elaborators read.  So compiled forms of modules that may read files are removed
before a build whose result counts.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bridge.engine.lakefile import Library, scan_libraries
from bridge.engine.sources import HeaderError, parse_header

__all__ = ["forget_readers", "readers"]

_EXPORTER = "Obligations"
"""Its modules write files and read none; they are compared with ours before they run."""
_READING = re.compile(
    r"include_str|include_bytes|\bFS\.|readFile|readBinFile|readDir|pathExists|\bHandle\b|"
    r"IO\.Process"
)


def forget_readers(project: Path) -> tuple[str, ...]:
    """Remove the compiled forms of the modules that may read files; returns their names.

    A compiled form that cannot be removed stays: then Lake decides whether it is current.
    """
    found = readers(_sources(scan_libraries(project)))
    compiled = project / ".lake" / "build" / "lib"
    for folder in (compiled, compiled / "lean"):  # the second since Lean 4.15
        for name in found:
            stem = folder.joinpath(*name.split("."))
            for path in stem.parent.glob(f"{stem.name}.*"):
                with contextlib.suppress(OSError):
                    path.unlink()
    return found


def readers(sources: Mapping[str, str]) -> tuple[str, ...]:
    """The modules, given by their sources, that mention a way to read files, and all that import
    one: an elaborator reads where it is used, not where it is written."""
    own = {n: text for n, text in sources.items() if n.split(".")[0] != _EXPORTER}
    found = {name for name, text in own.items() if _READING.search(text)}
    imports = {name: _imports(text) for name, text in own.items()}
    while more := {n for n, below in imports.items() if n not in found and below & found}:
        found |= more
    return tuple(sorted(found))


def _imports(text: str) -> set[str]:
    try:
        return {i.module for i in parse_header(text).imports}
    except HeaderError:  # Lean will report it
        return set()


def _sources(libraries: Iterable[Library]) -> dict[str, str]:
    return {
        name: path.read_text(encoding="utf-8", errors="replace")
        for library in libraries
        for name, path in _modules(library)
    }


def _modules(library: Library) -> Iterator[tuple[str, Path]]:
    for root in library.roots:
        source = library.source(root)
        for path in (source, *source.with_suffix("").rglob("*.lean")):
            if path.is_file():
                parts = path.relative_to(library.source_folder).with_suffix("").parts
                yield ".".join(parts), path
