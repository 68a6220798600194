"""Runs all benchmarks on one core, prints a table, and writes it as Markdown and JSON.

python -m benchmarks [--output DIR] [--core N] [--seconds S] [--sizes 4,16,32,128]
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Pin this process, then import the modules that read the number of threads, then measure."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--core", type=int, default=0, help="the core to run on; default 0")
    parser.add_argument("--seconds", type=float, default=25.0, help="for each size; default 25")
    parser.add_argument("--sizes", default="4,16,32,128", help="by seq_len; default all four")
    chosen = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {chosen.core})

    from benchmarks.measure import measure
    from benchmarks.sizes import SIZES
    from benchmarks.table import machine, table

    wanted = {int(s) for s in chosen.sizes.split(",")}
    results = [
        measure(s, chosen.seconds, chosen.output / "graphs") for s in SIZES if s.seq_len in wanted
    ]
    where = machine()
    text = table(where, results)
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "results.md").write_text(text, encoding="utf-8")
    record = {"machine": where, "sizes": results}
    (chosen.output / "results.json").write_text(json.dumps(record, indent=2), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
