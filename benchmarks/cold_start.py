"""What an audit costs from an empty cache, unchanged, and after two changes of one file.

python -m benchmarks.cold_start [--project DIR]

The engine comes from the user's cache, so that no download is measured; everything else starts
empty.  Each row is one run of `obligations audit --jobs auto`, as `make audit` runs it: CPU seconds
of it and all its children, wall-clock seconds, seconds until its first line with a result, and the
largest process.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bridge.storage.location import CACHE_VARIABLE, cache_folder
from bridge.verdict import Verdict

__all__ = ["Cost", "main", "run"]

PARTS = ("lean", "lakefile.lean", "lean-toolchain", "obligations.toml", "waivers.toml")
LOCK = ("statements.lock.json", "statements.lock.answer.json.gz")
RESULT = f" {Verdict.HOLDS}"
"""What a line with a result of this library contains, during the audit or at the end."""
LEAF = Path("lean/PostNorm/Export/Stack.lean")
CHANGES = {
    "a comment": "\n-- changed\n",
    "a new theorem": "\ntheorem PostNorm.onePlusOne : 1 + 1 = 2 := rfl\n",
}
"""What is added to the end of :data:`LEAF`: the first does not change its compiled form."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one run; ``peak`` is the resident memory of its largest process, in bytes."""

    cpu: float
    wall: float
    first_result: float
    peak: int
    exit_code: int

    def row(self, name: str) -> str:
        """A line of the table."""
        numbers = (f"{self.cpu:.0f}", f"{self.wall:.0f}", f"{self.first_result:.0f}")
        return f"| {name} | {' | '.join(numbers)} | {self.peak / 1e9:.2f} | {self.exit_code} |"


def run(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a command to completion.

    Raises:
        OSError: it cannot be started.
    """
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        said = any(RESULT in line for line in lines)
        first = time.monotonic() - start if said else float("nan")
        process.stdout.read()
        code = process.wait()
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, wall, first, after.ru_maxrss * 1024, code)


def main() -> None:
    """Measure, and print the table, each row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1])
    source = parser.parse_args().project
    with tempfile.TemporaryDirectory() as folder:
        project, cache = Path(folder) / "project", Path(folder) / "cache"
        project.mkdir()
        for name in (*PARTS, *LOCK):
            if (source / name).is_dir():
                shutil.copytree(source / name, project / name)
            elif (source / name).exists():
                shutil.copy(source / name, project)
        shutil.copytree(cache_folder() / "engine", cache / "engine", symlinks=True)
        environment = {**os.environ, CACHE_VARIABLE: str(cache)}
        obligations = str(Path(sys.executable).with_name("obligations"))
        command = [obligations, "audit", "--jobs", "auto", "--project", str(project)]
        print(f"{os.cpu_count()} cores\n")
        print("| audit | CPU s | wall s | first result s | largest process GB | exit code |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
        print(run(command, environment).row("from an empty cache"), flush=True)
        print(run(command, environment).row("unchanged"), flush=True)
        for what, text in CHANGES.items():
            with (project / LEAF).open("a", encoding="utf-8") as leaf:
                leaf.write(text)
            print(run(command, environment).row(f"after {what} in {LEAF.name}"), flush=True)


if __name__ == "__main__":
    main()
