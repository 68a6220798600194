"""The results as Markdown."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["TARGETS", "machine", "table"]

SMALLEST, LARGEST = "(4, 8, 2, 16)", "(128, 768, 12, 3072)"
TARGETS = {
    **{
        (f"({s})", "audited vs check_grads"): 1.5
        for s in ("4, 8, 2, 16", "16, 32, 4, 64", "32, 128, 4, 512", "128, 768, 12, 3072")
    },
    (SMALLEST, "full vs gradcheck"): 300.0,
    (SMALLEST, "full vs check_grads"): 150.0,
    (LARGEST, "screening vs gradcheck"): 5.0,
    (LARGEST, "screening vs check_grads"): 3.0,
    (LARGEST, "along_each vs gradcheck"): 2.0,
    (LARGEST, "share"): 0.75,
    ("(32, 128, 4, 512)", "share"): 0.35,
    ("(16, 32, 4, 64)", "share"): 0.15,
    (SMALLEST, "share"): 0.04,
}
"""Targets for the best backend, by size and row."""
ROWS = {
    "full": "full check",
    "audited": "as audited (full check + closed form)",
    "screening": "screening",
    "along_each": "one exact direction per input",
}
TOOLS = {"gradcheck": "torch gradcheck, fast", "check_grads": "JAX check_grads, jitted"}


def machine() -> dict[str, str]:
    """The hardware and versions of the run."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((x.split(": ")[1] for x in lines if x.startswith("model name")), model)
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index]
    return {
        "processor": f"{model}, one core",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": f"{np.__version__} ({blas['name']} {blas['version']})",
        "torch": version("torch"),
        "jax": version("jax"),
    }


def table(where: dict[str, str], results: Sequence[dict[str, Any]]) -> str:
    """Ratios per instance, one column for each size; a target follows the number it applies to."""
    names = [r["size"] for r in results]
    rows = [
        "float64 everywhere. " + "; ".join(f"{k}: {v}" for k, v in where.items()) + ".  "
        "Backends: " + ", ".join(results[0]["backends"].values()) + ".",
        "",
        f"| (seq_len, d_model, heads, d_ff) | {' | '.join(names)} |",
        "| --- |" + " ---: |" * len(names),
    ]

    def add(title: str, cells: Sequence[str]) -> None:
        rows.append(f"| {title} | {' | '.join(cells)} |")

    backends = list(results[0]["backends"])
    for task, title in ROWS.items():
        for tool, tool_title in TOOLS.items():
            found = [{n: r["ratios"][f"{task}, {n} vs {tool}"] for n in backends} for r in results]
            for name in backends:
                cells = [
                    _cell(r["size"], f"{task} vs {tool}", name, f, "×")
                    for r, f in zip(results, found, strict=True)
                ]
                add(f"{title}, {name}, against {tool_title}", cells)
    for name in backends:
        shares = [_cell(r["size"], "share", name, r["share_of_dgemm"], "") for r in results]
        add(f"forward + JVP + VJP, {name}, share of dgemm", shares)
    add("dgemm, Gflop/s", [f"{r['dgemm_gflops']:.1f}" for r in results])
    ours = {
        f"{task}, {n}": f"{title}, {n}"
        for task, title in {**ROWS, "runs": "forward + JVP + VJP"}.items()
        for n in backends
    }
    for task, title in {**TOOLS, **ours}.items():
        add(f"{title}, time per instance", [_time(r["seconds"][task]) for r in results])
    for key, title in (
        ("accepts_the_right_one", "accepts the right block"),
        ("finds_the_wrong_gelu", "finds a GELU derivative that is 1e-3 too large"),
    ):
        for tool, tool_title in {**TOOLS, **{n: f"full check, {n}," for n in backends}}.items():
            add(f"{tool_title} {title}", ["yes" if r[key][tool] else "**no**" for r in results])
    return "\n".join(rows) + "\n"


def _cell(size: str, row: str, backend: str, values: Mapping[str, float], unit: str) -> str:
    """A backend's number; the best one's with the target, if the row has one."""
    value = values[backend]
    shown = f"{value:.3f}" if not unit else f"{value:.3g}{unit}"
    target = TARGETS.get((size, row))
    if target is None or value < max(values.values()):
        return shown
    return f"{shown} (target {target:g}{unit}{'' if value >= target else ', **missed**'})"


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1 or unit == "µs":
            return f"{seconds * scale:.3g} {unit}"
    raise AssertionError
