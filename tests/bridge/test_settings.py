"""Settings and waivers: what is not understood is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import InvalidInputError
from bridge.policy.settings import Settings, read_settings
from bridge.policy.waivers import read_waivers, refuse_unneeded


def test_no_file_means_no_settings(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings()


@pytest.mark.parametrize(
    ("name", "table"),
    [("obligations.toml", ""), ("pyproject.toml", "[tool.obligations]\n")],
)
def test_both_places_work(tmp_path: Path, name: str, table: str) -> None:
    (tmp_path / name).write_text(table + 'seed = 7\nonly = ["a:*"]\n')
    assert read_settings(tmp_path) == Settings(seed=7, only=("a:*",))


def test_two_places_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "obligations.toml").write_text("seed = 1")
    (tmp_path / "pyproject.toml").write_text("[tool.obligations]\nseed = 2")
    with pytest.raises(InvalidInputError, match="both"):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("line", "message", "remedy"),
    [
        ("instnces = 3", "instnces", "did you mean instances?"),
        ("zzz = 3", "zzz", "there are engine"),
        ("seed = 'x'", "seed = 'x'", ""),
        ("seed = true", "seed = True", ""),
        ("seed = -1", "at least 0", ""),
        ("instances = 0", "at least 1", ""),
        ("timeout = nan", "at least 1", ""),
        ("timeout = inf", "at least 1", ""),
        ("only = 'a'", "list of text", ""),
        ("engine = 'llake'", "'lake'", ""),
        ("seed = ", "not TOML", ""),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, line: str, message: str, remedy: str) -> None:
    (tmp_path / "obligations.toml").write_text(line)
    with pytest.raises(InvalidInputError, match=message) as e:
        read_settings(tmp_path)
    assert remedy in e.value.remedy


def test_waivers(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    assert read_waivers(path) == {}
    path.write_text('[[waiver]]\nkey = "t:h"\nreason = "because"\n')
    assert read_waivers(path) == {"t:h": "because"}


@pytest.mark.parametrize(
    "text",
    [
        '[[waiver]]\nkey = "t:h"\n',
        '[[waiver]]\nkey = "t:h"\nreason = " "\n',
        '[[waiver]]\nkey = "t:h"\nreason = 3\n',
        '[[waiver]]\nkey = "t:h"\nreason = "a"\nextra = 1\n',
        '[[waiver]]\nkey = "t:h"\nreason = "a"\n[[waiver]]\nkey = "t:h"\nreason = "b"\n',
        '[[waver]]\nkey = "t:h"\nreason = "a"\n',
        'waiver = "t:h"',
        "[[",
    ],
)
def test_bad_waivers_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "waivers.toml").write_text(text)
    with pytest.raises(InvalidInputError, match="waivers.toml"):
        read_waivers(tmp_path / "waivers.toml")


def test_a_waiver_must_be_needed() -> None:
    refuse_unneeded({"a": "r"}, ["a", "b"], ["b"])
    with pytest.raises(InvalidInputError, match="no obligation is called 'c'"):
        refuse_unneeded({"c": "r"}, ["a", "b"], [])
    with pytest.raises(InvalidInputError, match="has a check"):
        refuse_unneeded({"b": "r"}, ["a", "b"], ["b"])


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "obligations.toml").write_text("seed = 7\n", encoding="utf-8-sig")
    (tmp_path / "waivers.toml").write_text(
        '[[waiver]]\nkey = "t:h"\nreason = "see"\n', encoding="utf-8-sig"
    )
    assert read_settings(tmp_path) == Settings(seed=7)
    assert read_waivers(tmp_path / "waivers.toml") == {"t:h": "see"}
