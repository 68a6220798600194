"""Reads a project's lakefile, as far as a library that depends on nothing needs.

Understood are packages with `lean_lib`s that say where their sources are (`srcDir`), which
modules are their roots (`roots`), and which options Lean gets (`leanOptions`); in
`lakefile.toml` or, in the plain declarative form `lean_lib NAME where field := value …`, in
`lakefile.lean`.  What would change the build in a way that is not understood (dependencies,
globs, plugins, scripts) is an error, never ignored.

This is for the embedded engine; the official `lake` reads its own files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bridge.engine.errors import LakefileError

__all__ = ["Library", "Option", "Package", "read_package"]

Option = bool | int | str

# Fields that say nothing about which modules are compiled, or how.
# fmt: off
_PACKAGE_INFORMATION = frozenset([
    "name", "version", "versionTags", "description", "keywords", "homepage", "license",
    "licenseFiles", "readmeFile", "reservoir", "testDriver", "testDriverArgs", "lintDriver",
    "lintDriverArgs", "defaultTargets", "buildType", "preferReleaseBuild", "releaseRepo",
    "precompileModules", "enableArtifactCache",
])
_LIBRARY_INFORMATION = frozenset([
    "name", "libName", "defaultFacets", "precompileModules", "buildType",
])
# fmt: on
_REMEDY = (
    'Write the library plainly (`lean_lib NAME where srcDir := "…"`), or use the official '
    "toolchain: --engine lake."
)


@dataclass(frozen=True, slots=True)
class Library:
    """One `lean_lib`: its root modules, the folder of its sources, and its Lean options."""

    name: str
    source_folder: Path
    roots: tuple[str, ...]
    options: tuple[tuple[str, Option], ...] = ()

    def owns(self, module: str) -> bool:
        """Whether a module belongs to this library: it is a root, or below one."""
        return any(module == root or module.startswith(root + ".") for root in self.roots)

    def source(self, module: str) -> Path:
        """Where the source of a module is."""
        return self.source_folder / (module.replace(".", "/") + ".lean")


@dataclass(frozen=True, slots=True)
class Package:
    """A project: its folder, its lakefile, and its libraries in the order in which they are
    declared.

    `options` are Lean's options for the whole package; those of a library include them.
    """

    folder: Path
    lakefile: Path
    libraries: tuple[Library, ...]
    options: tuple[tuple[str, Option], ...] = ()

    def library_of(self, module: str) -> Library | None:
        """The first library that owns a module."""
        return next((library for library in self.libraries if library.owns(module)), None)


def read_package(project: Path) -> Package:
    """Read the lakefile of the folder `project`.

    Raises:
        LakefileError: there is none, or it uses something that is not understood; the message
            gives the line.
    """
    lean, toml = project / "lakefile.lean", project / "lakefile.toml"
    lakefile = lean if lean.is_file() else toml
    try:
        text = lakefile.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LakefileError(
            f"{project} has neither lakefile.lean nor lakefile.toml",
            remedy="Give the folder of a Lean project: --project DIR.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise LakefileError(f"{lakefile} cannot be read: {error}") from error
    declared = _read_lean(text, lakefile) if lakefile == lean else _read_toml(text, lakefile)
    return _package(declared, project, lakefile)


@dataclass(slots=True)
class _Declared:
    """What a lakefile says, before it is interpreted: fields by name."""

    package: dict[str, object] = field(default_factory=dict)
    libraries: list[dict[str, object]] = field(default_factory=list)


def _package(declared: _Declared, project: Path, lakefile: Path) -> Package:
    package = {k: v for k, v in declared.package.items() if k not in _PACKAGE_INFORMATION}
    base = _text(package.pop("srcDir", "."), "srcDir", lakefile)
    options = _options(package.pop("leanOptions", {}), lakefile)
    if package:
        raise _not_understood(lakefile, f"`{next(iter(package))}` of the package")
    libraries = []
    for fields in declared.libraries:
        name = _text(fields.get("name"), "name", lakefile)
        rest = {k: v for k, v in fields.items() if k not in _LIBRARY_INFORMATION}
        folder = _text(rest.pop("srcDir", "."), "srcDir", lakefile)
        roots = _names(rest.pop("roots", [name]), lakefile)
        own = _options(rest.pop("leanOptions", {}), lakefile)
        if rest:
            raise _not_understood(lakefile, f"`{next(iter(rest))}` of `lean_lib {name}`")
        place = (project / base / folder).resolve()
        if not place.is_relative_to(project.resolve()):
            raise _not_understood(lakefile, f"the source folder {place}, outside the project,")
        libraries.append(Library(name, place, roots, tuple({**options, **own}.items())))
    if not libraries:
        raise LakefileError(f"{lakefile.name} declares no `lean_lib`", remedy=_REMEDY)
    return Package(project, lakefile, tuple(libraries), tuple(options.items()))


def _not_understood(lakefile: Path, what: str) -> LakefileError:
    return LakefileError(
        f"{lakefile.name}: the embedded engine does not understand {what}", remedy=_REMEDY
    )


def _text(value: object, name: str, lakefile: Path) -> str:
    if not isinstance(value, str) or not value:
        raise _not_understood(lakefile, f"`{name} := {value!r}`")
    return value


def _names(value: object, lakefile: Path) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) and item for item in items):
        raise _not_understood(lakefile, f"the roots {value!r}")
    return tuple(items)


def _options(value: object, lakefile: Path) -> dict[str, Option]:
    if isinstance(value, list):  # pairs, as lakefile.lean has them
        if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
            raise _not_understood(lakefile, f"leanOptions := {value!r}")
        value = dict(value)
    if not isinstance(value, Mapping):
        raise _not_understood(lakefile, f"leanOptions := {value!r}")
    found: dict[str, Option] = {}
    for name, setting in value.items():
        if isinstance(setting, Mapping):  # TOML writes `pp.unicode.fun` as nested tables
            inner = _options({f"{name}.{k}": v for k, v in setting.items()}, lakefile)
            found.update(inner)
        elif isinstance(name, str) and isinstance(setting, (bool, int, str)):
            found[name] = setting
        else:
            raise _not_understood(lakefile, f"the option {name} := {setting!r}")
    return found


# lakefile.toml ------------------------------------------------------------------------------------


def _read_toml(text: str, lakefile: Path) -> _Declared:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LakefileError(f"{lakefile.name} is not valid TOML: {error}") from error
    libraries = content.pop("lean_lib", [])
    if not isinstance(libraries, list) or not all(isinstance(item, dict) for item in libraries):
        raise _not_understood(lakefile, f"lean_lib = {libraries!r}")
    content.pop("lean_exe", None)  # nothing is linked here
    return _Declared(content, libraries)


# lakefile.lean ------------------------------------------------------------------------------------

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
        return LakefileError(
            f"{where}: the embedded engine does not understand {found!r} here",
            remedy=_REMEDY,
        )

    def take(self, text: str) -> None:
        token = self.next()
        if token[1] != text:
            raise self.fail(token)

    def read(self) -> _Declared:
        declared = _Declared()
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
            key = self.next()[1]
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


def _read_lean(text: str, lakefile: Path) -> _Declared:
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
            raise LakefileError(
                f"{lakefile.name}:{line}: the embedded engine does not understand "
                f"{text[at]!r} here",
                remedy=_REMEDY,
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
