"""A language server that follows a script, and misbehaves on request.

Run as ``python scripted_server.py MODE [ANSWER.json]``.  ``ANSWER.json`` contains two lists of
messages, ``statements`` and ``graphs``, which it sends as Lean would; MODE says how it misbehaves.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

CAPABILITIES = {"semanticTokensProvider": {"legend": {"tokenTypes": [], "tokenModifiers": []}}}


NOTHING: dict[str, list[Any]] = {
    "guard": [{"kind": "end", "count": 0}],
    "propositions": [
        {"kind": "end", "schema": "obligations-proposition/1", "count": 0, "lean": "4.28.0"}
    ],
}
"""The answers in sections that the script omits."""


def read(stream: BinaryIO) -> dict[str, Any] | None:
    length = None
    while True:
        line = stream.readline()
        if not line:
            return None
        if not line.strip():
            break
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    assert length is not None
    return dict(json.loads(stream.read(length)))


def raw(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def send(message: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)


def diagnostic(text: str, severity: int = 3) -> dict[str, Any]:
    place = {"line": 0, "character": 0}
    return {"range": {"start": place, "end": place}, "severity": severity, "message": text}


def sections(text: str) -> dict[str, str]:
    """The nonce of each section that the document requests."""
    asks = "export_(?:obligations|graphs|propositions|trust|guard)|prove_graphs|[a-z]+_exactly"
    found = re.findall(rf'#(?:{asks}) "([^"]*)"', text)
    assert found
    return {nonce.rsplit(".", 1)[1]: nonce for nonce in found}


def judged(text: str, known: dict[str, Any]) -> list[Any]:
    """The answer about the instances of each requested theorem: from ``known``, or that Lean cannot
    draw its numbers.  ``known`` has one instance of a theorem under ``replay:NAME``, and
    the values of many under ``draw:NAME``."""
    ((command, quoted),) = re.findall(r'#([a-z]+)_exactly "[^"]*" (".*")$', text, re.M)
    wanted = json.loads(json.loads(quoted))
    if command != "judge":
        return [known[f"{command}:{wanted['name']}"], {"kind": "end", "count": 1}]
    names = [t["name"] for t in wanted["theorems"]]
    obstacle = {"kind": "obstacle", "constant": "R", "why": "no values of this type are drawn"}
    said = [known.get(n, {**obstacle, "name": n}) for n in names]
    return [*said, {"kind": "end", "count": len(said)}]


def messages(mode: str, text: str, answer: dict[str, list[Any]]) -> list[dict[str, Any]]:
    if mode == "silent":
        return []
    if mode == "lean-error":
        return [diagnostic("unknown module prefix 'Nothing'", 1)]
    found = []
    for section, nonce in sections(text).items():
        scripted = section in answer
        if section == "exact":
            said = judged(text, answer.get(section, {}))
        else:
            said = list(answer[section] if scripted else NOTHING[section])
        if mode == "no-end" and scripted:
            said.pop()
        elif mode == "lost-message" and scripted:
            del said[0]
        elif mode == "twice" and scripted:
            said.insert(0, said[0])
        shown = "0" * 32 if mode == "wrong-nonce" else nonce
        found += [diagnostic(f"obligations:{shown}:{json.dumps(m)}") for m in said]
    if mode == "not-json":
        found[0]["message"] = found[0]["message"][:60] + "{"
    if mode == "impostor":
        found.insert(0, diagnostic('obligations:{"kind": "statement", "name": "Evil"}'))
    elif mode == "flood":
        found = [diagnostic("noise " * 50)] * 20_000 + found
    return found


def main() -> None:
    mode = sys.argv[1]
    answer = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")) if len(sys.argv) > 2 else {}
    uri, found, version = "", [], 1
    if mode == "dies-at-start":
        sys.stderr.write("out of luck\n")
        sys.exit(7)
    while (m := read(sys.stdin.buffer)) is not None:
        method = m.get("method")
        if method == "initialize":
            if mode == "hangs-at-initialize":
                time.sleep(600)
            send({"id": m["id"], "result": {"capabilities": CAPABILITIES}})
        elif method == "textDocument/didOpen":
            document = m["params"]["textDocument"]
            uri, version = document["uri"], document["version"]
            if mode == "dies-at-open":
                sys.exit(1)
            if mode == "garbage":
                raw(b"this is not a header\r\n\r\n")
            if mode == "truncated":
                raw(b'Content-Length: 500\r\n\r\n{"jsonrpc":')
                sys.exit(0)
            found = messages(mode, document["text"], answer)
            if mode == "wrong-version":
                version -= 1
        elif method == "textDocument/waitForDiagnostics":
            if mode == "hangs":
                time.sleep(600)
            if mode == "out-of-memory":  # as the embedded engine's server says it
                found = [diagnostic("the Lean engine stopped (it ran out of memory)", 1)]
            if mode == "worker-crash":
                send({"id": m["id"], "error": {"code": -32902, "message": "worker crashed"}})
                continue
            params = {"uri": uri, "version": version, "diagnostics": found}
            send({"method": "textDocument/publishDiagnostics", "params": params})
            if mode in ("fatal", "out-of-memory"):
                here = {"range": {"start": {"line": 0, "character": 0}}, "kind": 2}
                progress = {"textDocument": {"uri": uri, "version": version}, "processing": [here]}
                send({"method": "$/lean/fileProgress", "params": progress})
            send({"id": m["id"], "result": {}})
        elif method == "shutdown":
            send({"id": m["id"], "result": None})
        elif method == "exit":
            return


main()
