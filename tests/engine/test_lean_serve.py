"""The language server with the real embedded engine, driven by leanclient."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from leanclient.aio import (
    AsyncLeanLSPClient,
    LeanRpcError,
    LeanTransportError,
    LeanWorkerCrashed,
)

from bridge.engine.interface import Engine
from tests.engine.fakes import write_project

pytestmark = pytest.mark.lean

SECONDS = 120.0
QUERY = "query.lean"
Conversation = Callable[[Any], Awaitable[None]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(
        tmp_path / "Projekt mit Leerzeichen ∀ 𝔸",
        {
            "lean/Demo.lean": "import Demo.Part",
            "lean/Demo/Part.lean": "/-- Two. -/\ndef Demo.two : Nat := 2",
        },
    )


@pytest.fixture
def talk(lean: Engine, project: Path) -> Callable[[Conversation], None]:
    """Starts a server for the project, runs a conversation with it, and closes it."""

    def run(conversation: Conversation) -> None:
        async def main() -> None:
            client = AsyncLeanLSPClient(str(project), server_command=lean.server_command(project))
            await client.start()
            try:
                await asyncio.wait_for(conversation(client), SECONDS)
            finally:
                await client.close()

        asyncio.run(main())

    return run


def messages(report: Any) -> list[str]:
    return [str(item["message"]) for item in report.items]


async def lean_process(program: str) -> psutil.Process:
    """The process of Lean below this one that runs `program`."""
    while True:
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):  # or it has just ended
                if any(part.endswith(program) for part in process.cmdline()):
                    return process
        await asyncio.sleep(0.1)


LOOP = "partial def spin (n : Nat) : IO Unit := spin (n + 1)\n#eval spin 0\n"


def test_asking(talk: Callable[[Conversation], None], lean: Engine, project: Path) -> None:
    assert lean.build(project).ok

    async def conversation(client: Any) -> None:
        text = "import Demo\n#eval Demo.two + 1\n#print axioms Nat.add_comm\n"
        await client.open(QUERY, text=text, wait=False)
        report = await client.diagnostics(QUERY)
        assert "3" in messages(report)
        assert not report.errors
        assert not report.fatal_error
        wrong = text + "example : (Demo.two, 𝔸).1 = 3 := rfl\n"
        await client.open("wrong.lean", text=wrong, wait=False)
        report = await client.diagnostics("wrong.lean")
        starts = [d["range"]["start"] for d in report.errors]
        assert starts == [{"line": 3, "character": 33}]
        await client.open("lean/Demo/Part.lean", wait=False)
        assert messages(await client.diagnostics("lean/Demo/Part.lean")) == []

    talk(conversation)


def test_unsupported_requests(talk: Callable[[Conversation], None]) -> None:
    async def conversation(client: Any) -> None:
        await client.open(QUERY, text="#check 1")
        with pytest.raises(LeanRpcError, match="textDocument/hover: this server only gives"):
            await client.hover(QUERY, 0, 7)
        await client.update(QUERY, "#check 2")
        with pytest.raises(LeanRpcError, match="version 2 .* was not opened"):
            await client.barrier(QUERY)

    talk(conversation)


def test_an_import_that_is_not_built(
    talk: Callable[[Conversation], None], lean: Engine, project: Path
) -> None:
    async def conversation(client: Any) -> None:
        await client.open(QUERY, text="import Lean\nimport Demo\n#eval 1\n", wait=False)
        report = await client.diagnostics(QUERY)
        (text,) = messages(report)
        assert "import Demo: it is not compiled from its present source" in text
        assert "obligations build" in text
        assert report.items[0]["range"]["start"] == {"line": 1, "character": 7}
        built = await asyncio.to_thread(lean.build, project)
        assert built.ok
        await client.restart_file(QUERY)
        assert messages(await client.diagnostics(QUERY)) == ["1"]
        (project / "lean/Demo/Part.lean").write_text("def Demo.two : Nat := 3")
        await client.restart_file(QUERY)
        (text,) = messages(await client.diagnostics(QUERY))
        assert "import Demo: it is not compiled" in text

    talk(conversation)


def test_the_engine_is_killed_in_the_middle_of_a_request(
    talk: Callable[[Conversation], None],
) -> None:
    async def conversation(client: Any) -> None:
        await client.open(QUERY, text=LOOP, wait=False)
        waiting = asyncio.create_task(client.barrier(QUERY))
        for program in ("host.cjs", "loader.cjs"):  # the second is a retry, alone
            (await lean_process(program)).kill()
        with pytest.raises(LeanWorkerCrashed, match=r"the Lean engine stopped: .*signal SIGKILL"):
            await waiting
        await client.open("next.lean", text="#eval 1 + 1\n", wait=False)
        assert messages(await client.diagnostics("next.lean")) == ["2"]

    talk(conversation)


def test_the_server_is_killed_in_the_middle_of_a_request(
    talk: Callable[[Conversation], None],
) -> None:
    async def conversation(client: Any) -> None:
        await client.open(QUERY, text=LOOP, wait=False)
        waiting = asyncio.create_task(client.barrier(QUERY))
        parent = (await lean_process("host.cjs")).parent()
        assert parent is not None
        parent.kill()
        with pytest.raises(LeanTransportError):
            await waiting
        await client._transport._proc.wait()  # leanclient itself does not, once the server is gone

    talk(conversation)


def test_a_source_that_loops(
    talk: Callable[[Conversation], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_OBLIGATIONS_FILE_SECONDS", "5")

    async def conversation(client: Any) -> None:
        started = time.monotonic()
        await client.open(QUERY, text=LOOP, wait=False)
        with pytest.raises(LeanWorkerCrashed, match=r"within 5 s \(the limit is LEAN_OBL"):
            await client.barrier(QUERY)
        assert time.monotonic() - started < 60

    talk(conversation)


def test_a_source_that_exhausts_memory(talk: Callable[[Conversation], None]) -> None:
    grow = (
        "partial def grow (a : Array (Array Nat)) : Nat := "
        "grow (a.push (Array.replicate 3000000 a.size))\n#eval grow #[]\n"
    )

    async def conversation(client: Any) -> None:
        await client.open(QUERY, text=grow, wait=False)
        with pytest.raises(LeanWorkerCrashed, match="it ran out of memory"):
            await client.barrier(QUERY)
        report = await client.diagnostics(QUERY, fresh=False)
        assert "ran out of memory" in messages(report)[-1]

    talk(conversation)
