"""Pins the meanings of constants of Lean's own library, and compares the pins with another Lean.

``python -m bridge.kernels.pins write`` pins every constant of Lean's library that this project's
theorems rest on; ``python -m bridge.kernels.pins check`` exports them from the available Lean and
compares.  The embedded engine lacks the proofs of Lean's own library, so that its lemmas are axioms
there; with the official toolchain the same statements come with their proofs.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path

from bridge.engine import select
from bridge.kernels.export import read_export
from bridge.kernels.exporting import write_export
from bridge.kernels.policy import pinned_library
from bridge.lean.library import KERNEL_SECONDS
from bridge.lean.project import find_project

__all__ = ["compare", "library_hashes", "main"]

FILE = Path(__file__).with_name("library_statements.json.gz")


def library_hashes(folder: Path, engine: str = "auto") -> tuple[str, dict[str, str]]:
    """The Lean version, and the hash of every constant of its library that theorems rest on.

    Raises:
        EngineError: there is no Lean, or it broke.
    """
    project = find_project(folder)
    lean = select(engine, project=project.root)
    with tempfile.TemporaryDirectory(prefix="obligations-") as work:
        path = Path(work) / "export.ndjson"
        written = write_export(project, lean, (), path, timeout=KERNEL_SECONDS)
        if written is None:
            raise SystemExit("this Lean cannot write a file")
        export = read_export(path)
    hashes = {
        export.names[number]: constant.meaning
        for number, constant in export.constants.items()
        if number not in written.own
    }
    return lean.lean_version.split("-")[0], hashes


def compare(pinned: dict[str, str], found: dict[str, str]) -> list[str]:
    """Pinned constants with another meaning now, or that cannot be compared at all."""
    both = pinned.keys() & found.keys()
    if not both:
        return ["there is no pinned constant"]
    return sorted(name for name in both if pinned[name] != found[name])


def main(arguments: list[str]) -> int:
    """``write`` or ``check``; the exit code."""
    version, found = library_hashes(Path.cwd())
    if arguments == ["write"]:
        text = json.dumps({"lean": version, "constants": dict(sorted(found.items()))})
        FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        print(f"{len(found)} constants of Lean {version} are pinned")
        return 0
    pinned = pinned_library()
    if version != pinned.lean:
        print(f"the pins are of Lean {pinned.lean}, and this is Lean {version}")
        return 4
    different = compare(dict(pinned.constants), found)
    same = len(pinned.constants.keys() & found.keys()) - len(different)
    print(f"{same} of {len(pinned.constants)} pinned constants are the same here")
    for name in different:
        print(f"  another meaning: {name}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
