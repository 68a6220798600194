"""How far a model's gradients can be from the exact ones, for a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Bound", "GradientCertificate", "Least"]


@dataclass(frozen=True, slots=True)
class Least:
    """Lower bounds for a value: for its entries, and for their absolute values."""

    entry: float
    size: float


@dataclass(frozen=True, slots=True)
class Bound:
    """The distance of a returned tensor from the exact one; every number is rigorous.

    Attributes:
        what: the output, or the gradient of a parameter or an input.
        most: no entry differs by more.
        least: some entry differs by at least this much.
        relative: ``most`` over the exact tensor's largest entry; infinite if that may be 0.
        radius: the radius of the exact tensor's enclosure: our own part of ``most``.
    """

    what: str
    most: float
    least: float
    relative: float
    radius: float

    @property
    def share(self) -> str:
        """The relative bound in words."""
        if self.relative == float("inf"):
            return "of a tensor whose exact entries may all be 0"
        return f"{self.relative:.2g} of its largest entry"


@dataclass(frozen=True, slots=True)
class GradientCertificate:
    """Bounds on the error of what one call of a layer returned.

    Attributes:
        dtype: the dtype in which the model computed.
        bounds: the output's first; empty if nothing is certified.
        reason: why nothing is certified; empty if something is.
        least: lower bounds for every value of the graph, to check what a theorem supposes.
    """

    dtype: str
    bounds: tuple[Bound, ...] = ()
    reason: str = ""
    least: Mapping[str, Least] = field(default_factory=dict, compare=False, repr=False)

    @property
    def complete(self) -> bool:
        """Whether there is a bound for everything."""
        return bool(self.bounds) and not self.reason

    @property
    def gradients(self) -> tuple[Bound, ...]:
        """The bounds on gradients."""
        return tuple(b for b in self.bounds if b.what != "output")

    @property
    def widest(self) -> Bound | None:
        """The gradient with the largest relative bound, if any has one; else with the largest
        bound."""
        found = self.gradients
        shares = [b for b in found if b.relative < float("inf")]
        if shares:
            return max(shares, key=lambda b: b.relative)
        return max(found, key=lambda b: b.most, default=None)

    def adjoint(self, *, proved: bool) -> str:
        """What the returned gradients are compared with, in words."""
        if proved:
            return "the adjoint of the Fréchet derivative, which Lean proves to be backprop"
        return (
            "backprop of the captured graph over the real numbers, about which Lean proved nothing"
        )

    def sentence(self, bound: Bound, *, proved: bool) -> str:
        """The bound as a sentence without its full stop."""
        if bound.what == "output":
            what, other = "the output", "the value of its graph over the real numbers"
        else:
            name = bound.what.removeprefix("gradient of ")
            what, other = f"the gradient for {name}", self.adjoint(proved=proved)
        said = (
            f"{what} that this {self.dtype} model returned differs from {other}, by at most "
            f"{bound.most:.3g} ({bound.share})"
        )
        return f"{said} and at least {bound.least:.3g}" if bound.least > 0 else said

    def notes(self, *, proved: bool) -> list[str]:
        """The certificate's lines in a table: the widest gradient; or why nothing is certified."""
        if self.reason:
            return [f"not certified: {self.reason}"]
        widest = self.widest
        if widest is None:
            return []
        first = self.sentence(widest, proved=proved)
        return [
            f"certified: {first}; of {len(self.gradients)} gradients, none by a larger share of "
            "its size"
        ]
