"""An audit's request to all available kernels, cached by everything that the answer depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

from bridge.engine import Engine
from bridge.kernels.accepted_before import AcceptedBefore
from bridge.kernels.bundled import find_bundled
from bridge.kernels.compared import ComparedExport, claims_of
from bridge.kernels.export import read_export
from bridge.kernels.exporting import ExportOnTheWay, Written, write_export
from bridge.kernels.interface import Kernel
from bridge.kernels.judging import Findings, with_kernels
from bridge.kernels.leanchecker import leanchecker_opinion
from bridge.kernels.native import find_native
from bridge.kernels.policy import pinned_library
from bridge.kernels.replay import replay_opinion
from bridge.lean.answers import AnswerCache
from bridge.lean.clean_modules import CleanModules
from bridge.lean.compiled import files_of
from bridge.lean.library import KERNEL_SECONDS, Library, answer_key
from bridge.lean.project import Project
from bridge.lean.requests import ConstantsRequest
from bridge.lean.trust import KernelOpinion, Trust
from bridge.progress import Progress, Silent

__all__ = ["accepted_before", "ask_kernels", "further_kernels"]

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

    ``exported`` has the export, if Lean wrote it already.  It is written now if there is none, or
    if a theorem that was left out of it is not as every kernel accepted it.

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


def accepted_before(project: Project, engine: Engine, modules: Sequence[str]) -> Sequence[str]:
    """The modules among these whose theorems every further kernel accepted before, as they are."""
    if not modules:
        return ()
    clean = CleanModules(project, engine)
    states = clean.states(clean.digests())
    kernels = further_kernels(engine, project)
    accepted = [place.load(states) for place in _places(kernels, project, engine)]
    return [m for m in modules if all(m in one for one in accepted)]


def _places(
    kernels: Sequence[Kernel], project: Project, engine: Engine
) -> Sequence[AcceptedBefore]:
    """The entry in the cache for each kernel."""
    about = (project.root, engine.fingerprint, _pinned(engine.lean_version))
    return [AcceptedBefore.of(kernel, *about) for kernel in kernels]


@cache
def _pinned(lean_version: str) -> str:
    """The hash of the pinned statements of Lean's own library."""
    pins = json.dumps(sorted(pinned_library().of(lean_version).items()))
    return hashlib.sha256(pins.encode()).hexdigest()


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
    answers = AnswerCache.default()
    request = ConstantsRequest(project.roots)
    sources = answer_key(project, engine, request)
    pinned = _pinned(engine.lean_version)
    keys = [answers.key(_SCHEMA, sources, k.name, k.fingerprint, pinned) for k in kernels]
    found = [
        _load(answers, key, project.root, kernel) if use_cache else None
        for key, kernel in zip(keys, kernels, strict=True)
    ]
    if all(found):
        return [f for f in found if f]
    places = _places(kernels, project, engine)
    now = _compared(library, places, exported, timeout, watcher)
    if now is None:
        return []
    roots = tuple(now.written.roots.values())
    with ThreadPoolExecutor(1) as pool:  # a kernel runs in a separate process
        asked = {
            i: pool.submit(kernel.check, exported.path, roots=roots, timeout=timeout)
            for i, kernel in enumerate(kernels)
            if found[i] is None
        }
        export = read_export(exported.path)
        for i, answer in asked.items():
            task = f"asking the kernel of {kernels[i].name}"
            watcher.update(task, 0, None)
            said = answer.result()
            watcher.update(task, 1, 1)
            found[i] = result = now.taken(kernels[i], export, said, places[i])
            _store(answers, keys[i], result, files_of(project, engine))
    return [f for f in found if f]


def _compared(
    library: Library,
    places: Sequence[AcceptedBefore],
    exported: ExportOnTheWay,
    timeout: float,
    watcher: Progress,
) -> ComparedExport | None:
    """The export, and what it is compared with; ``None`` if the engine cannot write one.

    Lean writes all of it now, unless the export is there and each kernel accepted before what was
    left out.
    """
    project, engine, statements = library.project, library.engine, library.statements
    clean = CleanModules(project, engine)

    def compared(written: Written, digests: Mapping[str, str]) -> ComparedExport:
        claims = claims_of(statements, written)
        # What was compiled again meanwhile need not be what Lean exported.
        states = clean.states(digests) if clean.digests() == digests else {}
        return ComparedExport(written, engine.lean_version, claims, states)

    if exported.written is not None:
        now = compared(exported.written, exported.digests)
        lemmas = {d.lemma for t in statements.theorems for d in t.discharges}
        if all(now.known(place.load(now.states), lemmas) for place in places):
            return now
    digests = clean.digests()
    written = write_export(project, engine, (), exported.path, timeout=timeout, progress=watcher)
    return None if written is None else compared(written, digests)


def _store(answers: AnswerCache, key: str, found: Findings, files: Mapping[str, str]) -> None:
    body = {
        "accepted": found.opinion.accepted,
        "refusals": dict(found.refusals),
        "refused": dict(found.refused),
    }
    answers.store(key, {"findings": (body,)}, files)


def _load(answers: AnswerCache, key: str, project: Path, kernel: Kernel) -> Findings | None:
    answer = answers.load(key, project)
    if answer is None:
        return None
    match answer.get("findings"):
        case ({"accepted": int(accepted), "refusals": dict(refusals), "refused": dict(refused)},):
            opinion = KernelOpinion(kernel.name, kernel.version, accepted, kernel.known_bugs)
            return Findings(opinion, refusals, refused)
        case _:
            return None
