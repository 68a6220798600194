"""Where the cache is, including for a user unknown to the system."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path

import pytest

from bridge.errors import InvalidInputError
from bridge.storage.location import CACHE_VARIABLE, cache_folder
from embedded_lean.layout import default_layout


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No HOME, no entry in the password database; the value is the folder of temporary files."""

    def unknown(_uid: int) -> None:
        raise KeyError("uid not found")

    for name in ("HOME", "XDG_CACHE_HOME", CACHE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


def test_a_user_without_a_home_has_a_cache_of_their_own(homeless: Path) -> None:
    folder = cache_folder()
    assert folder.parent == homeless
    assert folder.stat().st_mode & 0o777 == 0o700
    assert default_layout().cache == folder


def test_a_folder_that_others_may_write_to_is_refused(homeless: Path) -> None:
    cache_folder().chmod(0o777)
    with pytest.raises(InvalidInputError, match="others may write") as raised:
        cache_folder()
    assert CACHE_VARIABLE in raised.value.remedy


def test_a_link_is_refused(homeless: Path) -> None:
    (homeless / f"lean-obligations-{os.getuid()}").symlink_to(homeless)
    with pytest.raises(InvalidInputError, match="belongs to another user"):
        cache_folder()


def test_the_variable_wins(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(homeless / "own"))
    assert cache_folder() == homeless / "own"
    monkeypatch.setenv(CACHE_VARIABLE, "~/own")  # which cannot be resolved
    assert cache_folder().parent == homeless
