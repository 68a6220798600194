"""One size: torch, JAX and this project in turns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import jax_block, ours, torch_block
from benchmarks.sizes import Size, cases, graph_of
from benchmarks.timing import dgemm_rate, interleaved, median_ratio

__all__ = ["measure"]


def measure(size: Size, budget: float, graphs: Path) -> dict[str, Any]:
    """All rows of one size.

    Args:
        budget: seconds for the rounds.
        graphs: where the exported graphs are kept.
    """
    graph = graph_of(size, graphs)
    # The first instance of all goes through the complex step, one in 4,096 in the long run: where
    # a run has few instances it would count too much.
    some = cases(size, graph, first=0 if size.seq_len == 4 else 1)
    count = sum(len(c) for c in some)
    inputs, constants = some[0].batch.inputs, some[0].batch.constants
    epsilons = float(constants["eps1"][0]), float(constants["eps2"][0])
    theirs = torch_block.block(size.heads, *epsilons)
    compiled = jax_block.block(size.heads, *epsilons)
    at_torch, at_jax = torch_block.tensors(inputs), jax_block.arrays(inputs)
    expected = some[0].run().output[0]
    for other in (theirs(*at_torch).detach().numpy(), np.asarray(compiled(*at_jax))):
        np.testing.assert_allclose(other, expected, rtol=1e-9, atol=1e-9)
    product, operations = dgemm_rate()
    drawn = ours.directions(some)
    tasks: dict[str, Callable[[], object]] = {
        "gradcheck": lambda: torch_block.gradcheck(theirs, at_torch),
        "full": lambda: ours.full(some),
        "check_grads": lambda: jax_block.check(compiled, at_jax),
        "screening": lambda: ours.screening(some),
        "along_each": lambda: ours.along_each(some),
        "audited": lambda: ours.audited(some),
        "dgemm": product,
        "runs": lambda: ours.runs(some, drawn),
    }
    seconds = interleaved(tasks, rounds=40, budget=budget)

    def against(tool: str, task: str) -> float:
        """How many times as long the tool took for its one instance."""
        return count * median_ratio(seconds[tool], seconds[task])

    rate = 5 * size.products * count / operations * median_ratio(seconds["dgemm"], seconds["runs"])
    per_instance = {
        name: float(np.median(s)) / (1 if name in ("gradcheck", "check_grads", "dgemm") else count)
        for name, s in seconds.items()
    }
    return {
        "size": size.name,
        "instances": count,
        "rounds": len(seconds["full"]),
        "seconds": per_instance,
        "dgemm_gflops": operations / per_instance["dgemm"] / 1e9,
        "ratios": {
            f"{task} vs {tool}": against(tool, task)
            for task in ("full", "audited", "screening", "along_each")
            for tool in ("gradcheck", "check_grads")
        },
        "share_of_dgemm": rate,
        "accepts_the_right_one": {
            "gradcheck": torch_block.gradcheck(theirs, at_torch),
            "check_grads": jax_block.check(compiled, at_jax),
            "ours": not any(m.count(2) or m.count(1) for m in ours.full(some)),  # type: ignore[arg-type]
        },
        "finds_the_wrong_gelu": {
            "gradcheck": not torch_block.gradcheck(
                torch_block.block(size.heads, *epsilons, wrong=True), at_torch
            ),
            "check_grads": not jax_block.check(
                jax_block.block(size.heads, *epsilons, wrong=True), at_jax
            ),
            "ours": ours.finds(ours.full(ours.with_wrong_gelu(some[:1]))),
        },
    }
