"""How often a check rejects a right graph: `python -m benchmarks.false_alarms`.

Every check of a conclusion and of fidelity runs on Lean's own graphs, on the families of the
intended use, most of them hard: badly scaled rows, large offsets, constant rows, one channel,
saturated softmax, tiny ε.  Lean proved what they check, so every failure is a false alarm.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bridge.auditing.configured import set_up
from bridge.auditing.judge import hypothesis_keys
from bridge.checking import GraphRequest, registered, run_check
from bridge.verdict import Role
from numeric.graph import parse_graph

__all__: list[str] = []


def main() -> None:
    """Print a line for each check and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=400, help="for each check")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--graph", help="only checks of this exported graph")
    chosen = parser.parse_args()
    library = set_up(Path()).library()
    graphs = {
        GraphRequest(r.name, r.sizes): parse_graph(g) for r, g in library.graphs.members.items()
    }
    checks = registered()
    judged = failed = undecided = hard = 0
    for obligation in library.obligations:
        check = checks.get(obligation.key)
        if check is None or obligation.role is Role.HYPOTHESIS:
            continue
        if chosen.graph not in (None, check.graph):
            continue
        siblings = [checks[k] for k in hypothesis_keys(library, obligation) if k in checks]
        result = run_check(
            check,
            siblings,
            graphs,
            key=obligation.key,
            seed=chosen.seed,
            instances=chosen.instances,
        )
        counted = [f for f in result.families if f.role != "refuting"]
        bad = sum(f.failed for f in counted)
        open_ = sum(f.undecided for f in counted)
        judged, failed, undecided = judged + result.accepted, failed + bad, undecided + open_
        hard += sum(f.accepted for f in counted if f.family not in ("generic", "tall"))
        print(
            f"{result.accepted:6} {bad:4} {open_:4}  {result.verdict}  {obligation.key}", flush=True
        )
    print(f"{judged} instances judged, {hard} of them hard: {failed} false alarms, "
          f"{undecided} undecided")  # fmt: skip


if __name__ == "__main__":
    main()
