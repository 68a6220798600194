"""The sizes that are measured, and the graph of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bridge.auditing.configured import set_up
from bridge.lean.library import read_library
from bridge.lean.requests import GraphRequest
from numeric.graph import Graph, parse_graph
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.chunks import chunk_of
from numeric.interpret.interpreter import Interpreter

__all__ = ["SIZES", "Size", "cases", "graph_of"]

GRAPH = "encoderBlockGraph"


@dataclass(frozen=True, slots=True)
class Size:
    """One size of the block.

    Attributes:
        chunks: how many chunks of instances are measured, so that the rare instances that the
            complex step judges in any case have their share.
    """

    seq_len: int
    d_model: int
    heads: int
    d_ff: int
    chunks: int

    @property
    def name(self) -> str:
        """As in the tables."""
        return f"({self.seq_len}, {self.d_model}, {self.heads}, {self.d_ff})"

    @property
    def products(self) -> int:
        """Floating-point operations of the matrix products of one forward run."""
        s, d, f = self.seq_len, self.d_model, self.d_ff
        return 2 * (4 * s * d * d + 2 * s * s * d + 2 * s * d * f)


SIZES = (
    Size(4, 8, 2, 16, chunks=5),
    Size(16, 32, 4, 64, chunks=2),
    Size(32, 128, 4, 512, chunks=2),
    Size(128, 768, 12, 3072, chunks=1),
)


def graph_of(size: Size, folder: Path) -> Graph:
    """The block's graph as Lean exports it, kept in ``folder``; delete that to ask again."""
    path = folder / f"{GRAPH}-{size.seq_len}-{size.d_model}-{size.heads}-{size.d_ff}.json"
    if not path.is_file():
        numbers = {
            "seqLen": size.seq_len,
            "dModel": size.d_model,
            "numHeads": size.heads,
            "headDim": size.d_model // size.heads,
            "dFF": size.d_ff,
        }
        request = GraphRequest(GRAPH, tuple(sorted(numbers.items())))
        setup = set_up(Path())
        library = read_library(setup.project, setup.engine, [request], timeout=setup.timeout)
        exported = json.dumps(library.graphs.members[request], indent=1, ensure_ascii=False)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(exported, encoding="utf-8")
    return parse_graph(json.loads(path.read_text(encoding="utf-8")))


def cases(
    size: Size, graph: Graph, first: int = 0, instances: int | None = None, step: int = 1
) -> list[Case]:
    """Generic instances in chunks, with nothing computed yet.

    Args:
        first: the index of the first instance.
        instances: in each chunk; None for as many as an audit uses.
        step: from the index of one instance to that of the next.
    """
    count = chunk_of(graph) if instances is None else instances
    starts = range(first, first + size.chunks * count * step, count * step)
    return [
        Case(
            Interpreter(graph),
            draw(
                FAMILIES["generic"],
                graph,
                seed=0,
                key="benchmark",
                indices=range(start, start + count * step, step),
            ),
        )
        for start in starts
    ]
