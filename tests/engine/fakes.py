"""Fakes of the programs that the engine starts, and small projects for it to work on."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

LAKEFILE = """\
import Lake
open Lake DSL

package demo

lean_lib Demo where
  srcDir := "lean"
"""

# Acts as Node.js, which runs Lean many times (`host.cjs`) or once (`loader.cjs`).  What it does
# depends on a word in the document; otherwise it prints its arguments.
FAKE_NODE = r"""
import json, os, sys

def lean(arguments, environment, out):
    # whether it comes to an end
    place, folder = json.loads(environment["LEAN_ENGINE_OUTPUT"])
    with open(arguments[-1].replace(place, folder)) as source:
        text = source.read()
    if "CRASH" in text:
        print("boom", file=sys.stderr, flush=True)
        os._exit(1)
    if "BUSY" in text:
        return False
    if "TRAP" in text and sys.argv[-1].endswith("host.cjs"):
        os.remove(arguments[-1].replace(place, folder))
        return "TRAP"
    with open(os.path.join(folder, "setup.json")) as file:
        options = json.load(file)["options"]
    said = {"pid": os.getpid(), "text": text, "options": options, "env": dict(os.environ)}
    place = {"line": 1, "column": 0}
    message = {"severity": "information", "pos": place, "data": json.dumps(said)}
    print(json.dumps(message), file=out, flush=True)
    open(os.path.join(folder, "module.olean"), "wb").close()
    return True

if "--version" in sys.argv:
    print("v99.1.2")
elif sys.argv[-1].endswith("host.cjs"):
    for line in sys.stdin:
        request = json.loads(line)
        ended, trapped = request.get("stop"), False
        if ended is None:
            with open(request["stdout"], "a") as out, open(request["stderr"], "a") as err:
                done = lean(request["arguments"], request["environment"], out)
                if trapped := done == "TRAP":
                    print("@fatal operation does not support unaligned accesses", file=err)
                ended = request["id"] if done else None
        if ended is not None:
            print(json.dumps({"id": ended, "code": 70 * trapped, "asked": []}), flush=True)
else:
    lean(sys.argv, os.environ, sys.stdout)
"""


def executable(folder: Path, name: str, source: str) -> Path:
    """A Python script that can be run under the name `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def write_project(folder: Path, sources: dict[str, str], lakefile: str | None = None) -> Path:
    """A Lean project: `sources` by path; without a lakefile, one library named `Demo` in `lean`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lakefile.lean").write_text(lakefile or LAKEFILE, encoding="utf-8")
    for name, source in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return folder
