"""The real library, compiled and asked through the real engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from filelock import FileLock

from bridge import engine
from bridge.auditing.audit import library_for_audit
from bridge.engine import Engine
from bridge.lean.library import Library, build
from bridge.lean.project import Project, find_project

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def lean() -> Engine:
    """The installed engine; the embedded one is installed if there is none."""
    return engine.select("auto", project=ROOT)


Once = Callable[[str], AbstractContextManager[object]]
"""Enters when no other process of this run of tests is inside under the same name."""


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Lean is asked once per test run, not once per process: the first process asks, the others
    wait and take the answer from the cache."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    return lambda name: FileLock(folder / f"{name}.lock")


@pytest.fixture(scope="session")
def library(lean: Engine, once: Once) -> Library:
    """This repository's library; Lean's answer about exactly these sources is reused."""
    with once("library"):
        return library_for_audit(find_project(ROOT), lean)


@pytest.fixture(scope="session")
def compiled(lean: Engine) -> Project:
    """This repository's Lean project, compiled."""
    found = find_project(ROOT)
    assert build(found, lean).ok
    return found


def write_project(folder: Path, source: str) -> Project:
    """A project of one file, with our attributes next to it; its name has a space and an é."""
    root = folder / "un projet é"
    (root / "lean" / "Demo").mkdir(parents=True)
    shutil.copytree(ROOT / "lean" / "Obligations", root / "lean" / "Obligations")
    shutil.copy(ROOT / "lean" / "Obligations.lean", root / "lean")
    shutil.copy(ROOT / "lean-toolchain", root)
    (root / "lakefile.lean").write_text(
        "import Lake\nopen Lake DSL\n\npackage demo\n\n"
        'lean_lib Obligations where\n  srcDir := "lean"\n\n'
        'lean_lib Demo where\n  srcDir := "lean"\n',
        encoding="utf-8",
    )
    (root / "lean" / "Demo.lean").write_text("import Demo.Basic\n", encoding="utf-8")
    (root / "lean" / "Demo" / "Basic.lean").write_text(source, encoding="utf-8")
    return find_project(root)


@pytest.fixture
def project_of(tmp_path: Path) -> Callable[[str], Project]:
    """Makes a project of one file."""
    return lambda source: write_project(tmp_path, source)
