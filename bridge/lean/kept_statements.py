"""Statements that were exported once, whatever graphs are asked for later.

Exporting all statements takes Lean about a minute, and a graph at new sizes, as each model wants
one, some seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.lean.answers import AnswerCache
from bridge.lean.client import Answer
from bridge.lean.requests import GraphsRequest, LibraryRequest, Request, StatementsRequest

__all__ = ["KeptStatements", "statements_of"]


def statements_of(request: LibraryRequest) -> StatementsRequest:
    """The part of a request that asks for no graphs."""
    return StatementsRequest(request.imports)


@dataclass(frozen=True, slots=True)
class KeptStatements:
    """Lean's statements in the cache, of the sources that a key names.

    Attributes:
        root: folder of the project.
        key: of the answer to `statements_of` a request.
    """

    root: Path
    key: str

    def completed(
        self, request: LibraryRequest, put: Callable[[Request], Answer], *, use_cache: bool
    ) -> Answer:
        """The answer to the whole request; Lean is asked for graphs alone where the statements of
        the same sources are kept.

        Args:
            request: the whole one.
            put: puts a request to Lean.
            use_cache: whether what is kept may be taken.
        """
        kept = AnswerCache.default().load(self.key, self.root) if use_cache else None
        sections = statements_of(request).sections
        if kept is None or set(kept) != set(sections):
            return put(request)
        return {**put(GraphsRequest(request.imports, request.graphs)), **kept}

    def keep(self, answer: Answer, files: Mapping[str, str], *, fresh: bool) -> None:
        """Keep the statements of an answer.

        Args:
            answer: to the whole request.
            files: the states of what it follows from.
            fresh: whether Lean gave it now; else it is kept where there is none.
        """
        cache = AnswerCache.default()
        sections = {n: v for n, v in answer.items() if n != "graphs"}
        if sections and (fresh or not cache.path(self.key).exists()):
            cache.store(self.key, sections, files)
