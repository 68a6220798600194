"""Each misbehaving server in a whole audit: a clear error and never a verdict."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Harness
from tests.cli.faults import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.mode)
def test_fault(harness: Harness, fault: Fault) -> None:
    harness.behaves(mode=fault.mode)
    timeout = "1" if "hangs" in fault.mode else "60"
    only = ("--only", "layerNorm_eval", "--instances", "20")
    result = harness.run("audit", *only, "--timeout", timeout, "--no-trust")
    assert result.exit_code == fault.code, result.output
    assert fault.said in " ".join(result.output.split())
    if fault.code:
        assert "holds" not in result.stdout
        assert "→" in result.stderr
