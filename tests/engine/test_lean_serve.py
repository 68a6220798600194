"""The language server with the real embedded engine, driven by leanclient."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from leanclient.aio import AsyncLeanLSPClient, LeanTransportError, LeanWorkerCrashed

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


def workers() -> list[psutil.Process]:
    """Running processes of Lean below this one."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "--worker" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


async def busy_worker() -> psutil.Process:
    """The worker that computes; the spare one waits."""
    while not (found := workers()):
        await asyncio.sleep(0.1)
    before = {p.pid: sum(p.cpu_times()[:2]) for p in found}
    await asyncio.sleep(1.5)
    return max(found, key=lambda p: sum(p.cpu_times()[:2]) - before[p.pid])


LOOP = "partial def spin (n : Nat) : IO Unit := spin (n + 1)\n#eval spin 0\n"


def test_asking_and_editing(
    talk: Callable[[Conversation], None], lean: Engine, project: Path
) -> None:
    assert lean.build(project).ok

    async def conversation(client: Any) -> None:
        text = "import Demo\n#eval Demo.two + 1\n#print axioms Nat.add_comm\n"
        await client.open(QUERY, text=text, wait=False)
        assert "3" in messages(await client.diagnostics(QUERY))
        hover = await client.hover(QUERY, 1, 12)
        assert "Two." in hover["contents"]["value"]
        await client.update(QUERY, text + "example : Demo.two = 3 := rfl\n")
        report = await client.diagnostics(QUERY)
        assert [d["range"]["start"]["line"] for d in report.errors] == [3]
        await client.open("lean/Demo/Part.lean", wait=False)
        assert messages(await client.diagnostics("lean/Demo/Part.lean")) == []

    talk(conversation)


def test_an_import_that_is_not_built(
    talk: Callable[[Conversation], None], lean: Engine, project: Path
) -> None:
    async def conversation(client: Any) -> None:
        await client.open(QUERY, text="import Demo\n#eval 1\n", wait=False)
        report = await client.diagnostics(QUERY)
        assert report.fatal_error
        (text,) = messages(report)
        assert "import Demo: it is not compiled from its present source" in text
        built = await asyncio.to_thread(lean.build, project)
        assert built.ok
        await client.update(QUERY, "import Demo\n#eval Demo.two\n")
        assert messages(await client.diagnostics(QUERY)) == ["2"]

    talk(conversation)


def test_the_engine_is_killed_in_the_middle_of_a_request(
    talk: Callable[[Conversation], None],
) -> None:
    async def conversation(client: Any) -> None:
        await client.open(QUERY, text=LOOP, wait=False)
        waiting = asyncio.create_task(client.barrier(QUERY))
        worker = await busy_worker()
        worker.kill()
        with pytest.raises(LeanWorkerCrashed, match=r"the Lean engine stopped \(.*signal SIGKILL"):
            await waiting
        await client.update(QUERY, "#eval 1 + 1\n")
        assert messages(await client.diagnostics(QUERY)) == ["2"]

    talk(conversation)


def test_the_server_is_killed_in_the_middle_of_a_request(
    talk: Callable[[Conversation], None],
) -> None:
    async def conversation(client: Any) -> None:
        await client.open(QUERY, text=LOOP, wait=False)
        waiting = asyncio.create_task(client.barrier(QUERY))
        worker = await busy_worker()
        parent = worker.parent()
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
        with pytest.raises(LeanWorkerCrashed, match="stopped after 5 s"):
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
