"""One instance as a file: the numbers, and the graph that they run on.

An instance that no family draws, such as a shrunk counterexample, cannot be drawn again from a
seed.  A file of schema ``obligations-instance/1`` contains all of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from numeric.errors import GraphError
from numeric.graph import graph_to_json, parse_graph
from numeric.instances.case import Case
from numeric.instances.draw import Batch
from numeric.interpret.interpreter import Interpreter
from numeric.streams import Streams

__all__ = ["SCHEMA", "case_of", "read_instance", "write_instance"]

SCHEMA = "obligations-instance/1"
FAMILY = "given"
"""The family name of an instance that no family drew."""


def case_of(
    program: Interpreter,
    key: str,
    inputs: dict[str, np.ndarray[Any, np.dtype[np.float64]]],
    constants: dict[str, float],
) -> Case:
    """One instance of given numbers; its random directions follow from ``key`` alone.

    Args:
        inputs: by name, without a batch axis.
    """
    batch = Batch(
        FAMILY,
        np.zeros(1, dtype=np.int64),
        {name: np.asarray(value, dtype=np.float64)[None] for name, value in inputs.items()},
        {name: np.array([value], dtype=np.float64) for name, value in constants.items()},
        Streams.of(0, key, FAMILY, [0]).child("direction"),
    )
    return Case(program, batch)


def write_instance(path: Path, key: str, case: Case) -> None:
    """Write the first instance of ``case`` for the obligation ``key``; numbers read back
    exactly."""
    value = {
        "schema": SCHEMA,
        "key": key,
        "inputs": {name: x[0].tolist() for name, x in case.batch.inputs.items()},
        "constants": {name: float(c[0]) for name, c in case.batch.constants.items()},
        "graph": graph_to_json(case.program.graph),
    }
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_instance(path: Path) -> tuple[str, Case]:
    """The key and the instance in a file.

    Raises:
        GraphError: it is not an instance file, or its numbers do not fit its graph.
    """
    where = f"instance {path.name}"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["schema"] != SCHEMA:
            raise GraphError(where, f"expected schema {SCHEMA!r} but got {value['schema']!r}")
        key, graph = value["key"], parse_graph(value["graph"])
        inputs = {n: np.array(x, dtype=np.float64) for n, x in value["inputs"].items()}
        constants = {n: float(c) for n, c in value["constants"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        if isinstance(e, GraphError):
            raise
        raise GraphError(where, f"expected an instance of {SCHEMA!r} but got {e!r}") from e
    shapes = {n: x.shape for n, x in inputs.items()}
    if shapes != dict(graph.input_shapes):
        raise GraphError(where, f"expected inputs {dict(graph.input_shapes)} but got {shapes}")
    if not set(graph.symbols) <= set(constants):
        raise GraphError(where, f"expected constants {list(graph.symbols)} but got {constants}")
    return str(key), case_of(Interpreter(graph), key, inputs, constants)
