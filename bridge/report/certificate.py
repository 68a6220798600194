"""How far the gradients that a model returned can be from the exact ones, as a report has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Bound", "GradientCertificate", "Least"]


@dataclass(frozen=True, slots=True)
class Least:
    """What no entry of a value is below: of the entries, and of their sizes."""

    entry: float
    size: float


@dataclass(frozen=True, slots=True)
class Bound:
    """A tensor that the model returned, and the exact one; every number is rigorous.

    Attributes:
        what: the output, or the gradient of a parameter or an input.
        most: no entry differs by more.
        least: some entry differs by at least so much.
        relative: ``most`` over the exact tensor's largest entry; infinite where that may be 0.
        radius: how far the exact tensor's own enclosure reaches: the part of ``most`` that is ours.
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
    """Bounds on what one call of a layer returned.

    Attributes:
        dtype: in which the model computed.
        bounds: the output first; empty where nothing is certified.
        reason: why not; empty where it is.
        least: of every value of the graph, for what a theorem supposes.
    """

    dtype: str
    bounds: tuple[Bound, ...] = ()
    reason: str = ""
    least: Mapping[str, Least] = field(default_factory=dict, compare=False, repr=False)

    @property
    def complete(self) -> bool:
        """Whether there is a bound on everything."""
        return bool(self.bounds) and not self.reason

    @property
    def gradients(self) -> tuple[Bound, ...]:
        """The bounds on gradients."""
        return tuple(b for b in self.bounds if b.what != "output")

    @property
    def widest(self) -> Bound | None:
        """The gradient with the largest relative bound, among those that have one; else the
        largest."""
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
            "backprop of the captured graph over the real numbers, of which Lean has proved nothing"
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
        """What a table says of it: the widest gradient; or why nothing is certified."""
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
