"""Files of a project that Lean asks for while it compiles, besides the module's own source.

`include_str`, or an elaborator that reads a file, makes a compiled module depend on more than its
source.  What Lean found under a path is its *state*: the content's hash, that there is nothing, or
the names in a folder.  A path that ends in `/` stands for the listing of a folder, and `EVERYTHING`
for all of a project's files, if it is unknown which of them Lean asked for.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

__all__ = ["EVERYTHING", "changed_since", "state_of", "states_of", "unchanged"]

EVERYTHING = "*"
_OURS = frozenset({"statements.lock.json", "statements.lock.answer.json.gz"})
"""Written by the bridge itself, from Lean's answers."""
_FOLDERS_LEFT_OUT = frozenset({".git", ".lake", "lake-packages", "build", "node_modules"})
_MOST_BYTES = 64 << 20
_GIT_SECONDS = 20.0


def state_of(project: Path, name: str) -> str:
    """The present state of a path relative to `project`."""
    if name == EVERYTHING:
        return f"files {_everything(project)}"
    path = project / name
    try:
        if name.endswith("/"):
            names = "/".join(sorted(os.listdir(path)))  # noqa: PTH208 - only names are needed
            return f"names {_sha(os.fsencode(names))}"
        if path.is_dir():
            return "folder"
        return f"file {_sha(path.read_bytes())}" if path.is_file() else "nothing"
    except OSError as error:
        return f"unreadable {error.errno}"


def states_of(project: Path, names: Iterable[str]) -> dict[str, str]:
    """The state of each path, by path."""
    return {name: state_of(project, name) for name in sorted(set(names))}


def unchanged(project: Path, states: Mapping[str, str]) -> bool:
    """Whether each path still has the state that it had."""
    return all(state_of(project, name) == state for name, state in states.items())


def changed_since(project: Path, names: Iterable[str], moment: int) -> str:
    """The first of these paths whose file was changed at `moment` (ns) or later; empty for none."""
    for name in sorted(set(names)):
        try:
            status = (project / name).stat()
        except OSError:
            continue
        if max(status.st_mtime_ns, status.st_ctime_ns) >= moment and not (project / name).is_dir():
            return name
    return ""


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _everything(project: Path) -> str:
    """sha256 over every regular file that git does not ignore; for a large one, size and time."""
    digest = hashlib.sha256()
    for name in sorted(_files(project)):
        path = project / name
        try:
            if not path.is_file():
                continue
            status = path.stat()
            small = status.st_size <= _MOST_BYTES
            what = _sha(path.read_bytes()) if small else f"{status.st_size} {status.st_mtime_ns}"
        except OSError as error:
            what = f"unreadable {error.errno}"
        digest.update(f"{name}\0{what}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(project: Path) -> Iterator[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(
            command, cwd=project, capture_output=True, timeout=_GIT_SECONDS, check=False
        )
        found = os.fsdecode(done.stdout).split("\0") if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired):
        found = None
    if found is None:  # no git, or no repository
        found = []
        for folder, folders, files in os.walk(project):
            folders[:] = [f for f in folders if f not in _FOLDERS_LEFT_OUT]
            found += [os.path.relpath(os.path.join(folder, f), project) for f in files]  # noqa: PTH118
    return (name for name in found if name and name not in _OURS)
