"""Reads the head of a Lean source: its imports, and the place of each.

The grammar is Lean's own (Lean.Parser.Module): `module`? `prelude`? and then any number of
`public`? `meta`? `import` `all`? NAME, with comments and white space anywhere between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Header", "HeaderError", "Import", "parse_header"]

_KEYWORDS = frozenset({"module", "prelude", "public", "meta", "import", "all", "private"})


@dataclass(frozen=True, slots=True)
class Import:
    """`import MODULE`; `line` counts from 1, `column` from 0 in characters, both of the name."""

    module: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a source: what it imports, and whether it is a `module` or a `prelude` file."""

    imports: tuple[Import, ...]
    is_module: bool = False
    is_prelude: bool = False


class HeaderError(ValueError):
    """The head cannot be read; `line` and `column` say where (from 1, and from 0)."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    line: int
    column: int


def parse_header(source: str) -> Header:
    """The head of a Lean source.  The body is not read.

    Raises:
        HeaderError: a comment is not closed, or no name follows `import`.
    """
    words = _words(source)
    word = next(words, None)
    is_module = is_prelude = False
    if word is not None and word.text == "module":
        is_module = True
        word = next(words, None)
    if word is not None and word.text == "prelude":
        is_prelude = True
        word = next(words, None)
    imports: list[Import] = []
    while word is not None and word.text in ("public", "private", "meta", "import"):
        while word is not None and word.text in ("public", "private", "meta"):
            word = next(words, None)
        if word is None or word.text != "import":
            break  # `public section`, say: the body has begun
        keyword = word
        word = next(words, None)
        if word is not None and word.text == "all":
            word = next(words, None)
        if word is None or not word.text or word.text in _KEYWORDS:
            raise HeaderError("expected a module name after `import`", keyword.line, keyword.column)
        imports.append(Import(_plain_name(word), word.line, word.column))
        word = next(words, None)
    return Header(tuple(imports), is_module, is_prelude)


def _words(source: str) -> Iterator[_Word]:
    """Names and keywords at the start of a source; ends at the first other character."""
    at, line, line_start = 0, 1, 0
    size = len(source)
    while at < size:
        char = source[at]
        if char == "\n":
            at, line = at + 1, line + 1
            line_start = at
        elif char in " \t\r" or (at == 0 and char == "\ufeff"):
            at += 1
        elif source.startswith("--", at):
            end = source.find("\n", at)
            at = size if end < 0 else end
        elif source.startswith("/-", at) and not source.startswith(("/--", "/-!"), at):
            end = _comment_end(source, at, line, at - line_start)
            newlines = source.count("\n", at, end)
            if newlines:
                line += newlines
                line_start = source.rfind("\n", at, end) + 1
            at = end
        else:
            end = _name_end(source, at)
            if end == at:
                return
            yield _Word(source[at:end], line, at - line_start)
            at = end


def _comment_end(source: str, start: int, line: int, column: int) -> int:
    """The position after the comment that starts at `start`; comments nest."""
    depth, at = 1, start + 2
    while depth:
        opening, closing = source.find("/-", at), source.find("-/", at)
        if closing < 0:
            raise HeaderError("this comment is not closed", line, column)
        if 0 <= opening < closing:
            depth, at = depth + 1, opening + 2
        else:
            depth, at = depth - 1, closing + 2
    return at


def _name_end(source: str, at: int) -> int:
    """The position after the dotted name at `at`; parts in «» may hold anything except line
    ends."""
    start = at
    while at < len(source):
        if source[at] == "«":
            end = source.find("»", at)
            if end < 0 or "\n" in source[at:end]:
                return start
            at = end + 1
        elif source[at].isalpha() or source[at] == "_":
            while at < len(source) and (source[at].isalnum() or source[at] in "_'!?₀₁₂₃₄₅₆₇₈₉"):
                at += 1
        else:
            return start if at == start else at
        if at >= len(source) or source[at] != ".":
            return at
        at += 1
    return at


def _plain_name(word: _Word) -> str:
    """`A.«B c»` as the module's name without quotes; parts with a dot or slash are refused."""
    parts: list[str] = []
    text = word.text
    while text:
        if text.startswith("«"):
            part, _, text = text[1:].partition("»")
            text = text.removeprefix(".")
        else:
            part, _, text = text.partition(".")
        if not part or any(c in part for c in './\\\0"') or part == "..":
            raise HeaderError(f"`{word.text}` is not a module name", word.line, word.column)
        parts.append(part)
    return ".".join(parts)
