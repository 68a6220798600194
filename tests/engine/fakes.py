"""Stand-ins for the programs that the engine starts, and small projects for it to work on."""

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

# Acts as Node.js running Lean's file worker.  What it does depends on a word in the source's text.
FAKE_WORKER = r"""
import json, os, sys, time

def read():
    length = None
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            sys.exit(0)
        if not line.strip():
            return json.loads(sys.stdin.buffer.read(length))
        length = int(line.split(b":")[1])

def write(raw):
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()

def send(message):
    body = json.dumps(message).encode()
    write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

def note(method, **params):
    send({"jsonrpc": "2.0", "method": method, "params": params})

if "--version" in sys.argv:
    print("v99.1.2")
    sys.exit(0)

if "-Ddie=true" in sys.argv:
    sys.exit(1)

uri, text, version = "", "", 0
while True:
    message = read()
    method, params = message.get("method"), message.get("params") or {}
    if method in ("textDocument/didOpen", "textDocument/didChange"):
        document = params["textDocument"]
        uri, version = document["uri"], document["version"]
        text = document["text"] if "text" in document else params["contentChanges"][-1]["text"]
        here, there = {"line": 0, "character": 0}, {"line": 1, "character": 0}
        about = {"uri": uri, "version": version}
        busy = [{"range": {"start": here, "end": there}}]
        note("$/lean/fileProgress", textDocument=about, processing=busy)
        if "CRASH" in text:
            print("boom", file=sys.stderr, flush=True)
            sys.exit(1)
        if "GARBAGE" in text:
            write(b"Hello, world!\n")
            time.sleep(60)
        if "NOJSON" in text:
            write(b"Content-Length: 5\r\n\r\n{]{]{")
            time.sleep(60)
        if "TRUNCATED" in text:
            write(b"Content-Length: 1000\r\n\r\n{\"jsonrpc\":")
            sys.exit(0)
        if "STALLED" in text:
            write(b"Content-Length: 1000\r\n\r\n{\"jsonrpc\":")
            time.sleep(60)
        if "RESTART" in text:
            sys.exit(2)
        if "BUSY" in text:
            time.sleep(60)
        if "MEMORY" in text:
            print("\n@memory", text.split("MEMORY ")[1].split()[0], file=sys.stderr, flush=True)
        place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
        told = {"range": place, "severity": 3, "message": json.dumps(
            {"pid": os.getpid(), "text": text, "arguments": sys.argv[1:], "env": dict(os.environ)})}
        note("textDocument/publishDiagnostics", uri=uri, version=version, diagnostics=[told])
        note("$/lean/fileProgress", textDocument=about, processing=[])
        if "ASKS" in text:
            send({"jsonrpc": "2.0", "id": "w1", "method": "workspace/applyEdit", "params": {}})
    elif method == "textDocument/waitForDiagnostics":
        send({"jsonrpc": "2.0", "id": message["id"], "result": {}})
    elif method == "dies/now":
        sys.exit(1)
    elif method == "never/answered":
        pass
    elif method != "initialize" and "id" in message and method:
        send({"jsonrpc": "2.0", "id": message["id"], "result": {"echo": method}})
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
