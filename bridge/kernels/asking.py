"""An audit's question to all kernels that are there, cached by everything that the answer is of."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bridge.errors import AnswerError
from bridge.kernels.export import Export, read_export
from bridge.kernels.exporting import Written, write_export
from bridge.kernels.interface import Kernel, KernelAnswer
from bridge.kernels.judging import Findings, findings, with_kernels
from bridge.kernels.leanchecker import leanchecker_opinion
from bridge.kernels.native import find_native
from bridge.kernels.policy import Claim, objections, pinned_library
from bridge.kernels.replay import replay_opinion
from bridge.lean.answers import AnswerCache
from bridge.lean.client import ConstantsRequest
from bridge.lean.library import KERNEL_SECONDS, Library, answer_key, files_of
from bridge.lean.trust import KernelOpinion, Trust
from bridge.progress import Progress, Silent

__all__ = ["ask_kernels", "judged"]

_SCHEMA = "kernel-findings/1"


def ask_kernels(
    library: Library,
    trust: Trust,
    *,
    timeout: float,
    progress: Progress | None = None,
    use_cache: bool = True,
) -> Trust:
    """``trust`` with every kernel that took part, and with what they refuse.

    Raises:
        EngineError: Lean wrote no export, or the native kernel gave no complete answer.
    """
    engine = library.engine
    own = [replay_opinion(trust, engine.lean_version)]
    if (checker := leanchecker_opinion(trust, engine.lean_version)) is not None:
        own.append(checker)
    trust = replace(trust, kernels=tuple(own))
    native = find_native()
    if native is None or not library.statements.theorems:
        return trust
    found = _found(library, native, max(timeout, KERNEL_SECONDS), progress or Silent(), use_cache)
    return trust if found is None else with_kernels(trust, [found])


def _found(
    library: Library, kernel: Kernel, timeout: float, watcher: Progress, use_cache: bool
) -> Findings | None:
    """What the kernel's answer means, from the cache or from the kernel."""
    project, engine = library.project, library.engine
    cache = AnswerCache.default()
    request = ConstantsRequest(project.roots)
    sources = answer_key(project, engine, request)
    pins = json.dumps(sorted(pinned_library().of(engine.lean_version).items()))
    key = cache.key(_SCHEMA, sources, kernel.fingerprint, hashlib.sha256(pins.encode()).hexdigest())
    if use_cache and (known := _load(cache, key, project.root, kernel)) is not None:
        return known
    with tempfile.TemporaryDirectory(prefix="obligations-") as folder:
        path = Path(folder) / "export.ndjson"
        written = write_export(project, engine, (), path, timeout=timeout, progress=watcher)
        if written is None:
            return None
        task = f"asking the kernel of {kernel.name}"
        watcher.update(task, 0, None)
        with ThreadPoolExecutor(1) as pool:  # the kernel is a process of its own
            answering = pool.submit(kernel.check, path, timeout=timeout)
            export = read_export(path)
            answer = answering.result()
        watcher.update(task, 1, 1)
    found = judged(library, kernel, written, export, answer)
    opinion = found.opinion
    body = {
        "accepted": opinion.accepted,
        "refusals": dict(found.refusals),
        "refused": dict(found.refused),
    }
    cache.store(key, {"findings": (body,)}, files_of(project, engine))
    return found


def judged(
    library: Library, kernel: Kernel, written: Written, export: Export, answer: KernelAnswer
) -> Findings:
    """Hold a kernel's answer, and the export that it is about, against the audit's statements.

    Raises:
        AnswerError: the export, or the answer, is not about as many constants as Lean wrote.
    """
    seen = answer.accepted + len(answer.refused)
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
