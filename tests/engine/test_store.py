"""The store of compiled modules: keys, objects, trees."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from bridge.engine.asked import states_of
from bridge.engine.interface import LeanMessage
from bridge.engine.lakefile import read_package
from bridge.engine.modules import read_modules
from embedded_lean import store as store_module
from embedded_lean.store import Store, key_with, module_keys
from tests.engine.fakes import write_project

SOURCES = {
    "lean/Demo.lean": "import Demo.A\nimport Demo.B",
    "lean/Demo/A.lean": "import Demo.C",
    "lean/Demo/B.lean": "",
    "lean/Demo/C.lean": "",
}


def keys(folder: Path, fingerprint: str = "engine", store: Store | None = None) -> dict[str, str]:
    known = store or Store(folder / "no store")
    return module_keys(read_modules(read_package(folder)), fingerprint, known, folder)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", SOURCES)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "build")


def fill(store: Store, key: str, content: bytes = b"olean", *messages: LeanMessage) -> None:
    work = store.work_folder()
    (work / "module.olean").write_bytes(content)
    store.add(key, work / "module.olean", messages)
    shutil.rmtree(work)


def compiled(
    folder: Path, store: Store, fingerprint: str = "engine", same: Iterable[str] = ()
) -> dict[str, str]:
    """The key of each module once all are compiled; to its source, or always to the same if it is
    in ``same``."""
    while True:
        found = keys(folder, fingerprint, store)
        if not (new := {name: key for name, key in found.items() if not store.has(key)}):
            return found
        for name, key in new.items():
            source = (folder / "lean" / f"{name.replace('.', '/')}.lean").read_bytes()
            fill(store, key, b"same" if name in same else source)


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {name for name in after if before.get(name) != after[name]}


def test_a_key_changes_with_the_source_and_with_what_is_imported(
    store: Store, project: Path
) -> None:
    assert set(keys(project, store=store)) == {"Demo.B", "Demo.C"}  # nothing is compiled yet
    before = compiled(project, store)
    (project / "lean/Demo/C.lean").write_text("-- changed")
    assert set(keys(project, store=store)) == {"Demo.B", "Demo.C"}
    assert changed(before, compiled(project, store)) == {"Demo.C", "Demo.A", "Demo"}


def test_an_importer_keeps_its_key_where_the_compiled_form_does_not_change(
    store: Store, project: Path
) -> None:
    before = compiled(project, store, same=["Demo.A", "Demo.C"])
    (project / "lean/Demo/C.lean").write_text("-- changed")
    assert changed(before, compiled(project, store, same=["Demo.C"])) == {"Demo.C"}
    # What is imported indirectly counts, too.
    (project / "lean/Demo/C.lean").write_text("-- another comment")
    after = compiled(project, store, same=["Demo.A"])
    assert changed(before, after) == {"Demo.C", "Demo.A", "Demo"}


def test_a_key_changes_with_engine_options_and_name(store: Store, project: Path) -> None:
    before = compiled(project, store)
    assert set(before.values()).isdisjoint(compiled(project, store, "other engine").values())
    assert before["Demo.B"] != before["Demo.C"]  # equal sources under two names
    lakefile = (project / "lakefile.lean").read_text()
    other = lakefile.replace("package demo", "package demo where leanOptions := #[⟨`a, true⟩]")
    (project / "lakefile.lean").write_text(other)
    assert set(before.values()).isdisjoint(compiled(project, store).values())


def test_a_module_that_cannot_be_compiled_has_no_key(project: Path) -> None:
    (project / "lean/Demo/C.lean").write_text("import Demo.Gone")
    assert set(keys(project)) == {"Demo.B"}


def test_a_key_changes_with_the_files_that_lean_asked_for(store: Store, project: Path) -> None:
    base = keys(project, store=store)["Demo.C"]
    (project / "data.txt").write_text("before")
    states = states_of(project, ["data.txt", "other.txt", "lean/"])
    store.note_asked(base, states)
    assert set(keys(project, store=store)) == {"Demo.B"}  # its importers have none
    key = key_with(base, states)
    fill(store, key)
    before = keys(project, store=store)
    assert before["Demo.C"] == key != base
    for change in (
        lambda: (project / "data.txt").write_text("after"),
        lambda: (project / "other.txt").touch(),
        lambda: (project / "lean" / "new.txt").touch(),
    ):
        change()
        assert "Demo.C" not in keys(project, store=store)
        assert "Demo.A" not in keys(project, store=store)
        (project / "data.txt").write_text("before")
        for name in ("other.txt", "lean/new.txt"):
            (project / name).unlink(missing_ok=True)
        assert keys(project, store=store) == before


def test_a_module_that_requested_files_twice_is_found_for_both(store: Store, project: Path) -> None:
    base = keys(project)["Demo.B"]
    found = []
    for name in ("a.txt", "b.txt"):
        (project / name).write_text("1")
        states = states_of(project, [name])
        store.note_asked(base, states)
        found.append(key_with(base, states))
        fill(store, found[-1])
    assert store.find(base, project) == found[1]
    (project / "b.txt").write_text("2")
    assert store.find(base, project) == found[0]
    (project / "a.txt").write_text("2")
    assert store.find(base, project) is None


def test_pruning_forgets_what_was_asked_for_long_ago(store: Store, project: Path) -> None:
    store.note_asked("ab12", ["a.txt"])
    store.prune()
    assert store.find("ab12", project) is None
    store.prune(now=time.time() + 31 * 24 * 3600)
    assert store.find("ab12", project) == "ab12"


def test_objects_keep_their_messages(store: Store) -> None:
    warning = LeanMessage("lean/A.lean", 3, 4, "warning", "unused")
    fill(store, "ab12", b"x", warning)
    assert store.has("ab12")
    assert store.messages("ab12", "elsewhere/A.lean") == (
        LeanMessage("elsewhere/A.lean", 3, 4, "warning", "unused"),
    )
    assert not store.has("ab13")


def test_an_object_without_its_note_does_not_count(store: Store) -> None:
    fill(store, "ab12")
    next(store.folder.glob("objects/ab/*.json")).unlink()
    assert not store.has("ab12")


def test_a_tree_holds_what_is_compiled_and_is_made_once(store: Store, project: Path) -> None:
    all_keys = keys(project)
    fill(store, all_keys["Demo.C"], b"C")
    first = store.tree(all_keys)
    assert [p.relative_to(first).as_posix() for p in first.rglob("*.olean")] == ["Demo/C.olean"]
    assert (first / "Demo/C.olean").read_bytes() == b"C"
    fill(store, all_keys["Demo.B"], b"B")
    second = store.tree(all_keys)
    assert second != first
    assert store.tree(all_keys) == second
    assert not list(store.folder.glob("work-*"))


def test_links_fall_back_to_copies(
    store: Store, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    all_keys = keys(project)
    fill(store, all_keys["Demo.C"], b"C")
    assert (store.tree(all_keys) / "Demo/C.olean").read_bytes() == b"C"


def test_pruning_keeps_the_store_small(
    store: Store, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_MOST_TREES", 1)
    monkeypatch.setattr(store_module, "_MOST_BYTES", 150)
    all_keys = keys(project)
    trees = []
    for name in ("Demo.B", "Demo.C"):
        fill(store, all_keys[name], b"x" * 100)
        trees.append(store.tree(all_keys))
    (note,) = store.folder.glob(f"objects/*/{all_keys['Demo.B']}.json")
    for path in (trees[0], note):
        os.utime(path, (time.time() - 2 * 86400, time.time() - 2 * 86400))
    store.prune()
    assert [t.is_dir() for t in trees] == [False, True]
    assert [store.has(all_keys[n]) for n in ("Demo.B", "Demo.C")] == [False, True]


def test_pruning_keeps_what_is_in_use(
    store: Store, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_MOST_TREES", 1)
    monkeypatch.setattr(store_module, "_MOST_BYTES", 150)
    all_keys = keys(project)
    trees = []
    for name in ("Demo.B", "Demo.C"):
        fill(store, all_keys[name], b"x" * 100)
        trees.append(store.tree(all_keys))
    store.prune()
    assert all(t.is_dir() for t in trees)
    assert all(store.has(all_keys[n]) for n in ("Demo.B", "Demo.C"))
    for tree in trees:
        os.utime(tree, (time.time() - 20 * 86400, time.time() - 20 * 86400))
    assert store.tree(all_keys) == trees[1]  # which will use it
    store.prune()
    assert [t.is_dir() for t in trees] == [False, True]


def test_pruning_removes_only_what_is_old(store: Store, project: Path) -> None:
    all_keys = keys(project)
    fill(store, all_keys["Demo.C"])
    tree, work = store.tree(all_keys), store.work_folder()
    store.prune()
    assert tree.is_dir()
    assert store.has(all_keys["Demo.C"])
    store.prune(now=time.time() + 8 * 24 * 3600)
    assert not tree.is_dir()
    assert not work.is_dir()
    assert store.has(all_keys["Demo.C"])
    store.prune(now=time.time() + 31 * 24 * 3600)
    assert not store.has(all_keys["Demo.C"])
    assert not list(store.folder.rglob("*.olean"))


def test_a_build_prunes_at_most_once_in_ten_minutes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned: list[Store] = []
    monkeypatch.setattr(Store, "prune", lambda self: pruned.append(self))
    store.folder.mkdir(parents=True, exist_ok=True)
    store.tidy()
    store.tidy()
    assert pruned == [store]
    marker, now = store.folder / "pruned", time.time()
    for moment in (now - 601, now + 60):  # long ago; by a clock that was wrong
        os.utime(marker, (moment, moment))
        store.tidy()
    assert pruned == [store] * 3
