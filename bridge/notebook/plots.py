"""Plots of what checks measure.  Each takes ``ax`` and returns the matplotlib Axes it drew on.

Colours are from Okabe and Ito's palette, which people with any colour vision can distinguish;
markers and labels say the same.
Source: M. Okabe, K. Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bridge.errors import InvalidInputError
from numeric.instances.case import Case
from numeric.interpret.derivative import taylor_remainders
from numeric.interpret.dual import magnitudes
from numeric.judge.identities import operations
from numeric.judge.measurement import Measurement, Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

__all__ = ["derivatives", "margins", "steps", "variances"]

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#777777"
_STYLE = {
    Outcome.HOLDS: (BLUE, "o", "holds"),
    Outcome.UNDECIDED: (ORANGE, "s", "undecided"),
    Outcome.FAILS: (RED, "x", "fails"),
}
STEPS = tuple(2.0**-k for k in range(2, 44, 2))


def _axes(ax: Axes | None, title: str, height: float = 4.0) -> Axes:
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(8.0, height), layout="constrained")
    ax.set_title(title, loc="left", fontsize="medium")
    return ax


def margins(found: Mapping[str, Measurement], *, title: str = "", ax: Axes | None = None) -> Axes:
    """The distance of every instance from its limit, a row for each family.

    The distance is tolerance − residual: for a side condition ``0 < q`` the number q.  The axis is
    logarithmic on both sides of 0, in the units of the quantity.

    Args:
        found: what a check measured, by family: `AuditResult.measurements`.
        title: above the axes.
        ax: the axes to draw on; new axes if None.
    """
    names = list(found)
    ax = _axes(ax, title, 1.2 + 0.3 * len(names))
    finite = np.concatenate([np.abs(m.margin[np.isfinite(m.margin)]) for m in found.values()])
    small = finite[finite > 0].min(initial=1.0)
    shown: set[Outcome] = set()
    for row, name in enumerate(names):
        measured = found[name]
        spread = np.linspace(-0.3, 0.3, max(2, len(measured)))[: len(measured)]
        for outcome, (colour, marker, label) in _STYLE.items():
            here = (measured.outcome == outcome) & np.isfinite(measured.margin)
            ax.scatter(
                measured.margin[here],
                row + spread[here],
                s=10,
                c=colour,
                marker=marker,
                alpha=0.6,
                label=label if here.any() and outcome not in shown else None,
            )
            if here.any():
                shown.add(outcome)
    ax.axvline(0.0, color=GREY, linewidth=1.0)
    ax.set_xscale("symlog", linthresh=float(small))
    ax.xaxis.set_major_locator(_ticks(float(small)))
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel("margin: tolerance − residual (right of 0: holds)")
    if shown:
        ax.legend(loc="best", frameon=False)
    return ax


def _ticks(threshold: float) -> Locator:
    """A few powers of ten on both sides of 0; by default matplotlib marks them all."""
    from matplotlib.ticker import SymmetricalLogLocator

    locator = SymmetricalLogLocator(base=10.0, linthresh=threshold)
    locator.set_params(numticks=9)
    return locator


def variances(case: Case, *, title: str = "", ax: Axes | None = None) -> Axes:
    """The distribution of var + ε over all rows, for each LayerNorm of the graph.

    Raises:
        InvalidInputError: the graph saves no tensor called ``varEps``.
    """
    trace = case.run()
    names = [
        n.name for n in case.program.graph.nodes if n.name.rsplit(".", 1)[-1].startswith("varEps")
    ]
    if not names:
        raise InvalidInputError(
            f"the graph {case.program.graph.name} saves no tensor called varEps",
            remedy="choose an obligation of LayerNorm or of a block",
        )
    ax = _axes(ax, title)
    values = {name: np.real(np.asarray(trace[name])).ravel() for name in names}
    positive = np.concatenate([v[v > 0] for v in values.values()])
    low, high = (positive.min(), positive.max()) if len(positive) else (1e-6, 1.0)
    edges = np.geomspace(low / 1.5, high * 1.5, 41)
    for (name, value), colour, style in zip(
        values.items(),
        (BLUE, ORANGE, GREEN, RED) * len(names),
        ("-", "--", ":") * len(names),
        strict=False,
    ):
        beyond = int(np.count_nonzero(~(value > 0)))
        ax.hist(
            value[value > 0],
            bins=edges.tolist(),
            histtype="step",
            color=colour,
            linestyle=style,
            linewidth=1.5,
            label=f"{name}: {len(value)} rows, {beyond} not positive",
        )
    ax.set_xscale("log")
    ax.set_xlabel("var + ε (units of x, squared)")
    ax.set_ylabel("rows")
    ax.legend(loc="best", frameon=False)
    return ax


def steps(case: Case, *, title: str = "", ax: Axes | None = None) -> Axes:
    """The graph's JVP against central differences, by step: a line for each instance.

    A right derivative's residual falls as the square of the step until rounding dominates and it
    rises as 1 / step; a wrong one's stays constant.  The residual is relative to Σ|terms|.
    """
    tangents = case.tangents()
    trace = case.run()
    claimed = np.asarray(case.program.jvp(trace, tangents), dtype=np.float64)
    scale = np.asarray(magnitudes(trace, [tangents])[0]) + 1e-280

    def output(inputs: Mapping[str, npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
        return np.asarray(case.output(inputs), dtype=np.float64)

    found = np.stack(
        list(taylor_remainders(output, case.batch.inputs, tangents, claimed, scale, STEPS))
    )
    ax = _axes(ax, title)
    for instance in range(len(case)):
        ax.loglog(
            STEPS,
            found[:, instance],
            color=BLUE,
            alpha=0.5,
            linewidth=1.0,
            marker=".",
            label="each instance" if instance == 0 else None,
        )
    middle = np.nanmedian(np.where(np.isfinite(found), found, np.nan), axis=1)
    guide = middle[2] * (np.array(STEPS[:9]) / STEPS[2]) ** 2
    ax.loglog(STEPS[:9], guide, color=GREY, linestyle="--", label="order 2")
    ax.set_xlabel("step h (relative to unit directions)")
    ax.set_ylabel("|difference quotient − JVP| / Σ|terms|")
    ax.legend(loc="best", frameon=False)
    return ax


def derivatives(case: Case, *, title: str = "", ax: Axes | None = None) -> Axes:
    """Where a derivative is off: the largest residual of each operation's own tangent against its
    complex step, by saved tensor in the graph's order, relative to Σ|terms|."""
    found = operations(case)
    names = [n.name for n in case.program.graph.nodes]
    worst = np.array([max(m.residual.max(initial=0.0), 1e-18) for m in found])
    wrong = np.array([bool((m.outcome == Outcome.FAILS).any()) for m in found])
    ax = _axes(ax, title, 1.2 + 0.17 * len(names))
    rows = np.arange(len(names))
    ax.hlines(rows, 1e-18, worst, color=np.where(wrong, RED, BLUE).tolist(), linewidth=2)
    for here, colour, marker, label in ((~wrong, BLUE, "o", "right"), (wrong, RED, "X", "wrong")):
        if here.any():
            ax.plot(worst[here], rows[here], marker, color=colour, label=label)
    ax.axvline(1e-13, color=GREY, linestyle="--", label="rule A, 1e-13")
    ax.set_xscale("log")
    ax.set_yticks(rows, names, fontsize="x-small")
    ax.invert_yaxis()
    ax.set_xlabel("largest |tangent − complex step| / Σ|terms|")
    ax.legend(loc="best", frameon=False)
    return ax
