"""Statements that were exported once, whatever graphs are requested later.

Exporting all statements takes Lean about a minute; a graph at new sizes, which each model needs,
takes some seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bridge.lean.answers import AnswerCache
from bridge.lean.client import Answer
from bridge.lean.requests import GraphsRequest, LibraryRequest, Request, StatementsRequest

__all__ = ["KeptStatements", "statements_of"]


def statements_of(request: LibraryRequest) -> StatementsRequest:
    """The part of a request without graphs."""
    return StatementsRequest(request.imports)


@dataclass(frozen=True, slots=True)
class KeptStatements:
    """Lean's statements in the cache, for the sources that a key names.

    Attributes:
        root: the project's folder.
        key: the key of the answer to `statements_of` a request.
    """

    root: Path
    key: str

    def completed(
        self,
        request: LibraryRequest,
        put: Callable[[Request], Answer],
        *,
        use_cache: bool,
        at_once: bool = False,
    ) -> Answer:
        """The answer to the whole request; Lean is asked only for graphs if the statements of the
        same sources are kept.

        Args:
            request: the whole request.
            put: sends a request to Lean.
            use_cache: whether kept statements may be used.
            at_once: whether Lean is asked for statements and for graphs at the same time.
        """
        kept = AnswerCache.default().load(self.key, self.root) if use_cache else None
        statements, graphs = statements_of(request), GraphsRequest(request.imports, request.graphs)
        if kept is not None and set(kept) == set(statements.sections):
            return {**put(graphs), **kept}
        if not at_once:
            return put(request)
        with ThreadPoolExecutor(1, thread_name_prefix="graphs") as thread:
            exported = thread.submit(put, graphs)
            return {**put(statements), **exported.result()}

    def keep(self, answer: Answer, files: Mapping[str, str], *, fresh: bool) -> None:
        """Keep the statements of an answer.

        Args:
            answer: the answer to the whole request.
            files: the states of the files that it depends on.
            fresh: whether Lean gave it just now; if not, it is kept only where none is.
        """
        cache = AnswerCache.default()
        sections = {n: v for n, v in answer.items() if n != "graphs"}
        if sections and (fresh or not cache.path(self.key).exists()):
            cache.store(self.key, sections, files)
