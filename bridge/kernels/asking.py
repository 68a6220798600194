"""An audit's request to all available kernels, cached by everything that the answer depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bridge.engine import Engine
from bridge.errors import AnswerError
from bridge.kernels.bundled import find_bundled
from bridge.kernels.export import Export, read_export
from bridge.kernels.exporting import ExportOnTheWay, Written, write_export
from bridge.kernels.interface import Kernel, KernelAnswer
from bridge.kernels.judging import Findings, findings, with_kernels
from bridge.kernels.leanchecker import leanchecker_opinion
from bridge.kernels.native import find_native
from bridge.kernels.policy import Claim, objections, pinned_library
from bridge.kernels.replay import replay_opinion
from bridge.lean.answers import AnswerCache
from bridge.lean.compiled import files_of
from bridge.lean.library import KERNEL_SECONDS, Library, answer_key
from bridge.lean.project import Project
from bridge.lean.requests import ConstantsRequest
from bridge.lean.trust import KernelOpinion, Trust
from bridge.progress import Progress, Silent

__all__ = ["ask_kernels", "further_kernels", "judged"]

_SCHEMA = "kernel-findings/2"


def ask_kernels(
    library: Library,
    trust: Trust,
    exported: ExportOnTheWay,
    *,
    timeout: float,
    progress: Progress | None = None,
    use_cache: bool = True,
) -> Trust:
    """``trust`` with every kernel that took part, and with what they refuse.

    ``exported`` has the export, if Lean wrote it already; else it is written to its file.

    Raises:
        EngineError: Lean wrote no export, or a kernel gave no complete answer.
    """
    engine = library.engine
    own = [replay_opinion(trust, engine.lean_version)]
    if (checker := leanchecker_opinion(trust, engine.lean_version)) is not None:
        own.append(checker)
    trust = replace(trust, kernels=tuple(own))
    further = further_kernels(engine, library.project)
    if not further or not library.statements.theorems:
        return trust
    seconds = max(timeout, KERNEL_SECONDS)
    found = _found(library, further, exported, seconds, progress or Silent(), use_cache)
    return with_kernels(trust, found)


def further_kernels(engine: Engine, project: Project) -> Sequence[Kernel]:
    """The available kernels besides the engine's own."""
    return [k for k in (find_native(), *find_bundled(engine, project.root)) if k]


def _found(
    library: Library,
    kernels: Sequence[Kernel],
    exported: ExportOnTheWay,
    timeout: float,
    watcher: Progress,
    use_cache: bool,
) -> list[Findings]:
    """The findings of each kernel, from the cache or from the kernel; one export for all."""
    project, engine = library.project, library.engine
    cache = AnswerCache.default()
    request = ConstantsRequest(project.roots)
    sources = answer_key(project, engine, request)
    pins = json.dumps(sorted(pinned_library().of(engine.lean_version).items()))
    pinned = hashlib.sha256(pins.encode()).hexdigest()
    keys = [cache.key(_SCHEMA, sources, k.name, k.fingerprint, pinned) for k in kernels]
    found = [
        _load(cache, key, project.root, kernel) if use_cache else None
        for key, kernel in zip(keys, kernels, strict=True)
    ]
    if all(found):
        return [f for f in found if f]
    written = exported.written or write_export(
        project, engine, (), exported.path, timeout=timeout, progress=watcher
    )
    if written is None:
        return []
    roots = tuple(written.roots.values())
    with ThreadPoolExecutor(1) as pool:  # a kernel runs in a separate process
        asked = {
            i: pool.submit(kernel.check, exported.path, roots=roots, timeout=timeout)
            for i, kernel in enumerate(kernels)
            if found[i] is None
        }
        export = read_export(exported.path)
        for i, answer in asked.items():
            kernel = kernels[i]
            task = f"asking the kernel of {kernel.name}"
            watcher.update(task, 0, None)
            said = answer.result()
            watcher.update(task, 1, 1)
            found[i] = result = judged(library, kernel, written, export, said)
            _store(cache, keys[i], result, files_of(project, engine))
    return [f for f in found if f]


def _store(cache: AnswerCache, key: str, found: Findings, files: Mapping[str, str]) -> None:
    body = {
        "accepted": found.opinion.accepted,
        "refusals": dict(found.refusals),
        "refused": dict(found.refused),
    }
    cache.store(key, {"findings": (body,)}, files)


def judged(
    library: Library, kernel: Kernel, written: Written, export: Export, answer: KernelAnswer
) -> Findings:
    """Compare a kernel's answer, and the export that it is about, with the audit's statements.

    Raises:
        AnswerError: the export, or the answer, has another number of constants than Lean wrote.
    """
    seen = answer.accepted + len(answer.refused) + answer.undecided
    if not answer.complete or len(export.constants) != written.count or seen != written.count:
        raise AnswerError(
            f"Lean wrote {written.count} constants, the export has {len(export.constants)}, and "
            f"the kernel of {kernel.name} answered for {seen}"
        )
    claims = _claims(library, written)
    number_of = {raw: number for number, raw in enumerate(export.raw)}
    reasons: dict[int | str, str] = {number_of[n]: why for n, why in answer.refused.items()}
    reasons.update(written.refused.items())
    pinned = pinned_library().of(library.engine.lean_version)
    for what, why in objections(export, claims, written.own, pinned).items():
        reasons.setdefault(what, why)
    opinion = KernelOpinion(kernel.name, kernel.version, answer.accepted, kernel.known_bugs)
    return findings(export, claims, opinion, reasons)


def _claims(library: Library, written: Written) -> Sequence[Claim]:
    return [
        Claim(
            t.name,
            written.roots.get(t.name),
            hashlib.sha256(t.conclusion.term.encode()).hexdigest(),
            frozenset(t.axioms),
        )
        for t in library.statements.theorems
        if t.is_theorem
    ]


def _load(cache: AnswerCache, key: str, project: Path, kernel: Kernel) -> Findings | None:
    answer = cache.load(key, project)
    if answer is None:
        return None
    match answer.get("findings"):
        case ({"accepted": int(accepted), "refusals": dict(refusals), "refused": dict(refused)},):
            opinion = KernelOpinion(kernel.name, kernel.version, accepted, kernel.known_bugs)
            return Findings(opinion, refusals, refused)
        case _:
            return None
