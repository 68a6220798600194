"""`--jobs` and `--scheduler` from a user's view."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Harness


@pytest.mark.parametrize("address", ["nonsense", "http://x", "tcp://127.0.0.1:9"])
def test_a_missing_scheduler_is_reported_before_lean_is_asked(
    harness: Harness, address: str
) -> None:
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    harness.behaves(mode="dies-at-start")
    result = harness.run("audit", "--scheduler", address)
    assert result.exit_code == 2
    assert address in " ".join(result.stderr.split())
    assert "such as tcp://host:8786" in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_the_report_is_the_same_however_the_work_is_spread(harness: Harness) -> None:
    audit = ("audit", "--no-cache", "--only", "layerNorm_eval", "--format", "json")
    one = harness.run(*audit)
    two = harness.run(*audit, "--jobs", "2")
    assert json.loads(one.stdout)["obligations"][0]["verdict"] == "holds"
    assert two.stdout_bytes == one.stdout_bytes
