"""The Lean library `Obligations`, copied into a user's project.

It holds the attributes that tag theorems and the commands that the bridge uses.  It belongs to this
version of the bridge, so a project keeps a copy and renews it with the bridge.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bridge
from bridge.engine.lakefile import Package
from bridge.engine.modules import read_modules
from bridge.errors import InvalidInputError
from bridge.lean.project import EXPORTER, LAKEFILES, Project, find_libraries
from bridge.storage.atomic import write_atomically

__all__ = ["Added", "add_exporter", "exporter_sources", "refuse_another_exporter"]

DECLARATION = 'lean_lib Obligations where\n  srcDir := "{folder}"\n'
DECLARATION_TOML = '[[lean_lib]]\nname = "Obligations"\nsrcDir = "{folder}"\n'


@dataclass(frozen=True, slots=True)
class Added:
    """What was done to a project.

    Attributes:
        written: files that are new or changed, relative to the project.
        current: how many files were up to date.
        declaration: what the lakefile still lacks; empty if it declares the library.
    """

    written: tuple[str, ...]
    current: int
    declaration: str


def exporter_sources() -> dict[str, str]:
    """The library's sources by their path below a source folder."""
    package = Path(bridge.__file__).parent
    for folder in (package / "lean", package.parent / "lean"):  # in a wheel, in a checkout
        if (folder / f"{EXPORTER}.lean").is_file():
            files = (folder / f"{EXPORTER}.lean", *sorted((folder / EXPORTER).rglob("*.lean")))
            return {f.relative_to(folder).as_posix(): f.read_text(encoding="utf-8") for f in files}
    raise InvalidInputError(
        f"this installation of lean-obligations lacks the Lean library {EXPORTER}",
        remedy="install it again",
    )


def _is_below(root: str) -> bool:
    return root == EXPORTER or root.startswith(f"{EXPORTER}.")


def refuse_another_exporter(project: Project) -> None:
    """Raise if the project's copy of the library is not this bridge's.

    The library decides what an audit sees: one line in it could hide a theorem.  If a project has
    no copy, Lean reports what is missing.

    Raises:
        InvalidInputError: a file of the copy differs, is missing, or is not one of the library's;
            or another library has a root below it.
    """
    own = next((lib for lib in project.libraries if lib.owns(EXPORTER)), None)
    below = [lib for lib in project.libraries if any(_is_below(r) for r in lib.roots)]
    if others := [lib.name for lib in below if lib is not own]:
        raise InvalidInputError(
            f"modules of {EXPORTER} belong to another library of this project too: "
            f"{', '.join(others)}; Lean would import its files in place of the exporter's",
            remedy=f"declare one library with the root `{EXPORTER}`, and none with a root below it",
        )
    if own is None or not own.source(EXPORTER).is_file():
        return
    place, expected = own.source_folder, exporter_sources()
    there = {p.relative_to(place).as_posix() for p in (place / EXPORTER).rglob("*.lean")}
    # Imported modules count too: the loop above does not follow a folder that is a link.
    package = Package(project.root, project.root / LAKEFILES[0], project.libraries)
    modules = (m.name for m in read_modules(package) if _is_below(m.name))
    there |= {f"{name.replace('.', '/')}.lean" for name in modules}
    odd = sorted(there - {f"{EXPORTER}.lean"} - set(expected))
    for name, text in expected.items():
        path = place / name
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
            odd.append(name)
    if odd:
        raise InvalidInputError(
            f"the Lean library {EXPORTER} of this project is not the one of this version of "
            f"lean-obligations: {', '.join(odd[:5])}{' and more' if len(odd) > 5 else ''}",
            remedy=f"remove what is not the library's own from {place / EXPORTER}, then "
            "`obligations init` puts the right files there",
        )


def add_exporter(folder: Path) -> Added:
    """Put the library next to the project's own sources, or renew it there.

    Args:
        folder: the project's folder; its lakefile is read and not changed.

    Raises:
        InvalidInputError: there is no lakefile, or it declares no library.
        OSError: a file cannot be written.
    """
    root = folder.resolve()
    libraries = find_libraries(root)
    own = next((lib for lib in libraries if EXPORTER in lib.roots), None)
    place = (own or libraries[0]).source_folder
    if own is not None and not Project(root, libraries).roots:
        raise InvalidInputError(
            f"{root}: the lakefile declares no Lean library but {EXPORTER}",
            remedy="add a `lean_lib` for your theorems",
        )
    written, current = [], 0
    for name, text in exporter_sources().items():
        path = place / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            current += 1
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
        written.append(path.relative_to(root).as_posix())
    lakefile = next(name for name in LAKEFILES if (root / name).is_file())
    form = DECLARATION_TOML if lakefile.endswith(".toml") else DECLARATION
    where = place.relative_to(root).as_posix()
    return Added(tuple(written), current, "" if own is not None else form.format(folder=where))
