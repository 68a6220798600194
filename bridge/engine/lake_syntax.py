"""The declarative subset of Lake's configuration language, as data.

    package NAME where field := value ...
    lean_lib NAME where field := value ...

Values are strings, numbers, booleans, names, arrays and tuples.  Comments, doc comments and the
usual attributes may appear where Lean allows them; anything else raises `LakefileError` with its
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


# fmt: off
_BEYOND = {
    "dependencies": ("require", "packagesDir"),
    "globs": ("globs",),
    "scripts": ("script", "scripts", "default_script"),
    "targets of its own": (
        "target", "input_file", "input_dir", "needs", "extraDepTargets", "package_facet",
        "library_facet", "module_facet",
    ),
    "foreign libraries": ("extern_lib", "dynlibs", "moreLinkObjs", "moreLinkLibs"),
    "plugins": ("plugins",),
    "hooks": ("post_update",),
    "arguments for Lean": ("moreLeanArgs", "weakLeanArgs"),
    "settings of the editor's server": (
        "moreServerOptions", "moreServerArgs", "moreGlobalServerArgs",
    ),
    "settings of the C compiler and the linker": (
        "moreLeancArgs", "weakLeancArgs", "moreLinkArgs", "weakLinkArgs", "nativeFacets", "backend",
    ),
    "folders of the official build": (
        "buildDir", "leanLibDir", "nativeLibDir", "staticLibDir", "sharedLibDir", "binDir", "irDir",
        "buildArchive", "manifestFile",
    ),
    "settings of the module system": ("allowImportAll", "bootstrap"),
    "conditions": ("meta if",),
    "imports into the lakefile": ("module", "public", "meta import"),
    "definitions in the lakefile": (
        "def", "abbrev", "instance", "structure", "inductive", "opaque", "private", "theorem",
        "macro", "macro_rules", "syntax", "elab", "elab_rules", "notation", "run_cmd", "namespace",
        "section", "variable", "set_option", "attribute", "initialize", "let", "family_def",
        "package_data", "library_data", "module_data", "meta",
    ),
}
# fmt: on
"""What only the official toolchain does, with the words that request it."""
_OF_WORD = {word: what for what, words in _BEYOND.items() for word in words}
_INSTALL = "Install Lean with elan and use --engine lake."
_OR_INSTALL = ", or install Lean with elan and use --engine lake."
_REMOVE = f"Remove it where no proof needs it{_OR_INSTALL}"
_REMEDIES = {
    "dependencies": "Install Lean with elan, fetch them with `lake update`, and use --engine lake.",
    "globs": "Install Lean with elan and use --engine lake, or name the modules in `roots`.",
    "arguments for Lean": f"Write options as `leanOptions := #[⟨`name, value⟩]`{_OR_INSTALL}",
    "settings of the editor's server": "Remove it (it changes nothing that is compiled)"
    + _OR_INSTALL,
    "settings of the C compiler and the linker": f"Remove it (nothing is linked here){_OR_INSTALL}",
    "folders of the official build": "Remove it (this engine keeps what it compiles in its cache)"
    + _OR_INSTALL,
    "targets of its own": _REMOVE,
    "scripts": _REMOVE,
    "hooks": _REMOVE,
    "conditions": f"Write the declarations that hold here without `meta if`{_OR_INSTALL}",
    "imports into the lakefile": f"Begin the lakefile with `import Lake` alone{_OR_INSTALL}",
    "definitions in the lakefile": f"Write values without a name for them{_OR_INSTALL}",
}


def needs_toolchain(word: str, where: str) -> LakefileError | None:
    """The error for a word that requests more than the embedded engine does; None for others."""
    what = _OF_WORD.get(word)
    if what is None:
        return None
    remedy = _REMEDIES.get(what, _INSTALL)
    return LakefileError(f"{where}: {what} (`{word}`) need the official toolchain", remedy=remedy)


@dataclass(slots=True)
class Declared:
    """A lakefile's content, before it is interpreted: fields by name."""

    package: dict[str, object] = field(default_factory=dict)
    libraries: list[dict[str, object]] = field(default_factory=list)


_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<number>\d+)
      | (?P<version>v!"[^"]*")
      | (?P<symbol>:=|\#\[|@\[|[\[\](){}⟨⟩,.:|=`])
      | (?P<name>(?:«[^»\n]*»|[^\W\d]\w*)(?:\.(?:«[^»\n]*»|[^\W\d]\w*))*)
      | (?P<other>.)""",
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
    field: str = ""  # whose value is read

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
        behind = self.following if self.token is token else self.token[1]
        beyond = needs_toolchain(f"{found} {behind}", where)
        beyond = beyond or needs_toolchain(found, where)
        if beyond is not None:
            return beyond
        if self.field:
            return LakefileError(
                f"{where}: the embedded engine does not understand {found!r} as the value of "
                f"`{self.field}`",
                remedy="Write it as it is: a text, a number, `true`, a `name, or a list of these"
                + _OR_INSTALL,
            )
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
                    attribute = self.next()
                    if attribute[1] not in ("default_target", "test_driver", "lint_driver"):
                        raise self.fail(attribute)
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
            self.field = key
            fields[key] = self.value()
            self.field = ""
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
        LakefileError: something cannot be parsed; the message gives its line.
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
        assert match is not None
        assert match.lastgroup is not None
        if match.lastgroup != "space":
            found.append((match.lastgroup, match[0], line))
        line += match[0].count("\n")
        at = match.end()
    return found


def _comment_end(text: str, start: int) -> int:
    """The position after the comment that starts at `start`, or -1; comments nest."""
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
