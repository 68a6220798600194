"""What Lean's answers depend on: the compiled form of a project's sources, where it is known.

A comment at the end of a file, or a file that no module imports, does not change what is compiled,
so Lean would give the same answer again.
"""

from __future__ import annotations

import hashlib
import json

from bridge.engine import EVERYTHING, Engine, states_of
from bridge.lean.answers import AnswerCache
from bridge.lean.project import Project

__all__ = ["files_noted", "files_of", "followed_from", "note_compiled"]

_SCHEMA = "compiled/1"


def followed_from(project: Project, engine: Engine) -> str:
    """A hash of what Lean's answers about the present sources depend on.

    It covers their compiled form if that was noted, else the sources themselves.
    """
    sources = project.fingerprint()
    found = AnswerCache.default().load(_key(engine, sources), project.root)
    match None if found is None else found.get(_SCHEMA):
        case (str(compiled),):
            return compiled
        case _:
            return sources


def files_noted(project: Project, engine: Engine) -> dict[str, str]:
    """The states of the files that Lean asked for while it compiled the present sources, if their
    compiled form was noted.  Other sources with the same form may have asked for others."""
    key = _key(engine, project.fingerprint())
    found = AnswerCache.default().load_with_files(key, project.root)
    return {} if found is None else found[1]


def note_compiled(project: Project, engine: Engine) -> None:
    """Note the compiled form of the present sources, if the engine knows it."""
    sources = project.fingerprint()
    cache, key = AnswerCache.default(), _key(engine, sources)
    if cache.load(key, project.root) is not None:
        return
    digests = engine.compiled_digests(project.root)
    if digests is None:
        return
    files = files_of(project, engine)
    if project.fingerprint() != sources:  # they have changed meanwhile
        return
    # The lakefile has options for documents, too, and no compiled module.
    said = json.dumps([sorted(digests.items()), project.pinned_fingerprint()])
    cache.store(key, {_SCHEMA: (hashlib.sha256(said.encode()).hexdigest(),)}, files)


def files_of(project: Project, engine: Engine) -> dict[str, str]:
    """What Lean's answer depends on besides the sources: the state of each file by path.

    The sources must be compiled.  If the engine does not know what Lean asked for, this is every
    file of the project.
    """
    known = engine.files_asked(project.root)
    return states_of(project.root, [EVERYTHING]) if known is None else dict(known)


def _key(engine: Engine, sources: str) -> str:
    return AnswerCache.key(_SCHEMA, engine.fingerprint, sources)
