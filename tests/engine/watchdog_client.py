"""A client that talks to the language server's watchdog as an editor does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from embedded_lean.frames import Message
from embedded_lean.layout import Layout
from embedded_lean.node import Node
from embedded_lean.watchdog import Watchdog

SECONDS = 30.0
URI = "file:///project/query.lean"


class Client:
    """Talks to a watchdog as an editor does, and keeps everything it says."""

    def __init__(self, layout: Layout, node: Node, project: Path, **settings: Any) -> None:
        self.said: list[Message] = []
        self.news = asyncio.Event()
        self.version = 0
        settings = {"seconds_per_file": 600.0, "idle_seconds": 0.0, **settings}
        self.dog = Watchdog(
            layout, node, project, fingerprint="engine", emit=self._hear, **settings
        )

    def _hear(self, message: Message) -> None:
        self.said.append(message)
        self.news.set()

    async def send(self, method: str, params: object = None, number: object = None) -> None:
        message: Message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        await self.dog.handle(message)

    async def open(self, text: str, uri: str = URI) -> None:
        self.version = 1
        item = {"uri": uri, "languageId": "lean4", "version": 1, "text": text}
        await self.send("textDocument/didOpen", {"textDocument": item})

    async def change(self, text: str) -> None:
        self.version += 1
        about = {"uri": URI, "version": self.version}
        params = {"textDocument": about, "contentChanges": [{"text": text}]}
        await self.send("textDocument/didChange", params)

    async def wait(self, number: object) -> None:
        params = {"uri": URI, "version": self.version}
        await self.send("textDocument/waitForDiagnostics", params, number)

    async def until(self, wanted: Callable[[Message], bool], what: str) -> Message:
        """The first message, among all said so far and to come, that is wanted."""
        async with asyncio.timeout(SECONDS):
            while True:
                for message in self.said:
                    if wanted(message):
                        return message
                self.news.clear()
                try:
                    await self.news.wait()
                except asyncio.CancelledError:
                    raise AssertionError(f"no {what} among {self.said}") from None

    async def answer(self, number: object) -> Message:
        return await self.until(lambda m: m.get("id") == number, f"answer to {number}")

    async def diagnostics(self, word: str = "", version: int | None = None) -> list[dict[str, Any]]:
        wanted_version = self.version if version is None else version

        def wanted(message: Message) -> bool:
            params: Any = message.get("params") or {}
            return (
                message.get("method") == "textDocument/publishDiagnostics"
                and params["version"] == wanted_version
                and word in json.dumps(params["diagnostics"])
            )

        message: Any = await self.until(wanted, f"diagnostics of version {wanted_version}")
        return list(message["params"]["diagnostics"])

    async def echo(self) -> dict[str, Any]:
        """What the scripted worker says about itself."""
        (item,) = await self.diagnostics("pid")
        return dict(json.loads(item["message"]))

    def fatal(self) -> bool:
        params: list[Any] = [
            m["params"] for m in self.said if m.get("method") == "$/lean/fileProgress"
        ]
        return any(p["processing"] and p["processing"][0].get("kind") == 2 for p in params)


Conversation = Callable[[Client], Awaitable[None]]
