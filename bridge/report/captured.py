"""The audit's results about the graphs that a model runs, before they are rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.report.certificate import GradientCertificate
from bridge.verdict import LeanStatus, Verdict

__all__ = [
    "GENERAL_THEOREM",
    "NOT_ASKED",
    "CapturedForm",
    "CapturedLayer",
    "Comparison",
    "Condition",
    "FormBlock",
    "FormProof",
    "Supposed",
]

GENERAL_THEOREM = "Graph.backprop_eq_adjoint_fderiv"
"""Backprop of any graph is the adjoint of its derivative, if the side conditions hold."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """A hypothesis of a theorem about a captured graph.

    Attributes:
        value: the graph's value that it is about; empty for a constant.
        positive: whether every entry has to be positive, or only not zero.
        constant: the constant's value.
    """

    value: str
    positive: bool
    constant: float = 0.0


@dataclass(frozen=True, slots=True)
class FormBlock:
    """A block of the library that a captured graph resembles.

    Attributes:
        name: the block's name, the prefix of its theorems' names.
        theorem: its headline theorem, which holds for the graph itself; empty if the graph is not
            shown to be the block.
        constants: the block's constants, by name, with their values here.
        statement: what Lean proved about the graph, as it prints it.
        reason: why it is not shown.
        masks: inputs of the graph that the theorem supposes to be a mask, each with its name.
    """

    name: str
    theorem: str = ""
    constants: tuple[tuple[str, float], ...] = ()
    statement: str = ""
    reason: str = ""
    masks: tuple[tuple[str, str], ...] = ()

    @property
    def proved(self) -> bool:
        """Whether the graph is proved to be the block."""
        return bool(self.theorem)

    def of(self, masks: Sequence[tuple[str, str]]) -> FormBlock:
        """The block's result for a layer whose graph has these masks."""
        lacking = [
            f"{given} is not the {mask} mask"
            for given, mask in self.masks
            if (given, mask) not in masks
        ]
        return replace(self, theorem="", reason="; ".join(lacking)) if lacking else self

    def __str__(self) -> str:
        if not self.proved:
            return f"it is not shown to be a library block, such as {self.name}"
        given = ", ".join(f"{name} = {value:.6g}" for name, value in self.constants)
        masks = " and ".join(f"{name} is the {mask} mask" for name, mask in self.masks)
        return (
            f"it is the library's {self.name} (proved): {self.theorem} holds of this model's own "
            f"graph{f', where {masks}' if masks else ''}{f', with {given}' if given else ''}"
        )


@dataclass(frozen=True, slots=True)
class FormProof:
    """Lean's answer about one captured graph.

    Attributes:
        status: ``proved``; ``unchecked`` if it was not asked, or has no theorem about it.
        theorem: the theorem's name; empty if there is none.
        statement: the statement, as Lean prints it.
        supposes: what it supposes of values, in words; the measured conditions include it.
        reason: why there is none.
        asks: the same as ``supposes``, in a form that can be checked.
        block: the block of the library that it resembles; None if it resembles none.
    """

    status: LeanStatus = LeanStatus.UNCHECKED
    theorem: str = ""
    statement: str = ""
    supposes: tuple[str, ...] = ()
    reason: str = ""
    asks: tuple[Supposed, ...] = ()
    block: FormBlock | None = None

    @property
    def proved(self) -> bool:
        """Whether the kernel accepted the theorem."""
        return self.status is LeanStatus.PROVED

    def of(self, masks: Sequence[tuple[str, str]]) -> FormProof:
        """The answer for a layer whose graph has these masks."""
        return self if self.block is None else replace(self, block=self.block.of(masks))

    @property
    def is_block(self) -> bool:
        """Whether the graph is proved to be a block of the library."""
        return self.proved and self.block is not None and self.block.proved

    def __str__(self) -> str:
        if self.proved:
            supposed = f", supposing {' and '.join(self.supposes)}" if self.supposes else ""
            block = f"; {self.block}" if self.block is not None else ""
            return f"Lean proved it of this very graph{supposed}{block}"
        if self.theorem:
            return f"of this graph Lean says {self.status.value}"
        return self.reason or "Lean was not asked about this graph"


NOT_ASKED = FormProof()


@dataclass(frozen=True, slots=True)
class CapturedForm:
    """A graph that some layers share.

    Attributes:
        name: ``graph 1`` and so on.
        graph: as ``obligations-graph/1`` JSON.
        origins: the line of the model's code for each node.
        proof: Lean's answer about it.
    """

    name: str
    graph: Mapping[str, object] = field(repr=False)
    origins: Mapping[str, str] = field(repr=False)
    proof: FormProof = NOT_ASKED

    @property
    def operations(self) -> Mapping[str, int]:
        """How many nodes have each operation."""
        nodes = self.graph["nodes"]
        assert isinstance(nodes, list)
        return Counter(str(n["op"]) for n in nodes)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two computations of one thing; ``verdict`` is ``holds``, ``fails`` or ``inconclusive``.

    Attributes:
        what: the output, or the gradient of a parameter or an input.
        against: what it was compared with, such as ``torch autograd in float64``.
        rounding: whether the tolerance is the possible effect of rounding in the model's own dtype.
    """

    what: str
    against: str
    residual: float
    tolerance: float
    verdict: Verdict
    rounding: bool = False

    def __str__(self) -> str:
        words = {
            Verdict.HOLDS: "differ by rounding" if self.rounding else "agree",
            Verdict.FAILS: "differ",
            Verdict.INCONCLUSIVE: "rounding hides whether they differ",
        }
        return (
            f"{self.what} and {self.against} {words[self.verdict]}: residual {self.residual:.3g}, "
            f"tolerance {self.tolerance:.3g}"
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """A side condition of one operation, at the tightest of its nodes.

    Attributes:
        what: the condition in words, such as ``the argument of sqrt is positive``.
        node: the tightest node.
        origin: that node's line in the model's code.
        least: the distance to the limit, a lower bound.
        nodes: how many nodes have it.
    """

    what: str
    node: str
    origin: str
    least: float
    nodes: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class CapturedLayer:
    """A layer's own graph, and the comparisons with it.

    Attributes:
        reason: why there is no graph, or why it does not count; empty if it counts.
        form: the name of its graph; empty if there is none.
        nodes, inputs: how many the graph has.
        masks: inputs of the graph that are masks, each with its name.
        calls: how often the model runs the layer; the first call is captured.
        comparisons: of the graph's value and backprop with what the model computes.
        conditions: the side conditions of the general theorem.
        no_gradient: parameters whose gradient is None in the model; they count as 0.
        unseen: parameters whose gradients show only rounding on this input.
        begins: the first node where graph and model differ, and its line; empty if none does.
        proof: Lean's answer about its graph.
        certificate: bounds on the error of what the model returned; None if not requested.
        marks: nodes and inputs of the graph where a difference begins, with its description.
    """

    reason: str = ""
    form: str = ""
    nodes: int = 0
    inputs: int = 0
    calls: int = 0
    masks: tuple[tuple[str, str], ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    conditions: tuple[Condition, ...] = ()
    no_gradient: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    begins: str = ""
    proof: FormProof = NOT_ASKED
    certificate: GradientCertificate | None = None
    marks: tuple[tuple[str, str], ...] = ()

    @property
    def certified(self) -> bool:
        """Whether every gradient has a rigorous bound, and Lean proved what the bound is about."""
        made = self.certificate
        complete = made is not None and made.complete
        return complete and self.proof.proved and self.verdict is Verdict.HOLDS

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the comparisons; ``inconclusive`` without a graph."""
        found = {c.verdict for c in self.comparisons} | {c.verdict for c in self.conditions}
        if Verdict.FAILS in found:
            return Verdict.FAILS
        if self.reason or not self.comparisons or found - {Verdict.HOLDS}:
            return Verdict.INCONCLUSIVE
        return Verdict.HOLDS

    @property
    def failing(self) -> tuple[str, ...]:
        """What does not hold, each a clause."""
        worst = [str(c) for c in self.comparisons if c.verdict is not Verdict.HOLDS]
        worst += [
            f"{c.what}: {c.least:.3g} at {c.node} ({c.origin})"
            for c in self.conditions
            if c.verdict is not Verdict.HOLDS
        ]
        if self.no_gradient and self.verdict is Verdict.FAILS:
            worst.append(f"no gradient reaches {', '.join(self.no_gradient)}")
        return (*worst, *((f"the difference begins at {self.begins}",) if self.begins else ()))

    @property
    def coverage(self) -> str:
        """What is known about the layer, as a sentence without its full stop."""
        if not self.form:
            return f"not captured: {self.reason}"
        times = "" if self.calls == 1 else f", the first of {self.calls} calls"
        said = (
            f"the graph that it runs was captured ({self.form}, {self.nodes} nodes{times}); "
            f"theorem: {self.proof.theorem or GENERAL_THEOREM}, {self.proof}"
        )
        if self.reason:
            return f"{said}; {self.reason}"
        return said if self.verdict is Verdict.HOLDS else f"{said}; {'; '.join(self.failing[:3])}"
