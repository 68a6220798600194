"""The replacement `lake` as a separate process, in front of a scripted Lean."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bridge import engine
from embedded_lean import manifest
from embedded_lean.engine import EmbeddedEngine
from embedded_lean.launch import stand_in_command
from embedded_lean.layout import Layout
from embedded_lean.node import find_node
from tests.engine.fakes import FAKE_NODE, executable, write_project

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and signals of POSIX")


class Server:
    """A running replacement, addressed in frames."""

    def __init__(self, project: Path) -> None:
        command = engine.select("embedded", project=project, install=False).server_command(project)
        self.process = subprocess.Popen(
            command,
            cwd=project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def write(self, raw: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(raw)
        self.process.stdin.flush()

    def send(self, method: str, params: object, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps(message if number is None else {**message, "id": number}).encode()
        self.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = int(self.process.stdout.readline().split(b":")[1])
        self.process.stdout.readline()
        return dict(json.loads(self.process.stdout.read(length)))

    def until(self, method: str) -> dict[str, Any]:
        while True:
            message = self.read()
            if message.get("method") == method:
                return message

    def begin(self, text: str = "#check 1") -> dict[str, Any]:
        """Initialise, open a document; the scripted Lean's answer."""
        self.initialize()
        self.open(text)
        said = self.until("textDocument/publishDiagnostics")["params"]["diagnostics"]
        return dict(json.loads(said[0]["message"]))

    def initialize(self) -> None:
        self.send("initialize", {}, 0)
        assert "capabilities" in self.read()["result"]
        self.send("initialized", {})

    def open(self, text: str) -> None:
        item = {"uri": "file:///x.lean", "languageId": "lean4", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": item})
        self.send("textDocument/waitForDiagnostics", {"uri": "file:///x.lean", "version": 1}, 1)

    def lean(self) -> psutil.Process:
        """The process that runs Lean."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for child in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.Error):  # or it has just ended
                    if any(part.endswith("host.cjs") for part in child.cmdline()):
                        return child
            time.sleep(0.05)
        raise AssertionError("nothing runs Lean")

    def end(self) -> tuple[int, str]:
        """Wait for its end; the exit code and what it wrote to stderr."""
        try:
            _out, err = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, err.decode()


@pytest.fixture
def project(
    cache: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_orphans: object
) -> Path:
    """A project, and an engine that is not Lean but looks installed."""
    executable(tmp_path / "bin", "node", FAKE_NODE)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]))
    cache.library.mkdir(parents=True)
    (cache.home / "lean.js").write_text("")
    manifest.write_manifest(cache.home)
    lakefile = (
        "package p where\n  leanOptions := #[⟨`autoImplicit, false⟩]\n"
        'lean_lib Demo where\n  srcDir := "lean"\n'
    )
    return write_project(tmp_path / "Projekt ∀", {"lean/Demo.lean": ""}, lakefile)


@contextlib.contextmanager
def started(project: Path) -> Iterator[Server]:
    server = Server(project)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


@pytest.fixture
def server(project: Path) -> Iterator[Server]:
    with started(project) as found:
        yield found


def gone(process: psutil.Process) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_document_is_put_through_lean(server: Server, project: Path) -> None:
    said = server.begin("#check 1")
    assert said["text"] == "#check 1"
    assert said["options"] == {"autoImplicit": False}
    progress = server.until("$/lean/fileProgress")["params"]
    assert progress == {"textDocument": {"uri": "file:///x.lean", "version": 1}, "processing": []}
    assert server.read() == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_lean_gets_no_environment_of_the_user(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    with started(project) as server:
        names = set(server.begin()["env"]) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert names
    assert all(name.startswith("LEAN_") for name in names), names


def crashed(server: Server) -> str:
    """The report about a document at which Lean broke: the same in all three messages."""
    (item,) = server.until("textDocument/publishDiagnostics")["params"]["diagnostics"]
    assert item["severity"] == 1
    processing = server.until("$/lean/fileProgress")["params"]["processing"]
    assert [p["kind"] for p in processing] == [2]
    error = server.read()["error"]
    assert error["code"] == -32902
    assert error["message"] in item["message"]
    return str(error["message"])


def test_a_lean_that_breaks_is_reported(server: Server) -> None:
    server.open("-- CRASH")
    said = crashed(server)
    assert said.startswith(engine.STOPPED)
    assert "exit code 1: boom" in said


def test_a_lean_whose_code_breaks_reads_the_document_again_in_a_process_of_its_own(
    server: Server,
) -> None:
    said = server.begin("-- TRAP")
    assert said["text"].endswith("-- TRAP")
    assert said["pid"] != server.lean().pid


def test_a_document_that_loops_is_stopped(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_OBLIGATIONS_FILE_SECONDS", "0.8")
    with started(project) as server:
        server.open("-- BUSY")
        said = crashed(server)
    assert "0.8 s" in said
    assert "LEAN_OBLIGATIONS_FILE_SECONDS" in said


def test_node_that_cannot_be_started_is_an_error(server: Server, tmp_path: Path) -> None:
    server.initialize()
    (tmp_path / "bin/node").unlink()
    server.open("#check 1")
    (item,) = server.until("textDocument/publishDiagnostics")["params"]["diagnostics"]
    assert "cannot be started" in item["message"]


def test_a_lakefile_that_is_not_understood_is_an_error(server: Server, project: Path) -> None:
    (project / "lakefile.lean").write_text("package p\nrequire x")
    server.open("#check 1")
    (item,) = server.until("textDocument/publishDiagnostics")["params"]["diagnostics"]
    assert "lakefile.lean:2" in item["message"]


def test_shutting_down_in_the_proper_way(server: Server) -> None:
    server.begin()
    lean = server.lean()
    server.send("shutdown", None, 9)
    server.send("exit", None)
    code, _err = server.end()
    assert code == 0
    assert gone(lean)


def end_of_input(server: Server) -> None:
    assert server.process.stdin is not None
    server.process.stdin.close()
    server.process.stdin = None


@pytest.mark.parametrize("text", ["#check 1", "-- BUSY"], ids=["idle", "busy"])
@pytest.mark.parametrize(
    "leave",
    [
        end_of_input,
        lambda server: server.process.terminate(),
        lambda server: server.process.send_signal(signal.SIGHUP),
        lambda server: server.process.send_signal(signal.SIGINT),
        lambda server: server.send("exit", None),
    ],
    ids=["end of input", "SIGTERM", "SIGHUP", "SIGINT", "exit"],
)
def test_leaving_ends_lean(server: Server, leave: Callable[[Server], None], text: str) -> None:
    server.open(text)
    if "BUSY" not in text:
        server.until("textDocument/publishDiagnostics")
    lean = server.lean()
    leave(server)
    code, err = server.end()
    assert (code, err) == (0, "")
    assert gone(lean)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells children")
def test_a_killed_server_ends_lean(server: Server) -> None:
    server.begin()
    lean = server.lean()
    server.process.kill()
    assert gone(lean)


def test_garbage_from_the_client_ends_the_server(server: Server) -> None:
    server.begin()
    lean = server.lean()
    server.write(b"GET / HTTP/1.1\n")
    code, err = server.end()
    assert code == 1
    assert "the client sent something unreadable: expected a header" in err
    assert gone(lean)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(stand_in_command(arguments), capture_output=True, text=True, timeout=60)


def test_versions_and_usage(project: Path) -> None:
    assert run("--version").stdout.startswith("Lake version 5.0.0-embedded (Lean version 4.28.0")
    assert "usage: lake" in run("--help").stdout
    assert run("env").stdout == "LEAN_PATH=/engine/library:/engine/build\n"
    for wrong in ([], ["exe", "x"], ["--dir"], ["env", "ls"], ["serve", "--", "-Dx=1"]):
        answer = run(*wrong)
        assert answer.returncode == 2, wrong
        assert "usage: lake" in answer.stderr


def test_without_an_engine(cache: Layout) -> None:
    answer = run("build")
    assert answer.returncode == 3
    assert "not installed" in answer.stderr
    assert "obligations engine install" in answer.stderr


def test_the_engine_s_description_of_itself(project: Path, cache: Layout) -> None:
    found = engine.select("embedded", project=project, install=False)
    assert found == EmbeddedEngine(cache, find_node())
    assert (found.kind, found.official) == ("embedded", False)
    assert "unofficial" in found.describe()
    assert found.lean_version.startswith("4.28")
    assert str(cache.home.name) in found.fingerprint
