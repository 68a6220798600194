"""A full disk, and a cache that belongs to another user: reported as such, with a remedy."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.checking import CheckResult
from bridge.checking.store import ResultCache
from bridge.cli.audit_command import publish
from bridge.engine.errors import CacheUnusableError
from bridge.lean.answers import AnswerCache
from bridge.report import formats
from bridge.verdict import Verdict
from embedded_lean import build, warm
from embedded_lean.batch import run_document
from embedded_lean.disk import errors_explained
from embedded_lean.layout import Layout
from embedded_lean.store import Store
from tests.report.samples import all_holds

NODE: Any = SimpleNamespace()
REMEDIES = {
    errno.ENOSPC: "Free some space",
    errno.EDQUOT: "Free some space",
    errno.EROFS: "read-only",
    errno.EACCES: "another user",
    errno.EIO: "can be read and written",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "lakefile.lean").write_text(
        "import Lake\nopen Lake DSL\npackage demo\nlean_lib Demo\n", encoding="utf-8"
    )
    (root / "Demo.lean").write_text("def a := 1\n", encoding="utf-8")
    return root


def failing(number: int) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number), "/the/file")

    return fail


@pytest.mark.parametrize("number", REMEDIES)
@pytest.mark.parametrize("where", ["work_folder", "prune", "tree"])
def test_a_build_says_why_it_cannot_keep_anything(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, number: int
) -> None:
    monkeypatch.setattr(Store, where, failing(number))
    if where == "tree":  # nothing is left to compile
        monkeypatch.setattr(Store, "has", lambda *_: True)
    with pytest.raises(CacheUnusableError) as caught:
        build.build_project(Layout(tmp_path / "cache"), NODE, project, fingerprint="f")
    assert "/the/file" in str(caught.value)
    assert os.strerror(number) in str(caught.value)
    assert REMEDIES[number] in caught.value.remedy
    assert "LEAN_OBLIGATIONS_CACHE" in caught.value.remedy
    assert caught.value.exit_code == 3


def test_a_folder_that_cannot_be_made_is_not_another_error(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the work folder and the process that compiles there is nothing to end yet."""
    monkeypatch.setattr(warm, "Host", failing(errno.ENOSPC))
    with pytest.raises(CacheUnusableError, match="No space left"):
        build.build_project(Layout(tmp_path / "cache"), NODE, project, fingerprint="f")
    assert not list((tmp_path / "cache" / "build").glob("work-*"))


@pytest.mark.parametrize("where", ["work_folder", "tree"])
def test_a_document_in_batch_says_so_too(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(Store, where, failing(errno.EROFS))
    with pytest.raises(CacheUnusableError, match="Read-only"):
        run_document(Layout(tmp_path), NODE, project, "", fingerprint="f", timeout=1.0)


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), errors_explained(tmp_path):
        raise ValueError("mine")


def test_answers_and_results_do_without_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If they cannot be kept, they only cost time."""
    monkeypatch.setattr("bridge.lean.answers.write_atomically", failing(errno.ENOSPC))
    monkeypatch.setattr("bridge.checking.store.write_atomically", failing(errno.EACCES))
    answers, results = AnswerCache(tmp_path / "answers"), ResultCache(tmp_path / "results")
    answers.store("k", {"statements": ()}, {})
    results.store("k", CheckResult(Verdict.HOLDS, "", 1, 1))
    assert answers.load("k", tmp_path) is None
    assert results.load("k") is None


def test_a_report_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """Accepts some of the text, as a disk does before it is full."""

        def __init__(self, handle: int, *_: Any) -> None:
            self.handle = handle

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: Any) -> None:
            os.close(self.handle)

        def write(self, content: bytes) -> None:
            os.write(self.handle, content[:10])
            failing(errno.ENOSPC)()

    monkeypatch.setattr("bridge.storage.atomic.os.fdopen", Full)
    with pytest.raises(OSError, match="No space left"):
        publish(all_holds(), ("junit",), tmp_path)
    assert formats.FORMATS["junit"].file_name == "report.junit.xml"
    assert list(tmp_path.iterdir()) == []
