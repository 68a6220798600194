"""The official toolchain: Lake and Lean as the Lean project releases them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.engine.errors import BuildBrokenError, LakeUnusableError
from bridge.engine.interface import (
    OUTPUT_FILE,
    BuildEvent,
    BuildProgress,
    BuildReport,
    EngineKind,
    LeanMessage,
    ModuleReport,
    Outcome,
    Recheck,
    Severity,
)
from bridge.engine.modules import shown_path
from bridge.engine.printed import printed_message
from bridge.engine.processes import bounded_output, exit_reason, kill_group, tied
from bridge.engine.readers import forget_readers

__all__ = ["LakeEngine", "find_lake"]

_ANSWER_SECONDS = 20.0
_CHECKER = "leanchecker"
_REMEDY = (
    "Install Lean (elan, and the toolchain that the file lean-toolchain names), or use the "
    "embedded engine: --engine embedded."
)
_LEAN_VERSION = re.compile(
    r"Lean \(version (?P<version>[^\s,)]+)(?:[^)]*?commit (?P<commit>[0-9a-f]+))?"
)
# `error: lean/A.lean:3:4: text`, and how Lake begins a job: `✖ [3/5] Building PostNorm.Block
# (1.2s)`
_MESSAGE = re.compile(r"(error|warning|info): (?P<file>[^:\n]+\.lean):(\d+):(\d+): ?(.*)")
_PLAIN = re.compile(r"(error|warning|info): (?!Lean exited with code)(.*)")
_JOB = re.compile(
    r"\S+ \[(?P<done>\d+)/(?P<total>\d+)\] (?P<verb>[A-Z][a-z]+) (?P<module>[^\s(:]+)"
)
_SEVERITIES: dict[str, Severity] = {"error": "error", "warning": "warning", "info": "information"}


@dataclass(frozen=True, slots=True)
class LakeEngine:
    """Lean as `lake` runs it in one project.  `find_lake` makes one that answers."""

    lake: Path
    lean_version: str
    commit: str
    kind: EngineKind = "lake"
    official: bool = True
    prefers_batch: bool = False

    @property
    def fingerprint(self) -> str:
        """Lean's version and commit."""
        return f"lake-{self.lean_version}-{self.commit}"

    def describe(self) -> str:
        """One line for reports."""
        return f"Lean {self.lean_version} (official toolchain, {self.lake})"

    def server_command(self, project: Path) -> list[str]:
        """`lake serve`, reporting diagnostics at once; to be started in the folder `project`."""
        return [str(self.lake), "serve", "--", "-Dserver.reportDelayMs=0"]

    def begin(self, project: Path) -> None:
        """Nothing: each call starts its own process."""

    def build(
        self,
        project: Path,
        *,
        progress: BuildProgress | None = None,
        jobs: int | None = None,
    ) -> BuildReport:
        """Run `lake build`; Lake itself decides how many jobs it runs, so `jobs` is ignored.

        Modules that may read files are compiled again each time: see `bridge.engine.readers`.
        """
        started = time.monotonic()
        forget_readers(project)
        lines: list[str] = []
        with subprocess.Popen(
            tied([self.lake, "build", "--no-ansi"]),
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    lines.append(line.rstrip("\n"))
                    job = _JOB.match(line)
                    if job and progress:
                        done, total = int(job["done"]), int(job["total"])
                        progress(BuildEvent(job["module"], None, done, total))
            except BaseException:
                kill_group(process.pid)
                raise
            code = process.wait()
        modules = parse_build_output(lines, project)
        if code != 0 and not any(m.outcome == "failed" for m in modules):
            said = " / ".join(line.strip() for line in lines if line.strip())[-400:]
            raise BuildBrokenError(
                f"`lake build` failed ({exit_reason(code)}) without an error in a source: {said}",
                remedy="Run `lake build` in the project to see more, or use --engine embedded.",
            )
        return BuildReport(modules, time.monotonic() - started)

    def run_document(
        self, project: Path, text: str, *, timeout: float, output: Path | None = None
    ) -> tuple[LeanMessage, ...] | None:
        """See `Engine.run_document`; runs `lake env lean --json`."""
        with tempfile.TemporaryDirectory(prefix="obligations-") as folder:
            source, written = Path(folder) / "ObligationsRequest.lean", Path(folder) / "written"
            source.write_text(text.replace(OUTPUT_FILE, written.as_posix()), encoding="utf-8")
            try:
                done = bounded_output(
                    [self.lake, "env", "lean", "--json", source], timeout=timeout, cwd=project
                )
            except subprocess.TimeoutExpired:
                raise BuildBrokenError(
                    f"`lake env lean` did not end within {timeout:.0f} s",
                    remedy="Give it longer with --timeout.",
                ) from None
            lines = done.stdout.splitlines()
            messages = tuple(m for line in lines if (m := printed_message(line, source.name)))
            if done.returncode != 0 and not any(m.severity == "error" for m in messages):
                said = " / ".join(done.stderr.split("\n"))[-400:].strip(" /")
                raise BuildBrokenError(
                    f"`lake env lean` failed ({exit_reason(done.returncode)}): {said}",
                    remedy="Run `lake build` in the project to see more.",
                )
            if output is not None and written.is_file():
                shutil.move(written, output)
        return messages

    def until(self, over: threading.Event) -> None:
        """Its documents end by themselves."""

    def files_asked(self, project: Path) -> Mapping[str, str] | None:
        """None: it is unknown which files Lean asked for."""
        return None

    def compiled_digests(self, project: Path) -> Mapping[str, str] | None:
        """None: Lake does not report them; a project's dependencies would count as well."""
        return None

    def programs(self, project: Path) -> Path:
        """The toolchain's `bin`."""
        found = _ask([str(self.lake), "env", "lean", "--print-prefix"], project, re.compile(r".+"))
        return Path(found[0].strip()) / "bin"

    def recheck(self, project: Path, modules: Sequence[str], *, timeout: float) -> Recheck | None:
        """Run the toolchain's `leanchecker`, which reads the compiled files and sends every
        declaration to a fresh kernel; older releases have none."""
        checker = self.programs(project) / _CHECKER
        if not any(checker.with_suffix(suffix).is_file() for suffix in ("", ".exe")):
            return None
        try:
            done = bounded_output(
                [self.lake, "env", checker, *modules], timeout=timeout, cwd=project
            )
        except subprocess.TimeoutExpired:
            raise BuildBrokenError(
                f"`{_CHECKER}` did not end within {timeout:.0f} s",
                remedy="Give it longer with --timeout, or leave it out with --no-trust.",
            ) from None
        if done.returncode == 0:
            return Recheck(_CHECKER, None)
        said = " / ".join((done.stdout + done.stderr).split("\n"))[-400:].strip(" /")
        return Recheck(_CHECKER, said or exit_reason(done.returncode))


def find_lake(project: Path) -> LakeEngine:
    """The official toolchain, if it answers in this project.

    `elan` installs a `lake` that downloads the toolchain at first use; without a network it
    fails or hangs, so both questions have a time limit.

    Raises:
        LakeUnusableError: there is no lake, or it does not answer as it should.
    """
    lake = shutil.which("lake")
    if lake is None:
        raise LakeUnusableError("there is no `lake` on PATH", remedy=_REMEDY)
    _ask([lake, "--version"], project, re.compile(r"Lake version \S+"))
    version = _ask([lake, "env", "lean", "--version"], project, _LEAN_VERSION)
    return LakeEngine(Path(lake), version["version"], version["commit"] or "unknown")


def _ask(command: list[str], project: Path, expected: re.Pattern[str]) -> re.Match[str]:
    shown = " ".join(["lake", *command[1:]])
    try:
        answer = bounded_output(command, timeout=_ANSWER_SECONDS, cwd=project)
    except subprocess.TimeoutExpired:
        raise LakeUnusableError(
            f"`{shown}` did not answer within {_ANSWER_SECONDS:.0f} s", remedy=_REMEDY
        ) from None
    except OSError as error:
        raise LakeUnusableError(
            f"`{shown}` cannot be started: {error.strerror}", remedy=_REMEDY
        ) from error
    said = " / ".join((answer.stdout + answer.stderr).split("\n"))[:200].strip(" /")
    if answer.returncode != 0:
        raise LakeUnusableError(
            f"`{shown}` failed ({exit_reason(answer.returncode)}): {said or 'it printed nothing'}",
            remedy=_REMEDY,
        )
    match = expected.search(answer.stdout)
    if match is None:
        raise LakeUnusableError(f"`{shown}` printed {said!r}", remedy=_REMEDY)
    return match


def parse_build_output(lines: Iterable[str], project: Path) -> tuple[ModuleReport, ...]:
    """The output of `lake build`, as reports of modules.

    Lake prints a line for each job that did something, then that job's messages; a message
    continues until the next line that starts one.  Modules that were up to date and silent are not
    printed by Lake at all.
    """
    reports: list[ModuleReport] = []
    messages: list[LeanMessage] = []
    name = ""
    verb = ""

    def finish() -> None:
        if name or messages:
            outcome: Outcome = "current" if verb in ("Replayed", "Fetched") else "built"
            if any(m.severity == "error" for m in messages):
                outcome = "failed"
            file = messages[0].file if messages else ""
            reports.append(ModuleReport(name or file, file, outcome, tuple(messages)))
        messages.clear()

    open_message = False
    for line in lines:
        if line.startswith(
            (
                "Build completed successfully",
                "Some required targets logged failures",
                "Some required builds logged failures",
            )
        ):
            finish()
            name, verb, open_message = "", "", False
            break
        job = _JOB.match(line)
        message = _MESSAGE.match(line)
        plain = _PLAIN.match(line)
        if job:
            finish()
            name, verb, open_message = job["module"], job["verb"], False
        elif message:
            path = Path(message["file"])
            file = shown_path(path, project) if path.is_absolute() else path.as_posix()
            file = file.removeprefix("./")
            severity = _SEVERITIES[message[1]]
            text = message[5]
            messages.append(LeanMessage(file, int(message[3]), int(message[4]), severity, text))
            open_message = True
        elif plain and name:
            messages.append(LeanMessage(name, 0, 0, _SEVERITIES[plain[1]], plain[2]))
            open_message = True
        elif line.startswith(
            ("trace:", "error: Lean exited", "warning: manifest", "ℹ", "⚠", "✖", "✔")
        ):
            open_message = False
        elif open_message:
            last = messages[-1]
            messages[-1] = LeanMessage(
                last.file, last.line, last.column, last.severity, f"{last.text}\n{line}".rstrip()
            )
    finish()
    return tuple(reports)
