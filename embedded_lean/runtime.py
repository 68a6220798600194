"""How the embedded Lean is started: command line, environment, and visible files.

Lean sees the library and the compiled modules of the project under fixed names, the project
under its own, all read-only; if a file is compiled, also one folder for the output.  The
environment is written from scratch: nothing of the user's is passed on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from embedded_lean.layout import Layout
from embedded_lean.node import Node

__all__ = [
    "OUTPUT",
    "Invocation",
    "asked_path",
    "broke_in",
    "explain_end",
    "fatal_text",
    "host_invocation",
    "is_chatter",
    "lean_invocation",
    "permission_flags",
]

LIBRARY, BUILD, OUTPUT = "/engine/library", "/engine/build", "/engine/output"
# Node's own stack has to be as large as Lean's recursion needs; the module is compiled function
# by function.
_NODE_FLAGS = ("--stack-size=8000", "--wasm-lazy-validation")
# A function is optimised when it has run for about as long as optimising it takes.
_HOST_FLAGS = ("--wasm-tiering-budget=10000000", "--expose-gc")
# Releases of Node.js whose permissions accept several folders, and are no longer experimental.
_PERMISSIONS_SINCE, _PERMISSIONS_STABLE = (20, 7), (23, 5)
# What Lean and V8 say when something runs out, and what it means.
_CAUSES = (
    (("out of memory",), "it ran out of memory (the limit is 2 GB)"),
    # Exhausted memory is reported above: this is a stack overflow, or a broken pointer.
    (
        ("memory access out of bounds",),
        "it reached outside its memory: a recursion too deep, or a defect of this build",
    ),
    (("Maximum call stack", "tack overflow"), "its stack overflowed: a recursion without end?"),
    (("worker sent an error",), "one of its threads crashed: a recursion without end?"),
)
# V8's errors for compiled code that does what no correct code does.  A recursion too deep can
# cause one.  Seen once in thousands of runs on a busy machine without a cause in the source.
_TRAPS = (
    "memory access out of bounds",
    "does not support unaligned accesses",
    "table index is out of bounds",
    "null function or function signature mismatch",
)
# Left-over debugging of the published build, on stderr.
_CHATTER = ("[DEBUG", "  - ", "  mainModule?")
_FATAL, _ASKED = "@fatal ", "@asked "


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command line with its environment and folder, for `subprocess` or `asyncio`.

    `arguments` are Lean's own, which end the command line.
    """

    command: tuple[str, ...]
    env: dict[str, str]
    cwd: Path
    arguments: tuple[str, ...] = ()


def lean_invocation(
    layout: Layout,
    node: Node,
    *,
    project: Path,
    tree: Path,
    arguments: tuple[str, ...],
    output: Path | None = None,
    threads: int = 2,
    report_asked: bool = False,
) -> Invocation:
    """How to run Lean with `arguments` in the folder `project`.

    Args:
        layout: the engine's files.
        node: the Node.js that runs it.
        project: the project's folder; Lean sees it under this path.
        tree: folder with the project's compiled modules.
        arguments: Lean's own arguments.
        output: the folder that Lean sees as `OUTPUT` and may write to.
        threads: threads started in advance; more are started when they are needed.
        report_asked: whether to report which files of the project it asks for.
    """
    # Node.js loads and checks files by their real paths, so links are resolved first.
    home, writable = layout.home.resolve(), output.resolve() if output else None
    loader = Path(str(files(__package__).joinpath("js", "loader.cjs"))).resolve()
    mounts = {
        LIBRARY: layout.library.resolve(),
        BUILD: tree.resolve(),
        project.as_posix(): project.resolve(),
    }
    roots = [[f"{seen}/", f"{mounts[seen]}/"] for seen in (LIBRARY, BUILD)]
    env = {
        "LEAN_PATH": f"{LIBRARY}:{BUILD}",
        "LEAN_ENGINE_HOME": str(home),
        "LEAN_ENGINE_ROOTS": json.dumps(roots),
        "LEAN_ENGINE_MOUNTS": json.dumps([[seen, str(real)] for seen, real in mounts.items()]),
        "LEAN_ENGINE_OUTPUT": json.dumps([OUTPUT, str(writable)] if writable else None),
        "LEAN_ENGINE_FOLDER": project.as_posix(),
        "LEAN_ENGINE_POOL": str(threads),
        "LEAN_ENGINE_ASKED": "1" if report_asked else "",
        "LEAN_ENGINE_PARENT": str(os.getpid()),
    }
    readable = [home, loader.parent, *mounts.values()]
    flags = (*permission_flags(node, readable, writable), *_NODE_FLAGS)
    return Invocation((str(node.path), *flags, str(loader), *arguments), env, project, arguments)


def host_invocation(
    layout: Layout, node: Node, *, project: Path, tree: Path, outputs: Path
) -> Invocation:
    """How to start the process in which `host.Host` runs Lean many times.

    The process may write to `outputs`; each run sees only its own folder there.
    """
    one = lean_invocation(
        layout, node, project=project, tree=tree, output=outputs, arguments=(), threads=0
    )
    *flags, loader = one.command
    host = str(Path(loader).with_name("host.cjs"))
    return Invocation((*flags, *_HOST_FLAGS, host), one.env, project)


def permission_flags(node: Node, readable: list[Path], writable: Path | None) -> tuple[str, ...]:
    """Node.js's own restrictions: these folders and no processes, whatever Lean does.

    A second barrier behind the mounts.  Early releases of Node.js 20 accept only one folder; there
    the mounts have to suffice.
    """
    if node.release < _PERMISSIONS_SINCE:
        return ()
    switch = "--permission" if node.release >= _PERMISSIONS_STABLE else "--experimental-permission"
    folders = {*readable, *([writable] if writable else [])}
    # Node.js 20 ignores the outer one of two nested folders; the outer one is enough.
    outer = sorted(f for f in folders if not any(f.is_relative_to(o) for o in folders - {f}))
    reading = tuple(f"--allow-fs-read={pattern}" for pattern in _patterns([str(f) for f in outer]))
    writing = (f"--allow-fs-write={writable}/*",) if writable else ()
    return (switch, "--no-warnings", "--allow-worker", *reading, *writing)


def _patterns(folders: list[str]) -> Iterator[str]:
    """The permission patterns for these folders, none of which is inside another.

    If the path of one is a prefix of another's, such as /a of /a-cache, Node.js 22 and later refuse
    `/a` itself in spite of `/a/*` (seen up to 26.12), and only `/a*` helps, which allows both.
    """
    begins = [f for f in folders if any(o != f and o.startswith(f) for o in folders)]
    yield from (f"{f}*" for f in begins if not any(o != f and f.startswith(o) for o in begins))
    yield from (f"{f}/*" for f in folders if not any(f.startswith(o) for o in begins))


def asked_path(line: str) -> str | None:
    """Path of the project that Lean asked for, if this line of stderr reports one."""
    text = line.strip()
    try:
        path = json.loads(text.removeprefix(_ASKED)) if text.startswith(_ASKED) else None
    except ValueError:  # the line was cut off
        return None
    return path if isinstance(path, str) else None


def fatal_text(line: str) -> str | None:
    """The loader's final error, if this line of stderr carries it."""
    text = line.strip()
    return text.removeprefix(_FATAL) if text.startswith(_FATAL) else None


def broke_in(complained: str) -> bool:
    """Whether stderr carries the final error of a Lean whose own code broke."""
    words = (fatal_text(line) or "" for line in complained.splitlines())
    return any(trap in word for word in words for trap in _TRAPS)


def explain_end(reason: str, words: Iterable[str]) -> str:
    """Why Lean ended, for people: the cause if known, the exit reason, its final output."""
    said = "; ".join(words)[-300:]
    causes = [text for signs, text in _CAUSES if any(sign in said for sign in signs)]
    return ", ".join([*causes[:1], reason]) + (f": {said}" if said else "")


def is_chatter(line: str) -> bool:
    """Whether a line of stderr is useless debugging output."""
    return not line.strip() or line.startswith((*_CHATTER, _ASKED))
