"""The results of a model's audit, layer by layer, before they are rendered."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bridge.checking import Worst
from bridge.report.captured import CapturedForm, CapturedLayer
from bridge.verdict import LeanStatus, Verdict

__all__ = ["Assumption", "LayerObligation", "LayerReport", "ModelReport", "NormRows"]


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that the theorem assumes about a layer, and what the model has.

    ``met`` is ``None`` if the input does not decide it; ``found`` then says what would.
    ``note`` must be read next to the theorem although the assumption is met.  ``foreign`` is set
    if the layer receives something that the block of its names does not have, whatever its own
    graph is.  ``apart`` is set if it is about how the layer is run, not about what it computes.
    """

    name: str
    expected: str
    found: str
    met: bool | None
    note: str = ""
    foreign: bool = False
    apart: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.found}" + ("" if self.met else f" (theorem: {self.expected})")


@dataclass(frozen=True, slots=True)
class LayerObligation:
    """One obligation of the library, judged on one layer of the model.

    ``worst`` is the tightest sequence; ``place`` the place in it, such as the row.  ``lean`` is
    Lean's status at this layer: if a lemma discharges it, whether its condition is met.
    """

    key: str
    verdict: Verdict
    reason: str
    worst: Worst | None = None
    place: str = ""
    lean: str = ""


@dataclass(frozen=True, slots=True)
class NormRows:
    """The rows that one LayerNorm normalizes.

    Attributes:
        eps: its ε.
        least_var_eps, least_std: lower bounds of the least var + ε and of its root over all rows,
            in exact arithmetic.
        sequence, row: the place of the least.
        rows: how many there are.
        zero_variance: how many have a variance that is 0 to rounding: at most (d·u·max|h|)².
        var_eps: var + ε of every row, ``(sequences, seq_len)``, lower bounds.
    """

    eps: float
    least_var_eps: float
    least_std: float
    sequence: int
    row: int
    rows: int
    zero_variance: int
    var_eps: npt.NDArray[np.float64] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One layer of the model.

    Attributes:
        name: its name in the model.
        type: of the object, or the naming scheme of its tensors.
        sizes: seqLen, dModel, numHeads, headDim, dFF, as pairs.
        theorem: the declaration whose obligations were measured; ``None`` if nothing was.
        applies: whether the layer meets every assumption of the theorem.
        assumptions: all of them.
        norms: the rows of both LayerNorms; empty if nothing was measured.
        obligations: the verdicts, by key.
        computed_by: what the theorem's value and backprop were computed with.
        compared_with: what they were compared with.
        output_difference: the largest difference between an entry of the layer's own output and of
            the theorem's block; ``None`` if the layer's own output could not be computed.
        captured: the graph that the layer runs, and the comparisons with it; ``None`` if it was not
            captured: the theorem applies and no certificate was requested, or there is no code.
    """

    name: str
    type: str
    sizes: tuple[tuple[str, int], ...]
    theorem: str | None
    applies: bool
    assumptions: tuple[Assumption, ...]
    norms: tuple[NormRows, ...] = ()
    obligations: tuple[LayerObligation, ...] = ()
    computed_by: str = ""
    compared_with: tuple[str, ...] = ()
    output_difference: float | None = None
    captured: CapturedLayer | None = None

    @property
    def by_graph(self) -> bool:
        """Whether no theorem about a block applies, and the layer's own graph computes what it
        does.  A layer that is not the block that its names indicate, without a reason, is wrong."""
        captured = self.captured
        graph = captured is not None and captured.verdict is Verdict.HOLDS
        return not self.applies and graph and not self.unlike_its_names

    @property
    def unlike_its_names(self) -> bool:
        """Whether it does not compute the block that its names indicate, and no assumption says
        why."""
        fails = any(o.verdict is Verdict.FAILS for o in self.obligations)
        return fails and all(a.apart for a in self.unmet)

    @property
    def proved(self) -> bool:
        """Whether it is covered by a theorem about exactly the graph that it runs."""
        return self.by_graph and self.captured is not None and self.captured.proof.proved

    @property
    def unmet(self) -> tuple[Assumption, ...]:
        """The assumptions that are not met, or not known to be."""
        return tuple(a for a in self.assumptions if not a.met)

    @property
    def verdict(self) -> Verdict:
        """The worst of its verdicts; if no theorem about a block applies, that of its own graph;
        ``inconclusive`` without one.  ``certified`` if all hold and every gradient has a rigorous
        bound."""
        found = {o.verdict for o in self.obligations}
        captured = self.captured
        if captured is not None and self.applies and captured.form:
            found.add(captured.verdict)
        if Verdict.FAILS in found and not self.by_graph:
            return Verdict.FAILS
        certified = captured is not None and captured.certified
        if not self.applies and captured is not None:
            return Verdict.CERTIFIED if certified else captured.verdict
        if not self.applies or not found or found - {Verdict.HOLDS}:
            return Verdict.INCONCLUSIVE
        return Verdict.CERTIFIED if certified else Verdict.HOLDS

    @property
    def coverage(self) -> str:
        """Whether the theorem applies, as a sentence without its full stop."""
        if self.applies and self.verdict is Verdict.FAILS:
            return f"assumptions are met, but not every obligation of {self.theorem}"
        if self.applies:
            notes = "".join(f"; {a.note}" for a in self.assumptions if a.note)
            return f"theorem applies: {self.theorem}{notes}"
        why = "; ".join(str(a) for a in self.unmet)
        if self.captured is not None and self.theorem is None and not self.assumptions:
            return self.captured.coverage
        if self.captured is not None:
            return f"theorem of a block does not apply: {why}; {self.captured.coverage}"
        if self.theorem is None:
            return f"theorem does not apply: {why}; nothing was measured"
        said = f"theorem does not apply: {why}; measured is the block of {self.theorem}"
        if self.output_difference is None:
            return f"{said}; how far its output is from the model's is not known"
        return f"{said}; its output and the model's differ by at most {self.output_difference:.3g}"


@dataclass(frozen=True, slots=True)
class ModelReport:
    """A model: its source, and its layers in the order in which they run.

    Attributes:
        source: the file or the Python reference.
        kind: ``safetensors`` or ``torch``.
        naming: whose names its tensors have.
        dtype: of its weights, as stored.
        inputs: the source of the first layer's input, in words; empty if the whole model made it
            from the given input.
        sequences, seq_len: how many sequences of how many tokens.
        settings: the sources of the number of heads, ε and so on, in words.
        layers: one for each layer found.
        assumptions: about the model as a whole.
        outside: other parts of the model, which no theorem covers.
        forms: the captured graphs, each once.
        example: the whole model's input when they were captured.
    """

    source: str
    kind: str
    naming: str
    dtype: str
    inputs: str
    sequences: int
    seq_len: int
    settings: tuple[str, ...]
    layers: tuple[LayerReport, ...]
    assumptions: tuple[Assumption, ...] = ()
    outside: tuple[str, ...] = ()
    forms: tuple[CapturedForm, ...] = ()
    example: str = ""

    @property
    def unmet(self) -> tuple[Assumption, ...]:
        """The assumptions about the model as a whole that are not met, or not known to be."""
        return tuple(a for a in self.assumptions if not a.met)

    @property
    def covered(self) -> int:
        """How many layers a theorem about a block applies to."""
        return sum(layer.applies for layer in self.layers)

    @property
    def by_graph(self) -> int:
        """How many layers are covered by the graph that they run."""
        return sum(layer.by_graph for layer in self.layers)

    @property
    def graphs_fail(self) -> bool:
        """Whether some layer's own graph, or its backprop, is not what the layer computes."""
        found = (la.captured for la in self.layers)
        return any(
            c is not None
            and (
                c.verdict is Verdict.FAILS
                or c.proof.status in (LeanStatus.SORRY, LeanStatus.AXIOM, LeanStatus.REFUSED)
            )
            for c in found
        )

    @property
    def shortfalls(self) -> tuple[str, ...]:
        """What the theorems leave uncovered; each a clause, none if every layer is covered."""
        total, missing = len(self.layers), len(self.layers) - self.covered - self.by_graph
        found = [f"the stack as a whole: {a}" for a in self.unmet]
        if missing:
            found.append(
                f"{missing} of {total} layers {'is' if missing == 1 else 'are'} not covered"
            )
        open_ = sum(la.by_graph and not la.proved for la in self.layers)
        if open_:
            of = "layer" if open_ == 1 else "layers"
            found.append(f"Lean has proved nothing of the captured graphs of {open_} {of}")
        return tuple(found)
