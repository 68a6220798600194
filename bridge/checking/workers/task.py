"""What a worker needs to measure units of a check, and how it does so.

A check is code and cannot be sent; its name is sent, with the hash of all code that its result
depends on.  A worker that has other code refuses.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.checking import CheckRun, Found, GraphRequest, Unit, graph_requests, registered
from bridge.checking.loading import load_checks
from bridge.checking.registry import made_of
from bridge.checking.store import code_hash
from bridge.errors import ObligationsError
from numeric.backends import backend_named
from numeric.graph import graph_to_json, parse_graph

__all__ = ["Packed", "Place", "Refused", "SpreadError", "measure", "pack", "taken"]


class SpreadError(ObligationsError):
    """The processes or machines that measure broke, or have other code than this one."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where the checks come from: the project's folder, and the modules that register them."""

    project: Path
    modules: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A worker cannot measure what it was sent; ``reason`` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Brief:
    code: str
    project: str
    modules: tuple[str, ...]
    key: str
    hypotheses: tuple[str, ...]
    forms: tuple[tuple[str, object], ...]
    seed: int
    backend: tuple[str, str]
    graphs: tuple[tuple[GraphRequest, str], ...]

    def run(self) -> CheckRun | Refused:
        load_checks(Path(self.project), self.modules)
        checks = {**made_of(dict(self.forms)), **registered()}
        unknown = [k for k in (self.key, *self.hypotheses) if k not in checks]
        if unknown:
            return Refused(f"no check is registered there for {unknown[0]}")
        check, hypotheses = checks[self.key], [checks[k] for k in self.hypotheses]
        if code_hash((check, *hypotheses)) != self.code:
            return Refused("it has another version of the checks, of numpy or of Python")
        graphs = {request: parse_graph(json.loads(text)) for request, text in self.graphs}
        spec, described = self.backend
        backend = backend_named(spec)
        if backend is not None and backend.describe() != described:
            return Refused(f"it has {backend.describe()}, not {described}")
        return CheckRun(check, hypotheses, graphs, self.key, self.seed, backend)


@dataclass(frozen=True, slots=True)
class Packed:
    """A serialized brief, with its hash."""

    digest: str
    data: bytes


def pack(run: CheckRun, place: Place) -> Packed:
    """Everything that a worker needs to measure units of ``run``."""
    checks = (run.check, *run.hypotheses)
    brief = _Brief(
        code=code_hash(checks),
        project=str(place.project.resolve()),
        modules=tuple(place.modules),
        key=run.key,
        hypotheses=tuple(h.keys[0] for h in run.hypotheses),
        forms=tuple((k, c.form) for c in checks if c.form is not None for k in c.keys),
        seed=run.seed,
        backend=("numpy", "")
        if run.backend is None
        else (run.backend.spec, run.backend.describe()),
        graphs=tuple(
            (request, json.dumps(graph_to_json(run.graphs[request])))
            for request in graph_requests(checks)
            if request in run.graphs
        ),
    )
    data = zlib.compress(pickle.dumps(brief))
    return Packed(hashlib.sha256(data).hexdigest(), data)


_RUNS: dict[str, CheckRun | Refused] = {}


def measure(packed: Packed, unit: Unit) -> Found | Refused:
    """The result of one unit, measured in the current process."""
    run = _RUNS.get(packed.digest)
    if run is None:
        try:
            run = pickle.loads(zlib.decompress(packed.data)).run()
        except Exception as error:
            run = Refused(f"{type(error).__name__}: {error}")
        if len(_RUNS) >= 8:
            _RUNS.clear()
        _RUNS[packed.digest] = run
    return run if isinstance(run, Refused) else run.measure(unit)


def taken(found: Found | Refused, where: str) -> Found:
    """The result; raises `SpreadError` if a worker refused."""
    if isinstance(found, Refused):
        raise SpreadError(
            f"{where} cannot measure: {found.reason}",
            remedy="install the same version there, and put the project in the same folder",
        )
    return found
