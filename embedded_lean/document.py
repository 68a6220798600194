"""A source that the client has open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Document", "offset_of"]


@dataclass(slots=True)
class Document:
    """Text and version of an open source, as the client last told."""

    uri: str
    version: int
    text: str

    @classmethod
    def opened(cls, item: Mapping[str, Any]) -> Document:
        """From the `TextDocumentItem` of `textDocument/didOpen`."""
        return cls(str(item["uri"]), int(item.get("version") or 0), str(item["text"]))

    def item(self) -> dict[str, object]:
        """The `TextDocumentItem` with which to open it in a worker."""
        return {
            "uri": self.uri,
            "languageId": "lean4",
            "version": self.version,
            "text": self.text,
        }

    def change(self, version: int | None, changes: Iterable[Mapping[str, Any]]) -> None:
        """Apply the changes of `textDocument/didChange`, in their order."""
        for change in changes:
            span = change.get("range")
            new = str(change["text"])
            if span is None:
                self.text = new
            else:
                start, end = offset_of(self.text, span["start"]), offset_of(self.text, span["end"])
                self.text = self.text[:start] + new + self.text[end:]
        self.version = self.version + 1 if version is None else version


def offset_of(text: str, position: Mapping[str, int]) -> int:
    """Offset in `text` of an LSP position: a line, and UTF-16 code units in it.

    A position behind the end of its line, or of the text, means that end.
    """
    at = 0
    for _ in range(position["line"]):
        newline = text.find("\n", at)
        if newline < 0:
            return len(text)
        at = newline + 1
    units = position["character"]
    while units > 0 and at < len(text) and text[at] != "\n":
        units -= 2 if ord(text[at]) > 0xFFFF else 1
        at += 1
    return at
