"""Keeps compiled modules of projects, addressed by what they were compiled from.

    <cache>/build/
      lock                      held by the one build that compiles
      objects/ab/<key>.olean    a compiled module
      objects/ab/<key>.json     its hash, its warnings, and the files that Lean asked for; written
                              last, and an object without it does not count
      objects/ab/<key>.asked    paths that Lean asked for when it compiled what has this key
      trees/<hash>/A/B.olean    compiled modules of one state of one project, where Lean looks
      work-*/                   a build in progress

The key of a module is the hash of everything its compiled form depends on: the engine, its name
and options, its source, and the forms of what it imports.  The form of a module is the hash of its
object and of the forms that it imports: a module whose object is the same after a change, as after
one of a comment, causes no other to be compiled.  If Lean asked for files of the project
(`bridge.engine.asked`), that is known only once it is compiled: the paths are kept under the key,
and the object under the hash of the key and of the states of these paths.  An object is never
changed, and a tree names the objects it links to; so nothing here can be out of date, and two
processes cannot disturb each other.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bridge.engine.asked import states_of
from bridge.engine.interface import LeanMessage, Severity
from bridge.engine.modules import Module
from bridge.storage.bounded import is_due

__all__ = ["Store", "base_key", "form_of", "key_with", "module_keys"]

_FORMAT = "object-3"
_OBJECT_DAYS, _TREE_DAYS = 30, 7
_MOST_TREES, _MOST_BYTES = 16, 1_000_000_000
_IN_USE_SECONDS = 24 * 3600
_WORK_SECONDS = 2 * 24 * 3600
_MOST_SETS = 8  # of paths that are kept for one key


def base_key(module: Module, fingerprint: str, forms: Mapping[str, str]) -> str | None:
    """Hash of what is known before a module is compiled; `forms` are those of its imports.

    None for a module with problems, or that imports one without a form.
    """
    imports = [i.module for i in module.imports]
    if module.problems or not all(name in forms for name in imports):
        return None
    parts = [
        _FORMAT,
        fingerprint,
        module.name,
        json.dumps(module.library.options),
        hashlib.sha256(module.source).hexdigest(),
        *(f"{name} {forms[name]}" for name in imports),
    ]
    return _hash(parts)


def form_of(module: Module, digest: str, forms: Mapping[str, str]) -> str:
    """Hash of a module's compiled form, of which `digest` is the sha256, and of what it imports."""
    return _hash([digest, *(f"{i.module} {forms[i.module]}" for i in module.imports)])


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def key_with(base: str, states: Mapping[str, str]) -> str:
    """Key of an object for which Lean asked for files: `states` are their states, by path."""
    if not states:
        return base
    return _hash([base, *(json.dumps(pair) for pair in sorted(states.items()))])


def module_keys(
    modules: Iterable[Module], fingerprint: str, store: Store, project: Path
) -> dict[str, str]:
    """Key of every module whose key is known; `modules` come in compilation order.

    A module has no key if it has problems, asked for files that have changed since, or imports a
    module that is not compiled.
    """
    keys: dict[str, str] = {}
    forms: dict[str, str] = {}
    for module in modules:
        base = base_key(module, fingerprint, forms)
        if base is not None and (key := store.find(base, project)) is not None:
            keys[module.name] = key
            if (digest := store.noted_digest(key)) is not None:
                forms[module.name] = form_of(module, digest, forms)
    return keys


class _Note(msgspec.Struct, frozen=True):
    """Data kept next to a compiled module: its sha256, places and texts of messages, and files
    asked for."""

    digest: str
    messages: list[tuple[int, int, Severity, str]]
    asked: dict[str, str]


@dataclass(frozen=True, slots=True)
class Store:
    """The folder `build` of the cache."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Lock of the build that compiles."""
        return self.folder / "lock"

    def _object(self, key: str, suffix: str) -> Path:
        return self.folder / "objects" / key[:2] / f"{key}{suffix}"

    def has(self, key: str) -> bool:
        """Whether there is an object with this key."""
        return self._object(key, ".json").is_file() and self._object(key, ".olean").is_file()

    def messages(self, key: str, file: str) -> tuple[LeanMessage, ...]:
        """Lean's messages about `file` when it compiled the object."""
        note = self._note(key)
        if note is None:  # another process has just removed it as unused; only warnings are lost
            return ()
        return tuple(LeanMessage(file, *said) for said in note.messages)

    def _note(self, key: str) -> _Note | None:
        try:
            return msgspec.json.decode(self._object(key, ".json").read_bytes(), type=_Note)
        except (OSError, ValueError):
            return None

    def find(self, base: str, project: Path) -> str | None:
        """Key of the object for the present files of `project`; None if it must be compiled first.

        The key is `base` itself if Lean asked for no files, or this is unknown yet.
        """
        if self.has(base):
            return base
        kept = self._sets(base)
        for names in kept:
            key = key_with(base, states_of(project, names))
            if self.has(key):
                return key
        return None if kept else base

    def _sets(self, base: str) -> list[list[str]]:
        """The sets of paths that Lean asked for at this key, the latest first."""
        try:
            found = self._object(base, ".asked").read_bytes()
            return msgspec.json.decode(found, type=list[list[str]])
        except (OSError, ValueError):
            return []

    def note_asked(self, base: str, names: Iterable[str]) -> None:
        """Keep which paths Lean asked for when it compiled what has the key `base`."""
        latest = sorted(set(names))
        kept = [latest, *(s for s in self._sets(base) if s != latest)][:_MOST_SETS]
        target = self._object(base, ".asked")
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f"{target.name}-{os.getpid()}")
        new.write_text(json.dumps(kept), encoding="utf-8")
        new.replace(target)

    def asked(self, key: str) -> dict[str, str] | None:
        """The state of each path that Lean asked for; None if the object was removed."""
        note = self._note(key)
        return None if note is None else note.asked

    def noted_digest(self, key: str) -> str | None:
        """sha256 of a compiled module when it was added; None if there is no such object."""
        note = self._note(key)
        return None if note is None else note.digest

    def digest(self, key: str) -> str | None:
        """sha256 of a compiled module as it is now; None if the object was removed."""
        try:
            return _file_hash(self._object(key, ".olean"))
        except OSError:
            return None

    def add(
        self,
        key: str,
        compiled: Path,
        messages: Iterable[LeanMessage],
        asked: Mapping[str, str] | None = None,
    ) -> None:
        """Move the file `compiled` (on the same disk) into the store as the object with this key.

        `asked` are the states of the paths that Lean asked for.
        """
        said = [(m.line, m.column, m.severity, m.text) for m in messages]
        content = _Note(_file_hash(compiled), said, dict(asked or {}))
        target = self._object(key, ".olean")
        target.parent.mkdir(parents=True, exist_ok=True)
        compiled.chmod(0o444)
        compiled.replace(target)
        note = compiled.with_suffix(".json")
        note.write_bytes(msgspec.json.encode(content))
        note.replace(self._object(key, ".json"))

    def link(self, key: str, module: str, tree: Path) -> None:
        """Put an object into a tree, where Lean looks for the module.

        Raises:
            FileNotFoundError: the object was removed.
        """
        target = tree / (module.replace(".", "/") + ".olean")
        target.parent.mkdir(parents=True, exist_ok=True)
        source = self._object(key, ".olean")
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except FileExistsError:
            pass
        except OSError:  # the file system has no hard links
            shutil.copyfile(source, target)

    def work_folder(self) -> Path:
        """A new folder for a build in progress, on the disk of the store."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="work-", dir=self.folder))

    def tree(self, keys: Mapping[str, str]) -> Path:
        """The tree of those modules of `keys` that are compiled.  It is made if it does not exist.

        A module is in the tree only if its object exists, and then so do the objects of all its
        imports' keys unless they were removed as unused; Lean reports those as missing.
        """
        present = {name: key for name, key in keys.items() if self.has(key)}
        lines = "\n".join(f"{name} {key}" for name, key in sorted(present.items()))
        target = self.folder / "trees" / hashlib.sha256(lines.encode()).hexdigest()[:32]
        if not target.is_dir():
            work = self.work_folder()
            try:
                made = work / "tree"
                made.mkdir()
                for name, key in present.items():
                    self.link(key, name, made)
                target.parent.mkdir(exist_ok=True)
                try:
                    made.rename(target)
                except OSError:
                    if not target.is_dir():  # else another process was faster
                        raise
            finally:
                shutil.rmtree(work, ignore_errors=True)
        self._touch([target, *(self._object(key, ".json") for key in present.values())])
        return target

    def _touch(self, used: Iterable[Path]) -> None:
        for path in used:
            with contextlib.suppress(OSError):  # a read-only cache, or just removed
                os.utime(path)

    def tidy(self) -> None:
        """`prune`, at most once in ten minutes.  Call this with the lock held."""
        due = False
        with contextlib.suppress(OSError):  # a read-only cache
            due = is_due(self.folder / "pruned", time.time())
        if due:
            self.prune()

    def prune(self, now: float | None = None) -> None:
        """Remove trees, objects and left-over work folders that were not used for long.

        Only the most recently used trees stay, and as many objects as fit into the limit, by last
        use.  What was used within the last day always stays: another process may be using it.
        Call this with the lock held.
        """
        at = time.time() if now is None else now
        for work in self.folder.glob("work-*"):
            _remove_older(work, at - _WORK_SECONDS)
        trees = sorted(self.folder.glob("trees/*"), key=_modified, reverse=True)
        for tree in trees[:_MOST_TREES]:
            _remove_older(tree, at - _TREE_DAYS * 24 * 3600)
        for tree in trees[_MOST_TREES:]:
            _remove_older(tree, at - _IN_USE_SECONDS)
        total = 0
        for note in sorted(self.folder.glob("objects/*/*.json"), key=_modified, reverse=True):
            compiled = note.with_suffix(".olean")
            total += compiled.stat().st_size if compiled.exists() else 0
            used = _modified(note)
            if used >= at - _IN_USE_SECONDS:
                continue
            if total > _MOST_BYTES or used < at - _OBJECT_DAYS * 24 * 3600:
                note.unlink(missing_ok=True)
                compiled.unlink(missing_ok=True)
        for paths in self.folder.glob("objects/*/*.asked"):
            if _modified(paths) < at - _OBJECT_DAYS * 24 * 3600:  # costs one compilation at most
                paths.unlink(missing_ok=True)


def _file_hash(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _remove_older(folder: Path, limit: float) -> None:
    if _modified(folder) < limit:
        shutil.rmtree(folder, ignore_errors=True)
