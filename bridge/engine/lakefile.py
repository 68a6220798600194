"""Reads a project's lakefile, as far as a library without dependencies needs.

It supports packages with `lean_lib`s that give the folder of their sources (`srcDir`), their root
modules (`roots`), and Lean's options (`leanOptions`); in `lakefile.toml` or, in the plain
declarative form `lean_lib NAME where field := value …`, in `lakefile.lean`.  What would change the
build in an unsupported way (dependencies, globs, plugins, scripts) is an error, never ignored.

This is for the embedded engine; the official `lake` reads its own files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.engine.errors import LakefileError
from bridge.engine.lake_syntax import REMEDY, Declared, needs_toolchain, read_lean

__all__ = ["Library", "Option", "Package", "read_package", "scan_libraries"]

Option = bool | int | str

# Fields that do not affect which modules are compiled, or how.
# fmt: off
_PACKAGE_INFORMATION = frozenset([
    "name", "version", "versionTags", "description", "keywords", "homepage", "license",
    "licenseFiles", "readmeFile", "reservoir", "testDriver", "testDriverArgs", "lintDriver",
    "lintDriverArgs", "defaultTargets", "buildType", "preferReleaseBuild", "releaseRepo",
    "precompileModules", "enableArtifactCache", "restoreAllArtifacts", "platformIndependent",
    "fixedToolchain", "libPrefixOnWindows", "testRunner",
])
_LIBRARY_INFORMATION = frozenset([
    "name", "libName", "libPrefixOnWindows", "defaultFacets", "precompileModules", "buildType",
])
# fmt: on


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
        """The source file of a module."""
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
        LakefileError: there is none, or it uses something unsupported; the message gives the line.
    """
    lean, toml = project / "lakefile.lean", project / "lakefile.toml"
    lakefile = lean if lean.is_file() else toml
    try:
        text = lakefile.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise LakefileError(
            f"{project} has neither lakefile.lean nor lakefile.toml",
            remedy="Give the folder of a Lean project: --project DIR.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise LakefileError(f"{lakefile} cannot be read: {error}") from error
    declared = read_lean(text, lakefile) if lakefile == lean else _read_toml(text, lakefile)
    return _package(declared, project, lakefile)


def scan_libraries(project: Path) -> tuple[Library, ...]:
    """The libraries that the lakefile seems to declare, if it is not supported as a whole.

    Only names, source folders and plain roots are read; dependencies, globs and scripts do not
    matter.  This only serves to know what to audit when the official `lake` builds.
    """
    lean, toml = project / "lakefile.lean", project / "lakefile.toml"
    if not lean.is_file():
        try:
            value = tomllib.loads(toml.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError):
            return ()
        tables = value.get("lean_lib", [])
        return tuple(
            Library(
                str(t["name"]),
                project / str(t.get("srcDir", ".")),
                tuple(map(str, t.get("roots", [t["name"]]))),
            )
            for t in (tables if isinstance(tables, list) else [])
            if isinstance(t, dict) and "name" in t
        )
    try:
        text = re.sub(
            r"/-.*?-/|--[^\n]*", " ", lean.read_text(encoding="utf-8-sig"), flags=re.DOTALL
        )
    except (OSError, UnicodeDecodeError):
        return ()
    found = []
    for part in re.split(
        r"^(?=@\[|lean_lib|lean_exe|require|script|target|package)", text, flags=re.M
    ):
        if match := re.match(r"lean_lib\s+(?:«([^»]+)»|([\w.]+))", part):
            name = match[1] or match[2]
            folder = re.search(r'srcDir\s*:=\s*"([^"]*)"', part)
            roots = re.search(r"roots\s*:=\s*#\[([^\]]*)\]", part)
            names = tuple(re.findall(r"`([\w.]+)", roots[1])) if roots else ()
            found.append(Library(name, project / (folder[1] if folder else "."), names or (name,)))
    return tuple(found)


def _package(declared: Declared, project: Path, lakefile: Path) -> Package:
    package = {k: v for k, v in declared.package.items() if k not in _PACKAGE_INFORMATION}
    base = _text(package.pop("srcDir", "."), "srcDir", lakefile)
    options = _options(package.pop("leanOptions", {}), lakefile)
    if package:
        word = next(iter(package))
        beyond = needs_toolchain(word, lakefile.name)
        raise beyond or _not_understood(lakefile, f"`{word}` of the package")
    libraries = []
    for fields in declared.libraries:
        name = _text(fields.get("name"), "name", lakefile)
        rest = {k: v for k, v in fields.items() if k not in _LIBRARY_INFORMATION}
        folder = _text(rest.pop("srcDir", "."), "srcDir", lakefile)
        roots = _names(rest.pop("roots", [name]), lakefile)
        own = _options(rest.pop("leanOptions", {}), lakefile)
        if rest:
            word = next(iter(rest))
            beyond = needs_toolchain(word, f"{lakefile.name}, `lean_lib {name}`")
            raise beyond or _not_understood(lakefile, f"`{word}` of `lean_lib {name}`")
        place = (project / base / folder).resolve()
        if not place.is_relative_to(project.resolve()):
            raise _not_understood(lakefile, f"the source folder {place}, outside the project,")
        libraries.append(Library(name, place, roots, tuple({**options, **own}.items())))
    if not libraries:
        raise LakefileError(f"{lakefile.name} declares no `lean_lib`", remedy=REMEDY)
    return Package(project, lakefile, tuple(libraries), tuple(options.items()))


def _not_understood(lakefile: Path, what: str) -> LakefileError:
    return LakefileError(
        f"{lakefile.name}: the embedded engine does not understand {what}", remedy=REMEDY
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
    if isinstance(value, list):  # pairs, as in lakefile.lean
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


def _read_toml(text: str, lakefile: Path) -> Declared:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LakefileError(f"{lakefile.name} is not valid TOML: {error}") from error
    libraries = content.pop("lean_lib", [])
    if not isinstance(libraries, list) or not all(isinstance(item, dict) for item in libraries):
        raise _not_understood(lakefile, f"lean_lib = {libraries!r}")
    content.pop("lean_exe", None)  # nothing is linked here
    return Declared(content, libraries)
