"""The checkers that releases of Lean ship with it: programs that read an export and accept it.

Releases since 4.35 bundle them (lean4 #15048, #15099, #15130, #15153); ``lake check --paranoid``
runs the same ones.  Such a program ends with 0 if it accepts a whole export, and does not report in
a machine-readable form what it refuses, so it is run again on each tagged theorem alone.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bridge.engine import Engine
from bridge.engine.processes import bounded_output, exit_reason
from bridge.kernels.export import declared_by, read_export
from bridge.kernels.interface import KernelAnswer, KernelBrokeError
from bridge.kernels.known_bugs import known_bugs

__all__ = ["BundledKernel", "find_bundled"]

_WORDS = 200
_CANNOT_RUN = (126, 127)


@dataclass(frozen=True, slots=True)
class _Program:
    """A program by its file: its name, the arguments before the file that it reads, whether that is
    a settings file which names the export, and whether it is the kernel of the Lean that it comes
    with.  As Lake calls it (lean4 #15145)."""

    file: str
    name: str
    arguments: tuple[str, ...] = ()
    by_settings: bool = False
    lean: bool = False


_PROGRAMS = (
    _Program(
        "leanchecker-paranoid", "leanchecker-paranoid", ("--silent", "--from-export"), lean=True
    ),
    _Program("lean4lean", "lean4lean", ("--import",)),
    _Program("nanoda_bin", "nanoda", by_settings=True),
    _Program("con-leche", "con-leche"),
    _Program("con-ron", "con-ron"),
)


@dataclass(frozen=True, slots=True)
class BundledKernel:
    """One checker of a toolchain.

    Attributes:
        program: its file.
        name: its name in reports.
        version: the Lean that it comes with.
        known_bugs: proofs of False that it is known to accept; empty if none is known.
        arguments: of its command line, before the file.
        by_settings: whether it reads the export's path from a settings file.
    """

    program: Path
    name: str
    version: str
    known_bugs: str = ""
    arguments: tuple[str, ...] = ()
    by_settings: bool = False

    @property
    def fingerprint(self) -> str:
        """The hash of the program."""
        with self.program.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def check(self, export: Path, *, roots: Sequence[int], timeout: float) -> KernelAnswer:
        """Its answer about an export; see :class:`bridge.kernels.interface.Kernel`.

        Raises:
            KernelBrokeError: it could not be run, was killed, took too long, or does not even
                accept the export without its declarations.
        """
        known = read_export(export)
        if not self._refusal(export, timeout):
            return KernelAnswer(len(known.constants), {}, complete=True)
        if why := self._refusal_of_part(export, frozenset(), timeout):
            raise KernelBrokeError(
                f"{self.name} does not read the export, even without declarations: {why}",
                remedy="leave the checkers out with --no-trust, and report this",
            )
        taken: set[int] = set()
        refused: dict[int, str] = {}
        for root in roots:
            below = known.below(root) & known.constants.keys()
            if why := self._refusal_of_part(export, below, timeout):
                refused[root] = why
            else:
                taken |= below
        if not refused:
            raise KernelBrokeError(
                f"{self.name} accepts every tagged theorem alone, but not all together",
                remedy="leave the checkers out with --no-trust, and report this",
            )
        taken -= refused.keys()
        named = {known.raw[root]: why for root, why in refused.items()}
        undecided = len(known.constants) - len(taken) - len(refused)
        return KernelAnswer(len(taken), named, complete=True, undecided=undecided)

    def _refusal_of_part(self, export: Path, kept: frozenset[int], timeout: float) -> str:
        """Why it does not accept an export of only these constants; empty if it does."""
        with tempfile.TemporaryDirectory(prefix="obligations-") as folder:
            part = Path(folder) / "export.ndjson"
            with part.open("w", encoding="utf-8") as file:
                file.writelines(_part(export, kept))
            return self._refusal(part, timeout)

    def _refusal(self, export: Path, timeout: float) -> str:
        """Why it does not accept an export; empty if it does."""
        with tempfile.TemporaryDirectory(prefix="obligations-") as folder:
            argument = export
            if self.by_settings:
                argument = Path(folder) / "settings.json"
                argument.write_text(json.dumps(_settings(export)), encoding="utf-8")
            try:
                done = bounded_output(
                    [self.program, *self.arguments, argument], timeout=timeout, cwd=Path(folder)
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                late = isinstance(error, subprocess.TimeoutExpired)
                what = f"gave no answer within {timeout:g} s" if late else f"cannot be run: {error}"
                raise KernelBrokeError(
                    f"{self.name} {what}",
                    remedy="give it longer with --timeout, or leave it out with --no-trust",
                ) from None
        if done.returncode == 0:
            return ""
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["nothing"]
        why = f"not accepted ({exit_reason(done.returncode)}): {said[0][:_WORDS]}"
        if done.returncode < 0 or done.returncode in _CANNOT_RUN:
            raise KernelBrokeError(
                f"{self.name} ended early: {why}", remedy="leave it out with --no-trust"
            )
        return why


def find_bundled(engine: Engine, project: Path) -> tuple[BundledKernel, ...]:
    """The checkers that the toolchain of an official engine ships; most releases ship none."""
    folder = engine.programs(project)
    if folder is None:
        return ()
    return tuple(
        BundledKernel(
            folder / p.file,
            p.name,
            engine.lean_version,
            known_bugs(engine.lean_version) if p.lean else "",
            p.arguments,
            p.by_settings,
        )
        for p in _PROGRAMS
        if (folder / p.file).is_file()
    )


def _settings(export: Path) -> dict[str, object]:
    """The settings; all axioms are permitted: which ones may be is judged elsewhere, for every
    kernel."""
    return {
        "export_file_path": str(export),
        "use_stdin": False,
        "unsafe_permit_all_axioms": True,
        "unpermitted_axiom_hard_error": False,
        "nat_extension": True,
        "string_extension": True,
        "num_threads": 2,
    }


def _part(export: Path, kept: frozenset[int]) -> Iterator[str]:
    """The lines of an export, with only the declarations of the kept constants."""
    with export.open(encoding="utf-8") as file:
        yield file.readline()
        for line in file:
            declared = declared_by(msgspec.json.decode(line))
            if not declared or declared & kept:
                yield line
