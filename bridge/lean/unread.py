"""Sources of a project that Lean never reads, and text that it stops before.

What no root imports is not compiled, and behind ``#exit`` Lean reads nothing: a theorem there,
tagged or not, is in no answer.  An audit that does not count these would call itself complete.

Counted are the Lean files below the folder of the project, wherever they lie, except in hidden and
``build`` folders, in other projects (a folder with a lakefile of its own), the lakefile itself, and
what the setting ``unread`` names.  A tag that a macro writes cannot be seen without running Lean;
its source is counted all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from bridge.engine.lakefile import Package
from bridge.engine.modules import read_modules
from bridge.lean.project import EXPORTER, LAKEFILES, Project

__all__ = ["Unread", "code_of", "said_of", "unread_sources"]

_SKIPPED = frozenset({"build", "node_modules", "__pycache__"})
_TAG = re.compile(r"@\[[^\]]*\bobligation\b|\battribute\s*\[[^\]]*\bobligation\b")
_EXIT = re.compile(r"(?<![\w.«])#exit\b")


@dataclass(frozen=True, slots=True)
class Unread:
    """A source, relative to the project, that Lean reads not at all, or only down to a line.

    ``line`` is that of ``#exit``; 0 where nothing is read.  ``tags`` counts the tags there.
    """

    file: str
    line: int
    tags: int


def code_of(text: str) -> str:
    """The text with comments and strings blanked; line ends stay, so that lines can be counted."""
    out: list[str] = []
    at, depth = 0, 0
    while at < len(text):
        if text.startswith("/-", at):
            depth, at = depth + 1, at + 2
        elif depth and text.startswith("-/", at):
            depth, at = depth - 1, at + 2
        elif depth:
            out.append("\n" if text[at] == "\n" else "")
            at += 1
        elif text.startswith("--", at):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif text[at] == '"':
            at += 1
            while at < len(text) and text[at] != '"':
                out.append("\n" if text[at] == "\n" else "")
                at += 2 if text[at] == "\\" else 1
            out.append('""')
            at += 1
        elif text.startswith("'\"'", at):
            at += 3
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def _files(folder: Path, root: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink():
            continue
        if path.is_dir():
            other = any((path / name).is_file() for name in LAKEFILES)
            if path.name not in _SKIPPED and not other:
                yield from _files(path, root)
        elif path.suffix == ".lean" and not (folder == root and path.name in LAKEFILES):
            yield path


def unread_sources(project: Project, left_out: tuple[str, ...] = ()) -> tuple[Unread, ...]:
    """What of the project's Lean text is not read when its libraries are compiled.

    Args:
        project: the audited project.
        left_out: paths relative to the project, or globs, that the project has named.
    """
    package = Package(project.root, project.root / LAKEFILES[0], project.libraries)
    read = {m.path.resolve() for m in read_modules(package)}
    found = []
    for path in _files(project.root, project.root):
        file = path.relative_to(project.root).as_posix()
        if EXPORTER in (path.stem, path.parent.name):
            continue
        if any(fnmatchcase(file, pattern) for pattern in left_out):
            continue
        code = code_of(path.read_text(encoding="utf-8", errors="replace"))
        if path.resolve() not in read:
            found.append(Unread(file, 0, len(_TAG.findall(code))))
        elif (stop := _EXIT.search(code)) and (rest := code[stop.end() :]).strip():
            line = code.count("\n", 0, stop.start()) + 1
            found.append(Unread(file, line, len(_TAG.findall(rest))))
    return tuple(found)


def said_of(found: tuple[Unread, ...]) -> tuple[str, ...]:
    """The clause for a report; empty where everything was read."""
    if not found:
        return ()
    tags = sum(u.tags for u in found)
    names = [f"{u.file} from #exit in line {u.line}" if u.line else u.file for u in found]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    count = f"{len(found)} source{'s' * (len(found) != 1)}, {tags} tag{'s' * (tags != 1)}"
    return (f"{count} not read by Lean: {', '.join(names[:5])}{more}",)
