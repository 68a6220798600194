"""How Lean is started: what it may see, and what its errors mean."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from embedded_lean.layout import Layout
from embedded_lean.node import Node, find_node
from embedded_lean.runtime import (
    broke_in,
    explain_end,
    fatal_text,
    is_chatter,
    lean_invocation,
    permission_flags,
)


def test_an_invocation_names_every_folder_by_its_real_path(tmp_path: Path) -> None:
    real = tmp_path / "real"
    (real / "engine").mkdir(parents=True)
    (tmp_path / "cache").symlink_to(real)
    layout = Layout(tmp_path / "cache")
    project, tree = tmp_path / "Projekt ∀", tmp_path / "tree"
    found = lean_invocation(
        layout, Node(Path("/bin/node"), "24.1.0"), project=project, tree=tree, arguments=("--x",)
    )
    assert found.env["LEAN_PATH"] == "/engine/library:/engine/build"
    assert found.env["LEAN_ENGINE_HOME"] == str(real / "engine" / layout.home.name)
    assert json.loads(found.env["LEAN_ENGINE_MOUNTS"])[2] == [str(project), str(project)]
    assert json.loads(found.env["LEAN_ENGINE_OUTPUT"]) is None
    assert set(found.env) - {"LEAN_PATH"} == {
        f"LEAN_ENGINE_{n}"
        for n in [
            "HOME",
            "ROOTS",
            "MOUNTS",
            "OUTPUT",
            "FOLDER",
            "POOL",
            "ASKED",
            "PARENT",
        ]
    }
    assert found.command[0] == "/bin/node"
    assert found.command[1] == "--permission"
    assert found.command[-1] == "--x"
    assert not any("fs-write" in flag for flag in found.command)


@pytest.mark.parametrize(
    ("version", "switch"),
    [
        ("20.0.0", None),
        ("20.6.1", None),
        ("20.7.0", "--experimental-permission"),
        ("22.12.0", "--experimental-permission"),
        ("23.5.0", "--permission"),
        ("24.19.0", "--permission"),
    ],
)
def test_permissions_by_release(version: str, switch: str | None) -> None:
    flags = permission_flags(Node(Path("node"), version), [Path("/a")], None)
    assert (flags[0] if flags else None) == switch


def test_folders_inside_others_are_left_out() -> None:
    readable = [Path("/a/b"), Path("/a"), Path("/b"), Path("/c")]
    flags = permission_flags(Node(Path("node"), "24.0.0"), readable, Path("/a/out"))
    reading = [f for f in flags if "fs-read" in f]
    assert reading == [f"--allow-fs-read={p}/*" for p in ("/a", "/b", "/c")]
    assert "--allow-fs-write=/a/out/*" in flags


def test_a_folder_next_to_one_whose_name_begins_alike_can_be_read(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("project", "project-cache/build", "project-cache/home")]
    for folder in folders:
        folder.mkdir(parents=True)
    script = tmp_path / "script" / "read.cjs"
    script.parent.mkdir()
    script.write_text("process.argv.slice(2).forEach((f) => require('fs').readdirSync(f));")
    found = find_node()
    flags = permission_flags(found, [script.parent, *folders], None)
    command = [found.path, *flags, script, *folders]
    subprocess.run(command, check=True, timeout=60)
    outside = tmp_path / "other"
    outside.mkdir()
    assert subprocess.run([*command, outside], check=False, timeout=60).returncode != 0


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (
            ["INTERNAL PANIC: out of memory"],
            "it ran out of memory (the limit is 2 GB), exit code 1",
        ),
        (["RuntimeError: memory access out of bounds"], "it reached outside its memory"),
        (["Maximum call stack size exceeded"], "its stack overflowed"),
        (["worker sent an error! undefined"], "one of its threads crashed"),
        (["something else"], "exit code 1: something else"),
        ([], "exit code 1"),
    ],
)
def test_ends_are_explained(words: list[str], finding: str) -> None:
    assert explain_end("exit code 1", words).startswith(finding)


@pytest.mark.parametrize(
    ("complained", "expected"),
    [
        ("[DEBUG]\n@fatal operation does not support unaligned accesses  \n", True),
        ("@fatal memory access out of bounds\n", True),
        ("@fatal Maximum call stack size exceeded\n", False),
        ("memory access out of bounds\n", False),  # printed by the source
        ("", False),
    ],
)
def test_whether_its_own_code_broke(complained: str, expected: bool) -> None:
    assert broke_in(complained) is expected


def test_lines_of_the_loader() -> None:
    assert fatal_text("@fatal no such file\n") == "no such file"
    assert fatal_text("no such file") is None
    for line in ("[DEBUG:I] x", "", '@asked "/x"', "  - /engine/library/A.olean"):
        assert is_chatter(line)
    assert not is_chatter("INTERNAL PANIC: out of memory")
