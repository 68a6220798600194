"""What the audit of a model found of the graphs that it runs, before it is rendered."""

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
"""Backprop of any graph is the adjoint of its derivative, where the side conditions hold."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """A hypothesis of a theorem about a captured graph.

    Attributes:
        value: the value of the graph that it is about; empty for a constant.
        positive: whether every entry has to be positive, or only not zero.
        constant: the constant's value.
    """

    value: str
    positive: bool
    constant: float = 0.0


@dataclass(frozen=True, slots=True)
class FormBlock:
    """A block of the library that a captured graph is built like.

    Attributes:
        name: of the block, as its theorems' names begin.
        theorem: its headline theorem, which holds of the graph itself; empty where the graph is not
            shown to be the block.
        constants: the block's constants, by name, with the values that they have here.
        statement: what Lean proved of the graph, as it prints it.
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
        """What it comes to for a layer whose graph has these masks."""
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
    """What Lean says of one captured graph.

    Attributes:
        status: ``proved``; ``unchecked`` where it was not asked, or has no theorem about it.
        theorem: its name; empty where there is none.
        statement: as Lean prints it.
        supposes: what it supposes of values, in words; the conditions that are measured hold it.
        reason: why there is none.
        asks: the same as ``supposes``, for those who check it.
        block: the block of the library that it is built like; None where it is built like none.
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
        """Whether the kernel took it."""
        return self.status is LeanStatus.PROVED

    def of(self, masks: Sequence[tuple[str, str]]) -> FormProof:
        """What it comes to for a layer whose graph has these masks."""
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
        origins: where each node is from in the model's code.
        proof: what Lean says of it.
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
        rounding: whether the tolerance is what rounding in the model's own dtype can do.
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
        what: in words, such as ``the argument of sqrt is positive``.
        node: which node is tightest.
        origin: where that is from in the model's code.
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
    """A layer's own graph, and what agrees with it.

    Attributes:
        reason: why there is no graph, or why it does not count; empty where it does.
        form: the name of its graph; empty where there is none.
        nodes, inputs: how many the graph has.
        masks: inputs of the graph that are masks, each with its name.
        calls: how often the model runs the layer; the first call is captured.
        comparisons: of the graph's value and backprop with what the model computes.
        conditions: the side conditions of the general theorem.
        no_gradient: parameters whose gradient is None in the model; they count as 0.
        unseen: parameters of whose gradients rounding is all that could be seen on this input.
        begins: the first node where graph and model differ, and its line; empty where none does.
        proof: what Lean says of its graph.
        certificate: bounds on what the model returned; None where no one asked for them.
        marks: nodes and inputs of the graph where a difference begins, with what begins there.
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
        """Whether every gradient has a rigorous bound, and Lean proved what it is a bound on."""
        made = self.certificate
        complete = made is not None and made.complete
        return complete and self.proof.proved and self.verdict is Verdict.HOLDS

    @property
    def verdict(self) -> Verdict:
        """The worst of what was compared; ``inconclusive`` without a graph."""
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
        """What is known of it, as a sentence without its full stop."""
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
