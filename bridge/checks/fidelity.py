"""Checks that each exported graph computes its closed form.

The closed forms are `closed_forms.catalogue`; the measure is `judge.fidelity.fidelity`.
"""

from __future__ import annotations

from functools import partial

from bridge.checking.registry import check
from numeric.closed_forms.catalogue import CLOSED_FORMS
from numeric.instances.case import Case
from numeric.judge.fidelity import fidelity, torch_remark
from numeric.judge.measurement import Measurement
from numeric.mutants.planted import PLANTED


def graph_is_its_closed_form(case: Case) -> Measurement:
    """Lean's graph and the closed form agree in every saved tensor that both have, in the JVP along
    random tangents of all inputs, and in the VJP of a random cotangent: entry by entry, by rules A
    and B, with Σ|terms| from running magnitudes.

    Where PyTorch is installed and has such a layer, its value and its gradients in every input
    must agree too.  What fails is named by the first saved tensor that differs.
    """
    return fidelity(case)


for _graph, _form in CLOSED_FORMS.items():
    check(
        f"{_graph}:fidelity",
        graph=_graph,
        sizes=_form.sizes,
        rejects=[p.mutant for p in PLANTED[_graph]],
        remark=partial(torch_remark, _graph),
    )(graph_is_its_closed_form)
