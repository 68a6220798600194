"""One size: torch, JAX and this project alternately."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import jax_block, ours, torch_block
from benchmarks.sizes import Size, cases, graph_of
from benchmarks.timing import dgemm_rate, interleaved, median_ratio
from bridge.checks.measures import COMPARED, LARGE_BYTES
from numeric.backends import BACKENDS, backend_named
from numeric.interpret.chunks import saved_bytes

__all__ = ["measure"]


def measure(size: Size, budget: float, graphs: Path) -> dict[str, Any]:
    """All rows of one size.

    Args:
        budget: seconds for the rounds.
        graphs: where the exported graphs are kept.
    """
    graph = graph_of(size, graphs)
    # The very first instance goes through the complex step, one in 4,096 in the long run: in a run
    # with few instances it would count too much.
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
    backends = {name: backend_named(name) for name in BACKENDS}
    large = saved_bytes(graph) > LARGE_BYTES
    compared = cases(size, graph, first=COMPARED, step=COMPARED) if large else some
    product, operations = dgemm_rate()
    drawn = ours.directions(some)
    tasks: dict[str, Callable[[], object]] = {
        "gradcheck": lambda: torch_block.gradcheck(theirs, at_torch),
        "check_grads": lambda: jax_block.check(compiled, at_jax),
        "dgemm": product,
    }
    for name, backend in backends.items():
        here, there = ours.on(some, backend), ours.on(compared, backend)
        tasks[f"full, {name}"] = partial(ours.full, here)
        tasks[f"screening, {name}"] = partial(ours.screening, here)
        tasks[f"along_each, {name}"] = partial(ours.along_each, here)
        tasks[f"audited, {name}"] = partial(ours.audited, there)
        tasks[f"runs, {name}"] = partial(ours.runs, here, drawn)
    seconds = {name: np.array(s) for name, s in interleaved(tasks, 40, budget).items()}
    each = {
        name: s / (1 if name in ("gradcheck", "check_grads", "dgemm") else count)
        for name, s in seconds.items()
    }
    if large:  # every one of these is compared with the closed form, as is one in COMPARED
        for name in backends:
            rest = (COMPARED - 1) * each[f"full, {name}"]
            each[f"audited, {name}"] = (each[f"audited, {name}"] + rest) / COMPARED
    wrong = ours.with_wrong_gelu(some[:1])
    return {
        "size": size.name,
        "instances": count,
        "rounds": len(seconds["dgemm"]),
        "seconds": {name: float(np.median(s)) for name, s in each.items()},
        "dgemm_gflops": operations / float(np.median(each["dgemm"])) / 1e9,
        "ratios": {
            f"{task}, {name} vs {tool}": median_ratio(each[tool], each[f"{task}, {name}"])
            for task in ("full", "audited", "screening", "along_each")
            for tool in ("gradcheck", "check_grads")
            for name in backends
        },
        "share_of_dgemm": {
            name: 5
            * size.products
            / operations
            * median_ratio(each["dgemm"], each[f"runs, {name}"])
            for name in backends
        },
        "backends": {
            name: f"numpy {np.__version__}" if backend is None else backend.describe()
            for name, backend in backends.items()
        },
        "accepts_the_right_one": {
            "gradcheck": torch_block.gradcheck(theirs, at_torch),
            "check_grads": jax_block.check(compiled, at_jax),
            **{
                name: not any(m.count(2) or m.count(1) for m in ours.full(ours.on(some, backend)))  # type: ignore[arg-type]
                for name, backend in backends.items()
            },
        },
        "finds_the_wrong_gelu": {
            "gradcheck": not torch_block.gradcheck(
                torch_block.block(size.heads, *epsilons, wrong=True), at_torch
            ),
            "check_grads": not jax_block.check(
                jax_block.block(size.heads, *epsilons, wrong=True), at_jax
            ),
            **{
                name: ours.finds(ours.full(ours.on(wrong, backend)))
                for name, backend in backends.items()
            },
        },
    }
