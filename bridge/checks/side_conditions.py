"""How the side conditions of a LayerNorm are registered, wherever it stands.

Each speaks of one LayerNorm and its ε.  It must say no on the families that violate it, and to an ε
of its own that does: one that reads another LayerNorm's would not notice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.checking.registry import Enclosure, Measure, check
from bridge.checks.measures import (
    enclosed,
    enclosed_eps,
    eps_positive,
    std_not_zero,
    var_eps_positive,
)
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement
from numeric.mutants.edits import ConstantMutant

__all__ = ["LayerNormAt"]

REFUTED_BY = ("eps 0, constant row", "eps 0, d_model 1", "eps overwhelms variance")
OVERWHELMING = -1e6
"""An ε below minus any variance that the generic families have."""

Register = Callable[[Measure], Measure]


@dataclass(frozen=True, slots=True)
class LayerNormAt:
    """A LayerNorm inside a graph.

    Attributes:
        graph: name of the graph, without the root namespace.
        sizes: names of the graph's sizes.
        norm: what the names of its saved tensors begin with, such as ``norm1.``.
        symbol: of its ε.
    """

    graph: str
    sizes: tuple[str, ...]
    norm: str = ""
    symbol: str = "eps"

    def var_eps_check(self, *keys: str) -> Register:
        """The decorator of a check of ``0 < var + ε`` in every row."""
        return self._check(keys, enclosed(f"{self.norm}varEps"), OVERWHELMING)

    def std_check(self, *keys: str) -> Register:
        """The decorator of a check of ``std ≠ 0`` in every row."""
        return self._check(keys, enclosed(f"{self.norm}std"), OVERWHELMING)

    def eps_check(self, *keys: str) -> Register:
        """The decorator of a check of ``0 < ε``."""
        return self._check(keys, enclosed_eps(self.symbol), 0.0, OVERWHELMING)

    def _check(self, keys: tuple[str, ...], encloses: Enclosure, *eps: float) -> Register:
        return check(
            *keys,
            graph=self.graph,
            sizes=self.sizes,
            refuted_by=REFUTED_BY,
            rejects=[ConstantMutant(self.symbol, value) for value in eps],
            encloses=encloses,
        )

    def var_eps(self, case: Case) -> Measurement:
        """`bridge.checks.measures.var_eps_positive` of this LayerNorm."""
        return var_eps_positive(case, self.norm, self.symbol)

    def std(self, case: Case) -> Measurement:
        """`bridge.checks.measures.std_not_zero` of this LayerNorm."""
        return std_not_zero(case, self.norm, self.symbol)

    def eps(self, case: Case) -> Measurement:
        """`bridge.checks.measures.eps_positive` of this LayerNorm's ε."""
        return eps_positive(case, self.symbol)
