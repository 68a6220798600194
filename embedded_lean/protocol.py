"""What the watchdog says by itself, without asking Lean."""

from __future__ import annotations

from collections.abc import Sequence

from embedded_lean import pins
from embedded_lean.frames import Message

__all__ = [
    "ANSWERED_EMPTY",
    "CONTENT_MODIFIED",
    "INVALID_PARAMS",
    "METHOD_NOT_FOUND",
    "WORKER_CRASHED",
    "diagnostic",
    "error",
    "initialize_result",
    "notification",
    "progress",
    "result",
]

# Numbers of the LSP and of Lean's server.
METHOD_NOT_FOUND, INVALID_PARAMS = -32601, -32602
CONTENT_MODIFIED, WORKER_CRASHED = -32801, -32902
_FATAL_PROGRESS = 2

# fmt: off
_TOKEN_TYPES = [
    "keyword", "variable", "property", "function", "namespace", "type", "class", "enum",
    "interface", "struct", "typeParameter", "parameter", "enumMember", "event", "method",
    "macro", "modifier", "comment", "string", "number", "regexp", "operator", "decorator",
    "leanSorryLike",
]
_TOKEN_MODIFIERS = [
    "declaration", "definition", "readonly", "static", "deprecated", "abstract", "async",
    "modification", "documentation", "defaultLibrary",
]

# fmt: on

# Questions about the whole workspace need an index that this build does not have.
ANSWERED_EMPTY: dict[str, object] = {
    "textDocument/references": [],
    "workspace/symbol": [],
    "textDocument/prepareCallHierarchy": [],
    "callHierarchy/incomingCalls": [],
    "callHierarchy/outgoingCalls": [],
    "$/lean/prepareModuleHierarchy": None,
    "$/lean/moduleHierarchy/imports": [],
    "$/lean/moduleHierarchy/importedBy": [],
    "$/lean/waitForILeans": {},
    "textDocument/prepareRename": None,
    "textDocument/rename": None,
}


def initialize_result() -> dict[str, object]:
    """What this server can do: what Lean's own can, but for the questions above."""
    return {
        "capabilities": {
            "textDocumentSync": {
                "openClose": True,
                "change": 2,
                "willSave": False,
                "willSaveWaitUntil": False,
                "save": {"includeText": True},
            },
            "completionProvider": {"triggerCharacters": ["."], "resolveProvider": True},
            "hoverProvider": True,
            "declarationProvider": True,
            "definitionProvider": True,
            "typeDefinitionProvider": True,
            "documentHighlightProvider": True,
            "documentSymbolProvider": True,
            "foldingRangeProvider": True,
            "signatureHelpProvider": {},
            "inlayHintProvider": {"resolveProvider": False},
            "semanticTokensProvider": {
                "legend": {"tokenTypes": _TOKEN_TYPES, "tokenModifiers": _TOKEN_MODIFIERS},
                "full": True,
                "range": True,
            },
            "codeActionProvider": {
                "resolveProvider": True,
                "codeActionKinds": ["quickfix", "refactor"],
            },
        },
        "serverInfo": {"name": "Lean 4 Server (embedded)", "version": pins.LEAN_VERSION},
    }


def result(identifier: object, value: object) -> Message:
    """An answer."""
    return {"jsonrpc": "2.0", "id": identifier, "result": value}


def error(identifier: object, code: int, message: str) -> Message:
    """An answer that there is no answer."""
    return {"jsonrpc": "2.0", "id": identifier, "error": {"code": code, "message": message}}


def notification(method: str, params: object) -> Message:
    """A message that wants no answer."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def diagnostic(message: str, line: int = 0, column: int = 0, width: int = 0) -> dict[str, object]:
    """An error at a place of a source, counted as LSP does, from 0."""
    span = {
        "start": {"line": line, "character": column},
        "end": {"line": line, "character": column + width},
    }
    return {
        "range": span,
        "fullRange": span,
        "severity": 1,
        "source": "Lean 4",
        "message": message,
    }


def progress(uri: str, version: int, *, fatal: bool) -> Message:
    """`$/lean/fileProgress`: nothing is being processed; or, if `fatal`, nothing ever will be."""
    origin = {"line": 0, "character": 0}
    processing: Sequence[object] = (
        [{"range": {"start": origin, "end": origin}, "kind": _FATAL_PROGRESS}] if fatal else []
    )
    return notification(
        "$/lean/fileProgress",
        {"textDocument": {"uri": uri, "version": version}, "processing": processing},
    )
