"""Every file that a check reads or queries is recorded."""

from __future__ import annotations

import ctypes
import importlib
import os
import py_compile
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bridge.storage import opened


def test_only_what_is_read_is_recorded(tmp_path: Path) -> None:
    written, read = tmp_path / "written", tmp_path / "read"
    read.write_text("1")
    outside = tmp_path / "outside"
    outside.write_text("1")
    outside.read_text()
    with opened.recording():
        written.write_text("1")
        read.read_text()
    assert str(read) in opened.digests()
    assert not {str(written), str(outside)} & set(opened.digests())


def _read_and_write(path: Path) -> None:
    with path.open("r+", encoding="utf-8") as file:
        file.read()


def _append_and_read(path: Path) -> None:
    with path.open("a+", encoding="utf-8") as file:
        file.seek(0)
        file.read()


def _mapped(path: Path) -> None:
    np.memmap(path, dtype=np.uint8)


def _database(path: Path) -> None:
    path.unlink()
    sqlite3.connect(path).close()


def _database_by_uri(path: Path) -> None:
    path.unlink()
    sqlite3.connect(f"{path.as_uri()}?mode=rwc", uri=True).close()


@pytest.mark.parametrize(
    "read", [_read_and_write, _append_and_read, _mapped, _database, _database_by_uri]
)
def test_a_file_that_is_opened_to_write_too_is_read(
    tmp_path: Path, read: Callable[[Path], None]
) -> None:
    data = tmp_path / "two words"
    data.write_text("1")
    with opened.recording():
        read(data)
    assert str(data) in opened.digests()


def test_a_lookup_of_a_missing_file_is_part_of_a_result(tmp_path: Path) -> None:
    late = tmp_path / "late"
    with opened.recording(), pytest.raises(FileNotFoundError):
        late.read_text()
    before = opened.digests()
    assert opened.unchanged(before)
    late.write_text("1")
    assert not opened.unchanged(before)


def test_a_module_that_is_imported_late_is_part_of_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "late_helper_of_results.py"
    source.write_text("FACTOR = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    py_compile.compile(str(source))  # Python then reads only the compiled form
    with opened.recording():
        importlib.import_module("late_helper_of_results")
    before = opened.digests()
    assert opened.unchanged(before)
    source.write_text("FACTOR = 2\n")
    assert not opened.unchanged(before)


def test_a_folder_that_was_listed_is_part_of_a_result(tmp_path: Path) -> None:
    with opened.recording():
        list(tmp_path.glob("*.npy"))
    before = opened.digests()
    assert opened.unchanged(before)
    (tmp_path / "more.npy").write_text("1")
    assert not opened.unchanged(before)


def _from_text(path: Path) -> None:
    np.loadtxt(path)


def _from_bytes(path: Path) -> None:
    np.fromfile(str(path), dtype=np.uint8)


def _loaded_array(path: Path) -> None:
    with pytest.raises(ValueError, match="pickle|magic"):
        np.load(path)


@pytest.mark.parametrize("read", [_from_text, _from_bytes, _loaded_array])
def test_files_that_numpy_reads_are_part_of_a_result(
    tmp_path: Path, read: Callable[[Path], None]
) -> None:
    data = tmp_path / "numbers"
    data.write_text("1 2 3")
    with opened.recording():
        read(data)
    assert str(data) in opened.digests()


ASKING: tuple[Callable[[Path], object], ...] = (
    Path.exists,
    Path.is_file,
    Path.stat,
    os.path.exists,
    os.path.getsize,
    os.path.getmtime,
    lambda path: os.stat(path),  # noqa: PTH116 - watched, too
    lambda path: os.access(path, os.R_OK),
    lambda path: os.path.exists(os.fspath(path)),  # noqa: PTH110
    lambda path: os.path.isfile(os.fsencode(path)),  # noqa: PTH113
)


@pytest.mark.parametrize("ask", ASKING)
def test_queries_about_a_file_are_part_of_a_result(
    tmp_path: Path, ask: Callable[[Path], object]
) -> None:
    data = tmp_path / "switch"
    data.write_text("1")
    with opened.recording():
        ask(data)
    before = opened.digests()
    assert opened.unchanged(before)
    data.write_text("more")
    assert not opened.unchanged(before)
    data.unlink()
    assert not opened.unchanged(before)


@pytest.mark.parametrize("ask", [Path.exists, Path.is_dir, os.path.lexists, os.path.islink])
def test_that_nothing_was_there_is_part_of_a_result(
    tmp_path: Path, ask: Callable[[Path], object]
) -> None:
    late = tmp_path / "late"
    with opened.recording():
        ask(late)
    before = opened.digests()
    assert opened.unchanged(before)
    late.write_text("1")
    assert not opened.unchanged(before)


def test_that_a_folder_is_there_does_not_depend_on_what_is_in_it(tmp_path: Path) -> None:
    with opened.recording():
        assert tmp_path.is_dir()
    before = opened.digests()
    (tmp_path / "a result").write_text("1")
    assert opened.unchanged(before)


def test_reads_outside_of_recording_are_not_recorded(tmp_path: Path) -> None:
    with opened.recording():
        pass
    assert (tmp_path / "outside").exists() is False
    assert f"?{tmp_path / 'outside'}" not in opened.digests()
    assert os.stat in os.supports_dir_fd


def test_a_foreign_library_that_a_check_loads_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "_of_checks", opened.Reads())
    with opened.recording():
        importlib.import_module("json.tool")
    assert not opened.left_python()
    with opened.recording():
        ctypes.CDLL(None)
    assert opened.left_python()


@pytest.mark.parametrize(
    ("line", "silent"),
    [
        ("import ctypes", True),
        ("    from safetensors.numpy import load_file", True),
        ("import os, h5py", True),
        ("import numpy as np, pyarrow.parquet as pq", True),
        ("m = importlib.import_module('cv2')", True),
        ('m = __import__( "polars" )', True),
        ("import numpy as np", False),
        ("# import ctypes", False),
        ("from .ctypes_like import x", False),
        ("import tablesaw", False),
    ],
)
def test_code_that_may_read_without_python_is_known(line: str, silent: bool) -> None:
    assert opened.reads_silently(f"import math\n{line}\n".encode()) is silent


@pytest.mark.parametrize("read", [os.environ.get, os.getenv, os.environ.__getitem__])
def test_a_variable_that_was_read_is_part_of_a_result(
    read: Callable[[str], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTOR_OF_RESULTS", "1")
    with opened.recording():
        read("FACTOR_OF_RESULTS")
    before = opened.digests()
    assert opened.unchanged(before)
    monkeypatch.setenv("FACTOR_OF_RESULTS", "2")
    assert not opened.unchanged(before)


def test_a_process_that_was_started_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "_of_checks", opened.Reads())
    subprocess.run([sys.executable, "-c", ""], check=True)
    assert not opened.left_python()
    with opened.recording():
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert opened.left_python()


def test_only_the_folders_of_python_are_left_out() -> None:
    assert "/development/data.csv".startswith("/dev")
    assert not "/development/data.csv".startswith(opened._APART)
    assert sys.prefix not in {folder.rstrip("/") for folder in opened._APART}
