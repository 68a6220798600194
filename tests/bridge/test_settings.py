"""Settings and waivers: anything not understood is refused."""

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
        ("only = 'a'", "expected an array but got only = 'a'", ""),
        ("only = ['a', 3]", r"expected text but got only\[1\] = 3", ""),
        ("strict = 1", "expected true or false or null but got strict = 1", ""),
        ("timeout = 0.5", "expected a number of at least 1.0 but got timeout = 0.5", ""),
        ("timeout = nan", "expected a number of at least 1.0 but got timeout = nan", ""),
        ("timeout = inf", "expected a number of at most 1000000000.0", ""),
        ("engine = 'llake'", "expected 'auto' or .* 'lake'.* but got engine = 'llake'", ""),
        ("backend = 'jaxx'", "expected 'numpy' or 'jax' or 'torch' .*but got backend = 'jaxx'", ""),
        ("backend = 1", "expected text or null but got backend = 1", ""),
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
    ("text", "said"),
    [
        ('[[waiver]]\nkey = "t:h"\n', r"the field 'reason' is missing in waiver\[0\]"),
        ('[[waiver]]\nkey = "t:h"\nreason = " "\n', r"expected a reason, in waiver\[0\] = {"),
        ('[[waiver]]\nkey = "t:h"\nreason = 3\n', r"expected text but got waiver\[0\].reason = 3"),
        ('[[waiver]]\nkey = "t:h"\nreason = "a"\nextra = 1\n', "'extra' is not known"),
        (2 * '[[waiver]]\nkey = "t:h"\nreason = "a"\n', "'t:h' is waived twice"),
        ('[[waver]]\nkey = "t:h"\nreason = "a"\n', "'waver' is not known"),
        ('waiver = "t:h"', "expected an array but got waiver = 't:h'"),
        ("[[", "is not TOML"),
    ],
)
def test_bad_waivers_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "waivers.toml").write_text(text)
    with pytest.raises(InvalidInputError, match=rf"waivers\.toml.*{said}"):
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
