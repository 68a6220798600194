"""Archives that must not be unpacked, and invalid compiled modules."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from bridge.engine.errors import PatchError, UnpackError
from embedded_lean.oleans import clear_module_flag, tree_hash, write_library
from embedded_lean.unpack import regular_members

OLEAN = b"olean\2" + b"x" * 20


def archive(*members: tuple[str, bytes | tarfile.TarInfo]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                tar.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def special(kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, target
    return info


def names(buffer: io.BytesIO) -> list[str]:
    return [str(path) for path, content in regular_members(buffer, "test.tgz") if content.read()]


def test_plain_members_come_in_order() -> None:
    members = archive(
        ("./b", b"1"), ("./", special(tarfile.DIRTYPE)), ("./._b", b"2"), ("a/c", b"3")
    )
    assert names(members) == ["b", "a/c"]


@pytest.mark.parametrize(
    ("name", "content", "finding"),
    [
        ("/etc/passwd", b"x", "is called '/etc/passwd'"),
        ("../up", b"x", "is called '../up'"),
        ("a/../../up", b"x", "is called"),
        ("a\\..\\b", b"x", "is called"),
        ("link", special(tarfile.SYMTYPE, "/etc/passwd"), "neither a file nor a folder"),
        ("hard", special(tarfile.LNKTYPE, "b"), "neither a file nor a folder"),
        ("device", special(tarfile.CHRTYPE), "neither a file nor a folder"),
        ("pipe", special(tarfile.FIFOTYPE), "neither a file nor a folder"),
    ],
)
def test_members_that_are_refused(
    name: str, content: bytes | tarfile.TarInfo, finding: str
) -> None:
    with pytest.raises(UnpackError, match=finding):
        names(archive(("b", b"1"), (name, content)))


@pytest.mark.parametrize("keep", [0, 10, 60])
def test_a_damaged_archive_is_refused(keep: int) -> None:
    whole = archive(("a", b"1" * 5000)).getvalue()
    with pytest.raises(UnpackError, match="damaged"):
        names(io.BytesIO(whole[:keep]))


def test_the_library_is_written_without_flags_and_unused_modules(tmp_path: Path) -> None:
    members = archive(
        ("./Init.olean", OLEAN + b"\1\0\0\0"),
        ("./Init/Core.olean", OLEAN + b"\0\0\0\0"),
        ("./Lake/Build.olean", OLEAN + b"\1\0\0\0"),
        ("./Lake.olean", OLEAN + b"\1\0\0\0"),
    )
    count = write_library(members, tmp_path)
    assert (count.modules, count.flagged) == (2, 1)
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.olean")}
    assert written == {"Init.olean", "Init/Core.olean"}
    assert (tmp_path / "Init.olean").read_bytes() == OLEAN + b"\0\0\0\0"


def test_only_compiled_modules_are_in_the_library(tmp_path: Path) -> None:
    with pytest.raises(UnpackError, match=r"Init/run\.sh is not a compiled module"):
        write_library(archive(("Init/run.sh", b"#!")), tmp_path)


@pytest.mark.parametrize(
    ("data", "finding"), [(b"\x7fELF", "starts with"), (OLEAN + b"\2\0\0\0", "module flag is 02")]
)
def test_files_that_are_not_compiled_modules(data: bytes, finding: str) -> None:
    with pytest.raises(PatchError, match=finding):
        clear_module_flag(data, "A.olean")


def test_the_hash_of_a_tree_sees_names_and_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c").write_bytes(b"2")
    first = tree_hash(tmp_path)
    assert first == tree_hash(tmp_path)
    (tmp_path / "b/c").rename(tmp_path / "b/d")
    renamed = tree_hash(tmp_path)
    (tmp_path / "b/d").write_bytes(b"3")
    assert len({first, renamed, tree_hash(tmp_path)}) == 3
