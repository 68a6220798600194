"""Results of checks, kept by the hash of everything that they depend on.

A check's result depends on the code of the checks and of `numeric`, on every loaded module of the
project, the files that were read, numpy, torch, the backend, the graphs, the form or key that
instances are drawn for, the seed and the number of instances; if all of these are the same it is
not measured again.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import bridge
import numeric
from bridge.checking import Check, CheckResult, GraphRequest
from bridge.lean.answers import AnswerCache, cache_folder
from bridge.storage import opened
from bridge.storage.atomic import write_atomically
from bridge.storage.bounded import Bound, mark_used
from bridge.verdict import Verdict
from numeric.backends import Backend
from numeric.graph import Graph, graph_to_json
from numeric.judge import torch_block

__all__ = [
    "ResultCache",
    "code_hash",
    "graph_hashes",
    "is_ours",
    "is_readable",
    "may_read_silently",
]

OURS = "bridge.checks"
BOUND = Bound(most_bytes=200_000_000, days=90)


@cache
def _code() -> str:
    """sha256 over every Python source that measures, and the versions of what runs them."""
    models = f"{np.__version__} {torch_block.version()}"
    digest = hashlib.sha256(f"{models} {sys.version} {platform.machine()}".encode())
    for folder in _measuring():
        for path in sorted(folder.rglob("*.py")):
            data = path.read_bytes()
            digest.update(f"{path.name}:{len(data)}:".encode() + data)
    return digest.hexdigest()


def _measuring() -> tuple[Path, ...]:
    ours = Path(str(bridge.__file__)).parent
    return (Path(str(numeric.__file__)).parent, ours / "checking", ours / "checks")


def is_ours(check: Check) -> bool:
    """Whether a check comes with the bridge, not from a project.

    A check by form may use a measure of `numeric`; so may a project's check, but it has no form.
    """
    ours = (f"{OURS}.", f"{numeric.__name__}.") if check.form is not None else (f"{OURS}.",)
    return check.measure.__module__.startswith(ours)


def _file(check: Check) -> Path | None:
    """The file of the module that holds a check; None for one typed into a notebook."""
    file = getattr(sys.modules.get(check.measure.__module__), "__file__", None)
    return Path(file) if isinstance(file, str) and Path(file).is_file() else None


def is_readable(check: Check) -> bool:
    """Whether a check's module is a file, so that a change of it is noticed."""
    return _file(check) is not None


@cache
def _installed() -> str:
    """Names and versions of all installed distributions: a project's checks may use any."""
    found = {f"{d.metadata['Name']} {d.version}" for d in importlib.metadata.distributions()}
    return "\n".join(sorted(found))


def _sources() -> Iterator[tuple[str, bytes]]:
    """Names and contents of all loaded modules that are neither ours nor installed."""
    apart = {Path(p).resolve() for p in opened.INSTALLED}
    apart |= {Path(str(package.__file__)).resolve().parent for package in (numeric, bridge)}
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not (path := Path(file).resolve()).is_file():
            continue
        if not any(path.is_relative_to(folder) for folder in apart):
            yield name, path.read_bytes()


def _loaded() -> Iterator[str]:
    """Names and hashes of these modules."""
    for name, data in _sources():
        yield f"{name}:{hashlib.sha256(data).hexdigest()}"


def may_read_silently() -> bool:
    """Whether loaded code of the project may read files without our noticing."""
    return any(opened.reads_silently(data) for _, data in _sources())


def code_hash(checks: Iterable[Check]) -> str:
    """sha256 over all code that the results of these checks depend on.

    A project's own check may call whatever the project has loaded, so all of that counts.
    """
    chosen = tuple(checks)
    parts = [c.name for c in chosen]
    if not all(map(is_ours, chosen)):
        files = [path for c in chosen if (path := _file(c)) is not None]
        parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
        parts += [_installed(), *_loaded()]
    return hashlib.sha256("\0".join([_code(), *parts]).encode()).hexdigest()


def graph_hashes(graphs: Mapping[GraphRequest, Graph]) -> dict[str, str]:
    """sha256 over all members of each graph, by its name."""
    digests: dict[str, Any] = {}
    for request in sorted(graphs, key=repr):
        text = json.dumps([repr(request), graph_to_json(graphs[request])], sort_keys=True)
        digests.setdefault(request.name, hashlib.sha256()).update(text.encode())
    return {name: digest.hexdigest() for name, digest in digests.items()}


@dataclass(frozen=True, slots=True)
class ResultCache:
    """A folder of results.  If it cannot be written, this costs time, never an error."""

    folder: Path

    @classmethod
    def default(cls) -> ResultCache:
        """The cache in the user's cache folder."""
        return cls(cache_folder() / "results")

    def key(
        self,
        checks: Iterable[Check],
        graph_hash: str,
        *,
        key: str,
        seed: int,
        instances: int,
        backend: Backend | None = None,
    ) -> str:
        """Everything that the result depends on, as one hash.

        Args:
            checks: the check, and those of the theorem's hypotheses.
            graph_hash: the hash of all graphs that they run on.
            key: what the instances are drawn for, and what identifies the checks.
            seed: the seed of the instances.
            instances: how many instances.
            backend: what ran graphs instead of numpy.
        """
        code = code_hash(checks)
        ran = () if backend is None else (backend.describe(),)
        return AnswerCache.key(code, graph_hash, key, str(seed), str(instances), *ran)

    def load(self, key: str) -> CheckResult | None:
        """The result stored under ``key``; ``None`` if there is no intact one."""
        try:
            value = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            if value["digest"] != _digest(value["result"]) or not opened.unchanged(value["files"]):
                return None
            result = msgspec.convert(value["result"], CheckResult)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        mark_used(self.folder / f"{key}.json")
        return result

    def store(
        self, key: str, result: CheckResult, files: Mapping[str, str | None] | None = None
    ) -> None:
        """Keep a result, except of a check that broke.

        Args:
            key: the key from :meth:`key`.
            result: the result.
            files: the files that the project's checks have read: sha256 by path.
        """
        if result.verdict is Verdict.ERROR:
            return
        body = asdict(result)
        body["verdict"] = result.verdict.value
        body = json.loads(json.dumps(body))
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"digest": _digest(body), "result": body, "files": dict(files or {})})
            write_atomically(self.folder / f"{key}.json", text)
        BOUND.tidy(self.folder)


def _digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
