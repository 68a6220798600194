"""A Lean project to begin with: lakefile, toolchain, and a first theorem."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.errors import InvalidInputError
from bridge.lean.project import EXPORTER, LAKEFILES
from bridge.lean.toolchain import TOOLCHAIN_NAME
from bridge.storage.atomic import write_atomically

__all__ = ["start_project"]

RELEASE = "leanprover/lean4:v4.28.0"
"""The release of Lean that the library `Obligations` is written for."""

_LAKEFILE = """\
import Lake
open Lake DSL

package {package}

lean_lib Obligations

@[default_target]
lean_lib {name}
"""

_THEOREM = """\
import Obligations
namespace {name}

/-- A step of gradient descent: its rate is positive. -/
structure Step where
  rate : Rat
  pos : 0 < rate

/-- The mean of two numbers. -/
def mean (a b : Rat) : Rat := (a + b) * (1 / 2)

/-- The mean of two numbers is not above a bound of both. -/
@[obligation] theorem mean_le (a b c : Rat) (hFirst : a ≤ c) (hSecond : b ≤ c) :
    mean a b ≤ c := by
  unfold mean
  grind

/-- A step goes down where the slope is positive. -/
@[obligation] theorem step_lt (s : Step) (x slope : Rat) (hSlope : 0 < slope) :
    x - s.rate * slope < x := by
  have := Rat.mul_pos s.pos hSlope
  grind

end {name}
"""


def start_project(folder: Path, name: str) -> tuple[str, ...]:
    """Write a lakefile, a toolchain and one Lean file with two theorems; the names of the files.

    Args:
        folder: of the project; it may hold other files.
        name: of its Lean library and of the Lean file, such as ``Demo``.

    Raises:
        InvalidInputError: the name is not a module name, or a file exists already.
        OSError: a file cannot be written.
    """
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) or name in ("Lean", "Init", "Std", EXPORTER):
        raise InvalidInputError(
            f"--new {name}: expected the name of a new Lean library, such as Demo",
            remedy="use letters and digits, beginning with a capital letter",
        )
    files = {
        LAKEFILES[0]: _LAKEFILE.format(package=name.lower(), name=name),
        TOOLCHAIN_NAME: f"{RELEASE}\n",
        f"{name}.lean": _THEOREM.format(name=name),
    }
    there = [n for n in (*files, *LAKEFILES) if (folder / n).exists()]
    if there:
        raise InvalidInputError(
            f"--new {name}: {folder} holds {there[0]} already",
            remedy="`obligations init` without --new puts the library into the project that is "
            "there; or begin in an empty folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        write_atomically(folder / file, text)
    return tuple(files)
