"""The notebook, executed unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"


def read() -> Any:
    import nbformat

    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_kept_without_outputs_and_without_paths() -> None:
    for cell in read().cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert "/home/" not in cell.source


@pytest.mark.lean
@pytest.mark.filterwarnings(
    "ignore:.*:DeprecationWarning:zmq", "ignore:.*:DeprecationWarning:jupyter_client"
)
def test_it_runs_and_shows_its_results() -> None:
    from nbclient import NotebookClient

    notebook = read()
    NotebookClient(
        notebook, timeout=2400, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    ).execute()
    shown = [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type != "stream" or output.name == "stdout"
    ]
    pictures = sum("image/png" in o.get("data", {}) for o in shown)
    assert pictures == 4
    text = "".join(o.get("text", "") for o in shown)
    assert "hVarEpsPos: ∀" in text
    assert text.count("fails") == 5
    tables = [o["data"]["text/html"] for o in shown if "text/html" in o.get("data", {})]
    assert any("holds" in t for t in tables)
