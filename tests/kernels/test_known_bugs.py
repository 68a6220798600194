"""Versions of Lean, and the proofs of False that their kernels take."""

from __future__ import annotations

import pytest

from bridge.kernels.known_bugs import KNOWN_BUGS, known_bugs


@pytest.mark.parametrize("version", ["4.34.0", "4.33.1", "4.35.0", "4.36.2", "5.0.0", "v4.34.0"])
def test_nothing_is_known(version: str) -> None:
    assert known_bugs(version) == ""


@pytest.mark.parametrize(
    ("version", "pulls"),
    [
        ("4.28.0", {14498, 14577, 14613, 14616, 14806, 14807, 14838}),
        ("4.28.0-pre", {14498, 14577, 14613, 14616, 14806, 14807, 14838}),
        ("4.32.1", {14577, 14613, 14616, 14806, 14807, 14838}),
        ("4.32.2", {14613, 14616, 14806, 14807, 14838}),
        ("4.33.0", {14806, 14807, 14838}),
        ("4.34.0-rc1", {14806, 14807, 14838}),
    ],
)
def test_what_is_known(version: str, pulls: set[int]) -> None:
    said = known_bugs(version)
    assert {bug.pull for bug in KNOWN_BUGS if f"#{bug.pull}" in said} == pulls


def test_a_version_that_cannot_be_read_is_not_trusted() -> None:
    assert known_bugs("nightly")
