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
from bridge.kernels.accepted_before import Accepted, AcceptedBefore, accepted_now
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
from bridge.lean.clean_modules import CleanModules
from bridge.lean.compiled import files_of
from bridge.lean.library import KERNEL_SECONDS, Library, answer_key
from bridge.lean.project import Project
from bridge.lean.requests import ConstantsRequest
from bridge.lean.trust import KernelOpinion, Trust
from bridge.progress import Progress, Silent

__all__ = ["accepted_before", "ask_kernels", "further_kernels", "judged"]

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
    states = CleanModules(project, engine).states()
    kernels = further_kernels(engine, project)
    accepted = [place.load(states) for place in _places(kernels, project, engine)]
    return [m for m in modules if all(m in one for one in accepted)]


def _places(
    kernels: Sequence[Kernel], project: Project, engine: Engine
) -> Sequence[AcceptedBefore]:
    """The entry in the cache for each kernel."""
    about = (project.root, engine.fingerprint, _pinned(engine))
    return [AcceptedBefore.of(kernel, *about) for kernel in kernels]


def _pinned(engine: Engine) -> str:
    """The hash of the pinned statements of Lean's own library."""
    pins = json.dumps(sorted(pinned_library().of(engine.lean_version).items()))
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
    cache = AnswerCache.default()
    request = ConstantsRequest(project.roots)
    sources = answer_key(project, engine, request)
    pinned = _pinned(engine)
    keys = [cache.key(_SCHEMA, sources, k.name, k.fingerprint, pinned) for k in kernels]
    found = [
        _load(cache, key, project.root, kernel) if use_cache else None
        for key, kernel in zip(keys, kernels, strict=True)
    ]
    if all(found):
        return [f for f in found if f]
    states = CleanModules(project, engine).states()
    places = _places(kernels, project, engine)
    before = [place.load(states) for place in places]
    written = _written(library, exported, before, timeout, watcher)
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
            result = judged(library, kernel, written, export, said)
            kept = {m: one for m, one in before[i].items() if m in written.left_out}
            new: dict[str, Accepted] = {}
            if not result.refusals and said.accepted == written.count:
                new = accepted_now(export, written, _claims(library, written), states)
            places[i].store({**kept, **new})  # what is refused now must not count later
            found[i] = result = _with_left_out(result, export, kept)
            _store(cache, keys[i], result, files_of(project, engine))
    return [f for f in found if f]


def _written(
    library: Library,
    exported: ExportOnTheWay,
    before: Sequence[Mapping[str, Accepted]],
    timeout: float,
    watcher: Progress,
) -> Written | None:
    """Lean's summary of the export.  Lean writes all of it now, unless the export is there and each
    kernel accepted before what was left out."""
    written = exported.written
    if written is not None and all(_known(library, written, one) for one in before):
        return written
    project, engine = library.project, library.engine
    return write_export(project, engine, (), exported.path, timeout=timeout, progress=watcher)


def _left_out(library: Library, written: Written) -> Mapping[str, Sequence[Claim]]:
    """By module, the claims about theorems that were left out of an export."""
    claims = {c.theorem: c for c in _claims(library, written) if c.number is None}
    found: dict[str, list[Claim]] = {}
    for t in library.statements.theorems:
        if t.name in claims and t.module in written.left_out:
            found.setdefault(t.module, []).append(claims[t.name])
    return found


def _known(library: Library, written: Written, before: Mapping[str, Accepted]) -> bool:
    """Whether a kernel accepted the theorems that were left out as they are stated now."""
    claims = _left_out(library, written)
    return all(m in before and before[m].has(claims.get(m, ())) for m in written.left_out)


def _with_left_out(found: Findings, export: Export, before: Mapping[str, Accepted]) -> Findings:
    """``found``; its number of constants includes those that the kernel accepted before."""
    here = {export.names[number] for number in export.constants}
    others = frozenset().union(*(one.below for one in before.values())) - here
    accepted = found.opinion.accepted + len(others)
    return replace(found, opinion=replace(found.opinion, accepted=accepted))


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

    The theorems that were left out of the export are not among the findings.

    Raises:
        AnswerError: the export, or the answer, has another number of constants than Lean wrote.
    """
    seen = answer.accepted + len(answer.refused) + answer.undecided
    if not answer.complete or len(export.constants) != written.count or seen != written.count:
        raise AnswerError(
            f"Lean wrote {written.count} constants, the export has {len(export.constants)}, and "
            f"the kernel of {kernel.name} answered for {seen}"
        )
    left_out = {c for of in _left_out(library, written).values() for c in of}
    claims = [c for c in _claims(library, written) if c not in left_out]
    number_of = {raw: number for number, raw in enumerate(export.raw)}
    reasons: dict[int | str, str] = {number_of[n]: why for n, why in answer.refused.items()}
    reasons.update(written.refused.items())
    pinned = pinned_library().of(library.engine.lean_version)
    for what, why in objections(export, claims, written.own, pinned).items():
        reasons.setdefault(what, why)
    opinion = KernelOpinion(kernel.name, kernel.version, answer.accepted, kernel.known_bugs)
    return findings(export, claims, opinion, reasons)


def _claims(library: Library, written: Written) -> Sequence[Claim]:
    evidence = library.statements.own_evidence()
    return [
        Claim(
            t.name,
            written.roots.get(t.name),
            hashlib.sha256(t.conclusion.term.encode()).hexdigest(),
            frozenset(t.axioms),
            evidence[t.name],
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
