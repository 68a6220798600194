"""The declarative subset of Lake's configuration language, as data.

    package NAME where field := value ...
    lean_lib NAME where field := value ...

Values are strings, numbers, booleans, names, arrays and tuples.  Comments, doc comments and the
usual attributes may stand where Lean allows them; anything else raises `LakefileError` with its
line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from bridge.engine.errors import LakefileError

__all__ = ["REMEDY", "Declared", "needs_toolchain", "read_lean"]

REMEDY = (
    'Write the library plainly (`lean_lib NAME where srcDir := "…"`), or use the official '
    "toolchain: --engine lake."
)


_BEYOND = {
    "require": "dependencies",
    "packagesDir": "dependencies",
    "globs": "globs",
    "script": "scripts",
    "target": "targets of its own",
    "input_file": "targets of its own",
    "extern_lib": "foreign libraries",
    "dynlibs": "foreign libraries",
    "plugins": "plugins",
    "post_update": "hooks",
    "def": "definitions in the lakefile",
    "moreLeanArgs": "arguments for Lean",
    "weakLeanArgs": "arguments for Lean",
}
"""What only the official toolchain does, by the word that asks for it."""


def needs_toolchain(word: str, where: str) -> LakefileError | None:
    """The error for a word that asks for more than the embedded engine does; None for others."""
    what = _BEYOND.get(word)
    if what is None:
        return None
    remedy = {
        "dependencies": "Install Lean with elan, fetch them with `lake update`, and use "
        "--engine lake.",
        "globs": "Install Lean with elan and use --engine lake, or name the modules in `roots`.",
    }.get(what, "Install Lean with elan and use --engine lake.")
    return LakefileError(f"{where}: {what} (`{word}`) need the official toolchain", remedy=remedy)


@dataclass(slots=True)
class Declared:
    """What a lakefile says, before it is interpreted: fields by name."""

    package: dict[str, object] = field(default_factory=dict)
    libraries: list[dict[str, object]] = field(default_factory=list)


_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<number>\d+)
      | (?P<version>v!"[^"]*")
      | (?P<symbol>:=|\#\[|@\[|[\[\](){}⟨⟩,.:|=`])
      | (?P<name>(?:«[^»\n]*»|[^\W\d]\w*)(?:\.(?:«[^»\n]*»|[^\W\d]\w*))*)""",
    re.VERBOSE,
)
_END = ("end", "", 0)
_COMMANDS = frozenset({"package", "lean_lib", "lean_exe", "require", "open", "import", "@["})


@dataclass(slots=True)
class _LeanReader:
    """Reads the declarative subset of Lake's language."""

    tokens: list[tuple[str, str, int]]
    lakefile: Path
    at: int = 0

    @property
    def token(self) -> tuple[str, str, int]:
        return self.tokens[self.at] if self.at < len(self.tokens) else _END

    @property
    def following(self) -> str:
        """Text of the token after this one."""
        return self.tokens[self.at + 1][1] if self.at + 1 < len(self.tokens) else ""

    def next(self) -> tuple[str, str, int]:
        token = self.token
        self.at += 1
        return token

    def fail(self, token: tuple[str, str, int]) -> LakefileError:
        line = token[2] or (self.tokens[-1][2] if self.tokens else 1)
        where = f"{self.lakefile.name}:{line}"
        found = token[1] or "the end of the file"
        beyond = needs_toolchain(found, where)
        if beyond is not None:
            return beyond
        return LakefileError(
            f"{where}: the embedded engine does not understand {found!r} here",
            remedy=REMEDY,
        )

    def take(self, text: str) -> None:
        token = self.next()
        if token[1] != text:
            raise self.fail(token)

    def read(self) -> Declared:
        declared = Declared()
        while self.token is not _END:
            token = self.next()
            match token[1]:
                case "import" | "open":
                    allowed = {"Lake", "DSL", "Lean", "System"}
                    while self.token[0] == "name" and self.token[1] not in _COMMANDS:
                        if not set(self.token[1].split(".")) <= allowed:
                            raise self.fail(self.token)
                        self.at += 1
                case "@[":
                    if self.next()[1] not in ("default_target", "test_driver", "lint_driver"):
                        raise self.fail(token)
                    self.take("]")
                case "package":
                    declared.package = self.declaration()
                case "lean_lib":
                    declared.libraries.append(self.declaration())
                case "lean_exe":
                    self.declaration()  # nothing is linked here
                case _:
                    raise self.fail(token)
        return declared

    def declaration(self) -> dict[str, object]:
        kind, name, _line = token = self.next()
        if kind not in ("name", "string"):
            raise self.fail(token)
        fields: dict[str, object] = {"name": _unquote(name)}
        braces = False
        if self.token[1] == "where":
            self.at += 1
            braces = self.token[1] == "{"
            self.at += braces
        while self.token[0] == "name" and self.following == ":=":
            _kind, key, line = self.next()
            beyond = needs_toolchain(key, f"{self.lakefile.name}:{line}")
            if beyond is not None:
                raise beyond
            self.take(":=")
            fields[key] = self.value()
            if self.token[1] == ",":
                self.at += 1
        if braces:
            self.take("}")
        return fields

    def value(self) -> object:
        kind, text, _line = token = self.next()
        if kind == "string":
            return _unquote(text)
        if kind == "version":
            return text[3:-1]
        if kind == "number":
            return int(text)
        if text in ("true", "false"):
            return text == "true"
        if text == "`":
            kind, text, _line = token = self.next()
            if kind != "name":
                raise self.fail(token)
            return _unquote(text)
        if text == "." and self.token[0] == "name":  # `.release`, say
            return "." + self.next()[1]
        if text in ("#[", "["):
            return self.items("]")
        if text in ("⟨", "("):
            return tuple(self.items("⟩" if text == "⟨" else ")"))
        raise self.fail(token)

    def items(self, closing: str) -> list[object]:
        found: list[object] = []
        while self.token[1] != closing:
            found.append(self.value())
            if self.token[1] == ",":
                self.at += 1
            elif self.token[1] != closing:
                raise self.fail(self.token)
        self.at += 1
        return found


def read_lean(text: str, lakefile: Path) -> Declared:
    """What the text of a `lakefile.lean` declares; `lakefile` names it in messages.

    Raises:
        LakefileError: something is not understood; the message gives its line.
    """
    reader = _LeanReader(_tokens(text, lakefile), lakefile)
    return reader.read()


def _tokens(text: str, lakefile: Path) -> list[tuple[str, str, int]]:
    """(kind, text, line) of every token, comments and white space left out."""
    found: list[tuple[str, str, int]] = []
    at, line = 0, 1
    while at < len(text):
        if text.startswith("/-", at):
            end = _comment_end(text, at)
            if end < 0:
                raise LakefileError(f"{lakefile.name}:{line}: this comment is not closed")
            line += text.count("\n", at, end)
            at = end
            continue
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            for word in reversed(re.findall(r"^(\w+)", text[:at], re.MULTILINE)):
                if beyond := needs_toolchain(word, f"{lakefile.name}:{line}"):
                    raise beyond
            raise LakefileError(
                f"{lakefile.name}:{line}: the embedded engine does not understand "
                f"{text[at]!r} here",
                remedy=REMEDY,
            )
        if match.lastgroup != "space":
            found.append((match.lastgroup, match[0], line))
        line += match[0].count("\n")
        at = match.end()
    return found


def _comment_end(text: str, start: int) -> int:
    """Just behind the comment that starts at `start`, or -1; comments nest."""
    depth = 0
    for match in re.finditer(r"/-|-/", text[start:]):
        depth += 1 if match[0] == "/-" else -1
        if depth == 0:
            return start + match.end()
    return -1


def _unquote(text: str) -> str:
    """A name or string without its quotes."""
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text.replace("«", "").replace("»", "")
