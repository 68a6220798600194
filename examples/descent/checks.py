"""Numeric checks for the theorem in ``lean/Descent/Step.lean``."""

from __future__ import annotations

import numpy as np

from bridge.checks import check
from numeric.case import Case
from numeric.families import Region, define_family
from numeric.identities import value_matches
from numeric.measurement import Measurement, Outcome, combine
from numeric.mutants import Edit, GraphMutant

GRAPH = "decrease"
U = 2.0**-53


def rates(low: float, high: float):
    """Draws a rate as a multiple of 1 / x², from ``low`` to ``high``."""

    def draw(stream, inputs):
        return stream.uniform((), low, high) / (inputs["x"] * inputs["x"])

    return {"eta": draw}


define_family("small rates", "η from 0 to 1/x²", graphs=[GRAPH], constants=rates(1e-9, 0.999))
define_family(
    "tiny rates", "η below a millionth of 1/x²", graphs=[GRAPH], constants=rates(1e-12, 1e-6)
)
define_family(
    "rates about the limit",
    "η from 0.9/x² to 1.1/x²",
    graphs=[GRAPH],
    region=Region.EDGE,
    constants=rates(0.9, 1.1),
)
define_family(
    "negative rates",
    "η < 0: the step goes uphill",
    graphs=[GRAPH],
    region=Region.REFUTING,
    constants=rates(-1.0, -1e-3),
)
define_family(
    "large rates",
    "η above 1/x²: the step overshoots",
    graphs=[GRAPH],
    region=Region.REFUTING,
    constants=rates(1.001, 3.0),
)


def below(part: str, value: np.ndarray, limit: np.ndarray, rounding: np.ndarray) -> Measurement:
    """``value ≤ limit``, undecided where they are closer than ``rounding``."""
    gap = value - limit
    outcome = np.where(gap > rounding, Outcome.FAILS, Outcome.UNDECIDED)
    outcome = np.where(gap <= -rounding, Outcome.HOLDS, outcome).astype(np.int8)
    nothing = np.zeros(len(gap))
    return Measurement(
        gap, nothing, outcome, nothing.astype(np.int64), (part,), "it is closer than rounding"
    )


@check("decrease_nonneg:hRatePos", graph=GRAPH, sizes=(), refuted_by=["negative rates"])
def rate_is_positive(case: Case) -> Measurement:
    """0 < η, exactly."""
    eta = case.batch.constants["eta"]
    return below("0 < eta", -eta, np.zeros(len(eta)), np.full(len(eta), 5e-324))


@check("decrease_nonneg:hRateSmall", graph=GRAPH, sizes=(), refuted_by=["large rates"])
def rate_is_small(case: Case) -> Measurement:
    """η·x² ≤ 1; the product is rounded twice, so that the last 4 units are undecided."""
    eta, x = case.batch.constants["eta"], case.batch.inputs["x"]
    return below("eta x² ≤ 1", eta * (x * x), np.ones(len(x)), np.full(len(x), 4 * U))


@check(
    "decrease_nonneg:conclusion",
    graph=GRAPH,
    sizes=(),
    rejects=[
        GraphMutant("the step goes uphill", (Edit("step", op="add"),)),
        GraphMutant("half of the gradient", (Edit("scale1", args=("mul2",)),)),
        GraphMutant("the residual is w·x + y", (Edit("residual", op="add"),)),
    ],
)
def loss_decreases(case: Case) -> Measurement:
    """The decrease is 4t(1 − t)r² with t = η·x² and r = w·x − y, by rules A and B; and it is not
    negative, up to 1e-13 of its running error bound."""

    def formula(at: Case) -> np.ndarray:
        i, eta = at.batch.inputs, at.batch.constants["eta"]
        t, r = eta * i["x"] * i["x"], i["w"] * i["x"] - i["y"]
        return 4 * t * (1 - t) * r * r

    trace = case.run()
    terms = case.program.value_magnitudes(trace)[trace.graph.outputs[0]]
    lowered = np.real(trace.output)
    sign = below("0 ≤ decrease", -lowered, 1e-13 * terms, np.zeros(len(terms)))
    return combine([value_matches("decrease", case, formula), sign])
