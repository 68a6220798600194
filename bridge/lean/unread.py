"""Sources of a project that Lean never reads, and text after the point where it stops.

A module that no root imports is not compiled, and after ``#exit`` Lean reads nothing: a theorem
there, tagged or not, is in no answer.  An audit without these would call itself complete.

All Lean files below the project's folder count, except hidden folders, the project's own ``build``
folder, other projects (a folder with its own lakefile), the lakefile itself, and what the setting
``unread`` names.  A tag that a macro writes cannot be seen without running Lean; its source counts
nevertheless.

``#exit`` is not the only way to make Lean stop: whatever is parsed as one ends the file.  So the
tags in a source are compared with the theorems that Lean knows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from bridge.engine.lakefile import Package
from bridge.engine.modules import read_modules
from bridge.lean.project import EXPORTER, LAKEFILES, Project

__all__ = ["Unread", "code_of", "said_of", "unread_sources"]

_SKIPPED = frozenset({"node_modules", "__pycache__"})
_TAG = re.compile(r"@\[[^\]]*\bobligation\b|\battribute\s*\[[^\]]*\bobligation\b")
_EXIT = re.compile(r"(?<![\w.«])#exit\b")
_ON_EXAMPLE = re.compile(r"@\[[^\]]*\bobligation\b[^\]]*\]\s*(?:[a-z]+\s+)*?example\b")
_NAME = r"[\w.'!?₀-₉]+"
_MARK = re.compile(
    rf"""^[ \t]*namespace[ \t]+(?P<namespace>{_NAME})
      | ^[ \t]*(?P<section>(?:noncomputable[ \t]+)?section|mutual)\b
      | ^[ \t]*end\b(?P<end>[ \t]+{_NAME}|(?=[ \t]*$))
      | \battribute\s*\[[^\]]*\bobligation\b[^\]]*\](?P<given>(?:[ \t]+{_NAME})*)
      | (?P<tag>@\[[^\]]*\bobligation\b)""",
    re.VERBOSE | re.MULTILINE,
)
"""Tags, and what begins and ends a namespace or a section."""
_NAMED = re.compile(
    rf"(?:@\[[^\]]*\]\s*|[a-z]+\s+)*?(?:theorem|lemma|def|abbrev|instance|axiom)\s+({_NAME})"
)
"""What a tag is attached to."""
_GUARD = re.compile(r"#guard_msgs\b[^\n@]*\bin\s*\Z")
_INTERPOLATED = re.compile(r"(?<![\w.])(?:s|f|m|println|eprintln|throwError|dbg_trace)!$")
"""What precedes a string with terms in it; `panic!` and similar macros take a plain one."""
_COMMENT = re.compile(r"--[^\n]*")
_QUOTED = re.compile(
    r"""r(?P<marks>\#*)".*?"(?P=marks)  # a raw string
      | '(?:\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|[^\\'\n])'  # a character
      | «[^»\n]*»""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"(?:[^/\-r'«\"{}]|/(?!-)|-(?!-)|r(?![#\"]))+")
"""Code in which no comment, string or quoted name begins."""
_COMMENTED = re.compile(r"(?:[^/\-]|/(?!-)|-(?!/))+")
"""Text that neither ends a block comment nor begins a nested one."""
_STRING = re.compile(r'(?:[^"\\]|\\.)*"?', re.DOTALL)
_PART = re.compile(r'(?:[^"\\{]|\\.)*["{]?', re.DOTALL)
"""A part of an interpolated string: from its start or after a term, up to a term or its end."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A source, relative to the project, that Lean does not read, or only down to a line.

    ``line`` is the line of ``#exit``; 0 if nothing is read.  ``tags`` counts the unread tags.  If
    ``nameless``, a tag in that line is on an ``example``, which Lean forgets.  If ``missing``,
    Lean read the source, but does not know that many of its tags.
    """

    file: str
    line: int
    tags: int
    nameless: bool = False
    missing: bool = False


def code_of(text: str) -> str:
    """The text with comments, strings and quoted names blanked; line ends stay, so that lines can
    be counted."""
    out: list[str] = []
    at, depth = 0, 0
    braces: list[int] = []  # open braces, for each interpolated string with an unfinished term
    while at < len(text):
        if text.startswith("/-", at):
            depth, at = depth + 1, at + 2
        elif depth and text.startswith("-/", at):
            depth, at = depth - 1, at + 2
        elif depth:
            found = _COMMENTED.match(text, at)
            assert found is not None
            out.append("\n" * found[0].count("\n"))
            at = found.end()
        elif found := _PLAIN.match(text, at):
            out.append(found[0])
            at = found.end()
        elif found := _COMMENT.match(text, at):
            at = found.end()
        elif found := None if _goes_on(text, at) else _QUOTED.match(text, at):
            out.append('""' + "\n" * found[0].count("\n"))
            at = found.end()
        elif text[at] == '"' or (text[at] == "}" and braces and braces[-1] == 0):
            inside = text[at] == "}" or bool(_INTERPOLATED.search(text[max(at - 16, 0) : at]))
            if text[at] == "}":
                braces.pop()
            found = (_PART if inside else _STRING).match(text, at + 1)
            assert found is not None
            out.append('""' + "\n" * found[0].count("\n"))
            at = found.end()
            if inside and found[0].endswith("{"):
                braces.append(0)
        else:
            if braces and text[at] in "{}":
                braces[-1] += 1 if text[at] == "{" else -1
            out.append(text[at])
            at += 1
    return "".join(out)


def _goes_on(text: str, at: int) -> bool:
    """Whether a name continues here: `n'` begins no character, and `for"` no raw string."""
    return at > 0 and (text[at - 1].isalnum() or text[at - 1] in "_'!?")


def _files(folder: Path, root: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            other = any((path / name).is_file() for name in LAKEFILES)
            other |= path.name in _SKIPPED or path == root / "build"
            if not other and not path.is_symlink():
                yield from _files(path, root)
        elif folder == root and path.name in LAKEFILES:
            continue
        elif path.suffix == ".lean" and path.is_file():
            yield path


def _is_exporter(path: Path, project: Project) -> bool:
    """Whether a file is one of our library's, where `obligations init` puts it."""
    return any(
        path == library.source(EXPORTER)
        or path.is_relative_to(library.source(EXPORTER).with_suffix(""))
        for library in project.libraries
    )


def _outside_quotations(code: str) -> str:
    """The code without quotations, with which a macro writes tags elsewhere."""
    kept, depth = [], 0
    for part in re.split(r"(`\(|[()])", code):
        if depth:
            depth += (part in ("`(", "(")) - (part == ")")
        elif part == "`(":
            depth = 1
        else:
            kept.append(part)
    return "".join(kept)


def _written(code: str) -> int:
    """How many tags the code has outside quotations.

    A theorem that is tagged once more counts once: by `attribute`, or where `#guard_msgs` expects
    Lean to refuse it.
    """
    count, scopes = 0, [""]
    tagged: set[str] = set()
    for found in _MARK.finditer(_outside_quotations(code)):
        scope = "".join(f"{part}." for part in scopes if part)
        match found.lastgroup:
            case "namespace":
                scopes += found["namespace"].split(".")
            case "section":
                scopes.append("")
            case "end":
                del scopes[max(1, len(scopes) - (found["end"].count(".") + 1)) :]
            case "given":
                names = {f"{scope}{name}" for name in found["given"].split()}
                count += not names or not names <= tagged
                tagged |= names
            case _:
                name = _NAMED.match(found.string, found.start("tag"))
                full = f"{scope}{name[1]}" if name else ""
                guarded = _GUARD.search(found.string, max(0, found.start() - 200), found.start())
                count += not (guarded and full in tagged)
                tagged |= {full} - {""}
    return count


def unread_sources(
    project: Project,
    left_out: tuple[str, ...] = (),
    known: Mapping[str, int] | None = None,
) -> tuple[Unread, ...]:
    """The project's Lean text that is not read when its libraries are compiled.

    Args:
        project: the audited project.
        left_out: paths relative to the project, or globs, that the settings name.
        known: how many tagged theorems Lean knows of each module; None if it was not asked.
    """
    package = Package(project.root, project.root / LAKEFILES[0], project.libraries)
    read = {m.path.resolve(): m.name for m in read_modules(package)}
    found = []
    for path in _files(project.root, project.root):
        file = path.relative_to(project.root).as_posix()
        if _is_exporter(path, project):
            continue
        if any(fnmatchcase(file, pattern) for pattern in left_out):
            continue
        code = code_of(path.read_text(encoding="utf-8", errors="replace"))
        if path.resolve() not in read:
            found.append(Unread(file, 0, len(_TAG.findall(code))))
            continue
        count = None if known is None else known.get(read[path.resolve()], 0)
        found += _passed_over(file, code, count)
    return tuple(found)


def _passed_over(file: str, code: str, known: int | None) -> Iterator[Unread]:
    """What Lean leaves out of a source that it reads; ``known`` counts the theorems it has."""
    stop = _EXIT.search(code)
    before, rest = (code[: stop.start()], code[stop.end() :]) if stop else (code, "")
    forgotten = list(_ON_EXAMPLE.finditer(before))
    for tag in forgotten:
        yield Unread(file, before.count("\n", 0, tag.start()) + 1, 1, nameless=True)
    if rest.strip():
        yield Unread(file, before.count("\n") + 1, len(_TAG.findall(rest)))
    if known is not None and (missing := _written(before) - len(forgotten) - known) > 0:
        yield Unread(file, 0, missing, missing=True)


def said_of(found: tuple[Unread, ...]) -> tuple[str, ...]:
    """The clauses for a report; none if everything was read."""
    unread = [u for u in found if not u.nameless and not u.missing]
    names = [f"{u.file} from #exit in line {u.line}" if u.line else u.file for u in unread]
    on_examples = [f"{u.file} line {u.line}" for u in found if u.nameless]
    tags = sum(u.tags for u in unread)
    said = []
    if unread:
        said.append(
            f"{_count(len(unread), 'source')}, {_count(tags, 'tag')} not read by Lean: "
            f"{_some(names)}"
        )
    if on_examples:
        said.append(
            f"{_count(len(on_examples), 'tag')} on an `example`, which Lean forgets (write "
            f"`theorem` and a name): {_some(on_examples)}"
        )
    if missing := [u for u in found if u.missing]:
        said.append(
            f"{_count(sum(u.tags for u in missing), 'tag')} of which Lean knows no theorem (it "
            "stopped before, or an error was expected there): "
            f"{_some([u.file for u in missing])}"
        )
    return tuple(said)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
