"""The stand-in `lake` as a process of its own, in front of a scripted Lean."""

from __future__ import annotations

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
from tests.engine.fakes import FAKE_WORKER, executable, write_project

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and signals of POSIX")


class Server:
    """A running stand-in, talked to in frames."""

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

    def begin(self, text: str = "#check 1") -> psutil.Process:
        """Initialise, open a source; the worker that serves it."""
        self.send("initialize", {}, 0)
        assert self.read()["id"] == 0
        item = {"uri": "file:///x.lean", "languageId": "lean4", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": item})
        told = self.until("textDocument/publishDiagnostics")["params"]["diagnostics"][0]["message"]
        return psutil.Process(json.loads(told)["pid"])

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
    """A project, and an engine that is no Lean but looks installed."""
    executable(tmp_path / "bin", "node", FAKE_WORKER)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]))
    cache.library.mkdir(parents=True)
    (cache.home / "lean.js").write_text("")
    manifest.write_manifest(cache.home)
    return write_project(tmp_path / "Projekt ∀", {"lean/Demo.lean": ""})


@pytest.fixture
def server(project: Path) -> Iterator[Server]:
    found = Server(project)
    yield found
    found.process.kill()
    found.process.communicate()


def gone(process: psutil.Process) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_shutting_down_in_the_proper_way(server: Server) -> None:
    worker = server.begin()
    server.send("shutdown", None, 9)
    server.send("exit", None)
    code, _err = server.end()
    assert code == 0
    assert gone(worker)


def end_of_input(server: Server) -> None:
    assert server.process.stdin is not None
    server.process.stdin.close()
    server.process.stdin = None


@pytest.mark.parametrize(
    "leave",
    [
        end_of_input,
        lambda server: server.process.terminate(),
        lambda server: server.process.send_signal(signal.SIGHUP),
        lambda server: server.process.send_signal(signal.SIGINT),
    ],
    ids=["end of input", "SIGTERM", "SIGHUP", "SIGINT"],
)
def test_leaving_takes_the_workers_along(server: Server, leave: Callable[[Server], None]) -> None:
    worker = server.begin()
    leave(server)
    code, _err = server.end()
    assert code == 0
    assert gone(worker)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells children")
def test_a_killed_server_takes_the_workers_along(server: Server) -> None:
    worker = server.begin()
    server.process.kill()
    assert gone(worker)


def test_garbage_from_the_client_ends_the_server(server: Server) -> None:
    worker = server.begin()
    server.write(b"GET / HTTP/1.1\n")
    code, err = server.end()
    assert code == 1
    assert "the client sent something unreadable: expected a header" in err
    assert gone(worker)


def test_input_that_is_no_pipe(project: Path, tmp_path: Path) -> None:
    command = stand_in_command(["--dir", str(project), "serve"])
    (tmp_path / "input").write_text("")
    with (tmp_path / "input").open() as file:
        answer = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 2
    assert "have to be pipes" in answer.stderr


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(stand_in_command(arguments), capture_output=True, text=True, timeout=60)


def test_versions_and_usage(project: Path) -> None:
    assert run("--version").stdout.startswith("Lake version 5.0.0-embedded (Lean version 4.28.0")
    assert "usage: lake" in run("--help").stdout
    assert run("env").stdout == "LEAN_PATH=/engine/library:/engine/build\n"
    for wrong in ([], ["exe", "x"], ["--dir"], ["env", "ls"]):
        answer = run(*wrong)
        assert answer.returncode == 2, wrong
        assert "usage: lake" in answer.stderr


def test_without_an_engine(cache: Layout) -> None:
    answer = run("build")
    assert answer.returncode == 3
    assert "not installed" in answer.stderr
    assert "obligations engine install" in answer.stderr


def test_what_the_engine_says_about_itself(project: Path, cache: Layout) -> None:
    found = engine.select("embedded", project=project, install=False)
    assert found == EmbeddedEngine(cache, find_node())
    assert (found.kind, found.official) == ("embedded", False)
    assert "unofficial" in found.describe()
    assert found.lean_version.startswith("4.28")
    assert str(cache.home.name) in found.fingerprint
