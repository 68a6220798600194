"""The language server's watchdog, in front of scripted workers that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from bridge.engine.lakefile import read_package
from bridge.engine.modules import read_modules
from embedded_lean import frames, watchdog
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.store import Store, module_keys
from tests.engine.fakes import FAKE_WORKER, executable, write_project
from tests.engine.watchdog_client import URI, Client, Conversation


@pytest.fixture
def converse(tmp_path: Path) -> Callable[..., None]:
    """Runs a conversation, and checks that no worker is left after it."""
    layout = Layout(tmp_path / "cache")
    node = Node(executable(tmp_path / "bin", "node", FAKE_WORKER), "99.1.2")
    project = write_project(
        tmp_path / "project",
        {"lean/Demo.lean": "import Demo.A", "lean/Demo/A.lean": "-- A"},
        "package p where\n  leanOptions := #[⟨`autoImplicit, false⟩]\n"
        'lean_lib Demo where\n  srcDir := "lean"\n',
    )

    def run(conversation: Conversation, **settings: Any) -> None:
        async def main() -> None:
            client = Client(layout, node, project, **settings)
            await client.send("initialize", {"rootUri": project.as_uri()}, 0)
            try:
                await conversation(client)
            finally:
                await client.dog.close()

        asyncio.run(main())
        children = psutil.Process().children(recursive=True)
        left = [c for c in children if "--worker" in " ".join(c.cmdline())]
        assert not left, f"workers are left: {left}"

    return run


@pytest.fixture
def compile_demo(tmp_path: Path) -> Callable[[], None]:
    """Puts an object for every module of the project into the store."""

    def compile_all() -> None:
        project, store = tmp_path / "project", Store(tmp_path / "cache/build")
        modules = read_modules(read_package(project))
        for key in module_keys(modules, "engine", store, project).values():
            work = store.work_folder()
            (work / "module.olean").write_bytes(b"olean")
            store.add(key, work / "module.olean", ())

    return compile_all


def test_a_source_is_served_by_the_spare_worker(converse: Callable[..., None]) -> None:
    async def talk(client: Client) -> None:
        assert "capabilities" in json.dumps(await client.answer(0))
        spare = client.dog._pool.spare
        assert spare is not None
        await client.open("#check 1")
        told = await client.echo()
        assert told["pid"] == spare.process.pid
        assert told["text"] == "#check 1"
        assert "-DautoImplicit=false" in told["arguments"]
        await client.wait(7)
        assert (await client.answer(7))["result"] == {}
        await client.send("textDocument/hover", {"textDocument": {"uri": URI}}, 8)
        assert (await client.answer(8))["result"] == {"echo": "textDocument/hover"}
        await client.dog.tick()
        assert client.dog._pool.spare is not None

    converse(talk)


def test_lean_gets_no_environment_of_the_user(
    converse: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")

    async def talk(client: Client) -> None:
        await client.open("#check 1")
        names = set((await client.echo())["env"]) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
        assert names
        assert all(name.startswith("LEAN_") for name in names), names

    converse(talk)


def test_edits_stay_with_the_worker_until_memory_runs_low(converse: Callable[..., None]) -> None:
    async def talk(client: Client) -> None:
        await client.open("-- 1")
        first = (await client.echo())["pid"]
        await client.change("-- 2 MEMORY 99")
        assert (await client.echo())["pid"] == first
        await asyncio.sleep(0.3)
        await client.change("-- 3")
        told = await client.echo()
        assert told["pid"] != first
        assert told["text"] == "-- 3"

    converse(talk, memory_limit_mb=90)


@pytest.mark.parametrize(
    ("word", "finding"),
    [
        ("CRASH", "exit code 1: boom"),
        ("GARBAGE", "unreadable: expected a header and got b'Hello, world!'"),
        ("NOJSON", "unreadable: a message is not JSON"),
        ("TRUNCATED", "unreadable: a message of 1000 bytes ends after"),
        ("STALLED", "unreadable: a message of 1000 bytes did not arrive"),
    ],
)
def test_a_worker_that_breaks_is_reported_and_the_next_edit_starts_another(
    converse: Callable[..., None], monkeypatch: pytest.MonkeyPatch, word: str, finding: str
) -> None:
    monkeypatch.setattr(frames, "_BODY_SECONDS", 0.5)

    async def talk(client: Client) -> None:
        await client.open(f"-- {word}")
        await client.wait(5)
        answer: Any = await client.answer(5)
        assert answer["error"]["code"] == -32902
        assert finding in answer["error"]["message"]
        (item,) = await client.diagnostics("stopped")
        assert item["severity"] == 1
        assert finding in item["message"]
        assert client.fatal()
        await client.wait(6)
        assert "error" in await client.answer(6)
        await client.change("-- fine")
        assert (await client.echo())["text"] == "-- fine"

    converse(talk)


def test_a_worker_that_dies_fails_all_its_requests(converse: Callable[..., None]) -> None:
    async def talk(client: Client) -> None:
        await client.open("-- x")
        await client.echo()
        await client.send("never/answered", {"textDocument": {"uri": URI}}, 3)
        await client.send("dies/now", {"textDocument": {"uri": URI}}, 4)
        for number in (3, 4):
            assert "stopped" in json.dumps((await client.answer(number))["error"])

    converse(talk)


def test_a_source_that_loops_is_stopped(converse: Callable[..., None]) -> None:
    async def talk(client: Client) -> None:
        await client.open("-- BUSY")
        await client.wait(5)
        ticks = asyncio.create_task(client.dog.run_ticks())
        answer: Any = await client.answer(5)
        ticks.cancel()
        await asyncio.gather(ticks, return_exceptions=True)
        assert "stopped after 0.8 s" in answer["error"]["message"]
        (item,) = await client.diagnostics("loops")
        assert "LEAN_OBLIGATIONS_FILE_SECONDS" in item["message"]

    converse(talk, seconds_per_file=0.8)


def test_a_worker_that_wants_a_restart_for_ever_is_given_up(converse: Callable[..., None]) -> None:
    async def talk(client: Client) -> None:
        await client.open("-- RESTART")
        await client.wait(5)
        answer: Any = await client.answer(5)
        assert "exit code 2" in answer["error"]["message"]

    converse(talk)


def test_changed_imports_move_waiting_requests_to_a_new_worker(
    converse: Callable[..., None],
) -> None:
    async def talk(client: Client) -> None:
        await client.open("import Lean")
        first = (await client.echo())["pid"]
        await client.send("never/answered", {"textDocument": {"uri": URI}}, 3)
        await client.change("import Std")
        assert (await client.echo())["pid"] != first
        answer: Any = await client.answer(3)
        assert answer["error"]["code"] == -32801

    converse(talk)


def test_edits_that_come_while_a_worker_starts_leave_only_one(
    converse: Callable[..., None],
) -> None:
    async def talk(client: Client) -> None:
        await client.open("import Lean")
        texts = [f"import Lean.A{n}" for n in range(5)]
        await asyncio.gather(*(client.change(text) for text in texts))
        assert (await client.echo())["text"] == texts[-1]
        await asyncio.sleep(0.2)
        busy = [w for w in client.dog._pool if w is not client.dog._pool.spare]
        assert len(busy) == 1

    converse(talk)


def test_a_spare_worker_that_dies_is_not_replaced_for_ever(
    converse: Callable[..., None], tmp_path: Path
) -> None:
    lakefile = tmp_path / "project/lakefile.lean"
    lakefile.write_text(lakefile.read_text().replace("autoImplicit, false", "die, true"))

    async def talk(client: Client) -> None:
        while client.dog._pool.spare is not None:
            await asyncio.sleep(0.05)
        for _ in range(3):
            await client.dog.tick()
        assert client.dog._pool.spare is None
        await client.open("#check 1")
        (item,) = await client.diagnostics("stopped")
        assert "exit code 1" in item["message"]

    converse(talk)


def test_an_import_that_is_not_compiled_is_an_error_at_its_place(
    converse: Callable[..., None],
) -> None:
    async def talk(client: Client) -> None:
        await client.open("import Lean\nimport Demo.A")
        (item,) = await client.diagnostics()
        assert "import Demo.A: it is not compiled from its present source" in item["message"]
        assert "obligations build" in item["message"]
        assert item["range"]["start"] == {"line": 1, "character": 7}
        assert client.fatal()
        await client.wait(5)
        assert (await client.answer(5))["result"] == {}
        await client.send("textDocument/hover", {"textDocument": {"uri": URI}}, 6)
        assert "error" in await client.answer(6)

    converse(talk)


def test_an_import_never_stays_older_than_its_source(
    converse: Callable[..., None], compile_demo: Callable[[], None], tmp_path: Path
) -> None:
    compile_demo()

    async def talk(client: Client) -> None:
        await client.open("import Demo\n-- 1")
        first = (await client.echo())["pid"]
        await client.change("import Demo\n-- 2")
        assert (await client.echo())["pid"] == first
        (tmp_path / "project/lean/Demo/A.lean").write_text("-- changed")
        await client.change("import Demo\n-- 3")
        (item,) = await client.diagnostics()
        assert "import Demo: it is not compiled" in item["message"]
        compile_demo()
        await client.change("import Demo\n-- 4")
        assert (await client.echo())["pid"] != first

    converse(talk)


def test_a_lakefile_that_is_not_understood_is_an_error(
    converse: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "project/lakefile.lean").write_text("package p\nrequire x")

    async def talk(client: Client) -> None:
        await client.open("#check 1")
        (item,) = await client.diagnostics()
        assert "lakefile.lean:2" in item["message"]

    converse(talk)


def test_node_that_cannot_be_started_is_an_error(
    converse: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "bin/node").unlink()

    async def talk(client: Client) -> None:
        await client.open("#check 1")
        (item,) = await client.diagnostics()
        assert "cannot be started" in item["message"]

    converse(talk)


def test_what_the_watchdog_answers_itself(converse: Callable[..., None]) -> None:
    async def talk(client: Client) -> None:
        await client.send("$/lean/waitForILeans", {}, 1)
        await client.send("workspace/symbol", {"query": "x"}, 2)
        await client.send("textDocument/hover", {"textDocument": {"uri": "file:///no"}}, 3)
        await client.send("shutdown", None, 4)
        await client.send("textDocument/didOpen", {"nonsense": 1}, 5)
        await client.send("workspace/didChangeWatchedFiles", {"changes": []})
        assert (await client.answer(1))["result"] == {}
        assert (await client.answer(2))["result"] == []
        assert "not available" in json.dumps(await client.answer(3))
        assert (await client.answer(4))["result"] is None
        assert "malformed" in json.dumps(await client.answer(5))
        await client.send("exit")
        assert client.dog.exiting

    converse(talk)


def test_closing_and_opening_again(converse: Callable[..., None]) -> None:
    async def talk(client: Client) -> None:
        await client.open("-- ASKS")
        first = (await client.echo())["pid"]
        await client.send("never/answered", {"textDocument": {"uri": URI}}, 3)
        await client.send("textDocument/didClose", {"textDocument": {"uri": URI}})
        assert "closed" in json.dumps(await client.answer(3))
        client.said.clear()
        await client.open("-- again")
        assert (await client.echo())["pid"] != first
        # a request of the worker was answered for the client, and not passed on
        assert not any(m.get("method") == "workspace/applyEdit" for m in client.said)

    converse(talk)


def test_cancelling_reaches_the_worker(converse: Callable[..., None]) -> None:
    async def talk(client: Client) -> None:
        await client.open("-- x")
        await client.echo()
        await client.send("never/answered", {"textDocument": {"uri": URI}}, 3)
        await client.send("$/cancelRequest", {"id": 3})
        await client.send("$/cancelRequest", {"id": 99})
        assert 3 in client.dog._open[URI].worker.pending  # type: ignore[union-attr]

    converse(talk)


def test_the_limit_leaves_room_below_two_gigabytes() -> None:
    assert watchdog.MEMORY_LIMIT_MB < 2048 - 500
