"""What a statement says about an exported graph, read from its term.

The form decides the measure, the graph, and which of the graph's constants a hypothesis is about.
Binders may have any name.  A statement without a form needs its own check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from numeric.propositions.terms import (
    Apply,
    Binder,
    Binding,
    Const,
    Field,
    Num,
    Op,
    Term,
    Theorem,
    Var,
    subterms,
)

__all__ = [
    "Exported",
    "Form",
    "Formula",
    "Says",
    "form_of_binder",
    "form_of_conclusion",
]

ROOT = "PostNorm."
Formula = tuple[str, ...]
"""How a statement names what a closed form computes: its first definition in the namespace
``Spec``, and other required names."""
PREFIXES = {"layerNormPrefix6": "varEps", "layerNormPrefix7": "std"}
"""A LayerNorm's graph up to one of its saved tensors."""
QUANTITIES = {"Spec.variance": "varEps", "Spec.meanSquare": "meanSquareEps"}
"""What is added to ε, and the saved tensor that is their sum."""
GRAPH_AT = {
    "Graph.eval": 4,
    "Graph.deriv": 4,
    "Graph.backprop": 4,
    "Graph.derivHead": 5,
    "GraphFDerivCorrectAt": 4,
}
"""Functions of a graph, and the position of the graph among their arguments."""
FIXED = {"rmsNormOffsetGraph": 1, "gemmaBlockGraph": 1, "gemmaModelGraph": 1}
"""Graphs that are exported at this number, as in their theorems."""
USUAL = ("GeluConstants.usual", "EncoderConstants.usual")
"""Constants of tanh-GELU, and of the encoder block, at which every graph with it is exported."""


class Says(StrEnum):
    """What is said of a graph."""

    VALUE = "value"  # g.eval ρ = formula
    DERIVATIVE = "derivative"  # HasFDerivAt g.eval (g.deriv ρ) ρ, in all inputs or the first alone
    ADJOINT = "adjoint"  # g.backprop ρ δ = (fderiv g.eval ρ)ᵀ δ
    FIRST_ADJOINT = "first_adjoint"  # ⟨g.derivHead x w v, δ⟩ = ⟨v, (g.backprop (x, w) δ).head⟩
    OPERATIONS = "operations"  # each operation's tangent map is its derivative
    EPS = "eps"  # 0 < ε
    TENSOR_POSITIVE = "positive"  # 0 < the saved tensor, row by row
    TENSOR_NONZERO = "nonzero"  # the saved tensor ≠ 0, row by row
    KEY_ALLOWED = "allowed"  # the mask allows a key in each row, so that the saved sum is positive


@dataclass(frozen=True, slots=True)
class Exported:
    """What is known about a graph that Lean exports.

    Attributes:
        constants: names of the constants that an instance may choose; the graph's last arguments
            that are numbers, in this order.
        nodes: for each of these, the saved tensor that it is added to.
        masked: the saved exponentials that a mask keeps; empty unless there is exactly one mask.
    """

    constants: tuple[str, ...]
    nodes: Mapping[str, str]
    masked: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One statement of one graph; ``symbol`` and ``tensor`` say of which constant and which saved
    tensor, where it is about these."""

    says: Says
    graph: str
    symbol: str = ""
    tensor: str = ""

    def __str__(self) -> str:
        """All of it, in one line."""
        return f"form {self.says}:{self.graph}:{self.symbol}:{self.tensor}"


def _const(term: Term | None, *names: str) -> tuple[Term | None, ...] | None:
    """The arguments if the term is one of the constants, which are named without their root."""
    if isinstance(term, Const) and term.name in [ROOT + n for n in names]:
        return term.args
    return None


def _last(term: Term | None, name: str, count: int) -> Sequence[Term | None] | None:
    """The last arguments of a constant."""
    args = _const(term, name)
    return None if args is None or len(args) < count else args[-count:]


def _graphs(term: Term) -> Iterator[Const]:
    for t in subterms(term):
        if isinstance(t, Const) and (at := GRAPH_AT.get(t.name.removeprefix(ROOT))) is not None:
            graph = t.args[at] if len(t.args) > at else None
            if isinstance(graph, Const):
                yield graph


def _subject(theorem: Theorem) -> Const | None:
    """The one graph that a conclusion is about, at arbitrary parameters.

    A theorem at fixed or equal sizes says less than its check would measure.  A number may be fixed
    if the export fixes it too.
    """
    found = set(_graphs(theorem.conclusion))
    if len(found) != 1:
        return None
    graph = found.pop()
    fixed = FIXED.get(graph.name.removeprefix(ROOT))
    given = [
        a
        for a in graph.args
        if a is not None
        and a != Const(ROOT + "Real")
        and _const(a, *USUAL) is None
        and not (isinstance(a, Num) and a.value == fixed)
    ]
    general = all(isinstance(a, Var) for a in given) and len(set(given)) == len(given)
    return graph if general else None


def form_of_conclusion(theorem: Theorem, formulas: Mapping[str, Formula]) -> Form | None:
    """The form of a conclusion.

    Args:
        theorem: the statement.
        formulas: for each graph, what its closed form computes.
    """
    graph = _subject(theorem)
    if graph is None:
        return None
    name, depth = graph.name.removeprefix(ROOT), len(theorem.binders)
    says = _says(theorem.conclusion, graph, depth, formulas.get(name, ()))
    return None if says is None else Form(says, name)


def _says(term: Term, graph: Const, depth: int, formula: Formula) -> Says | None:
    if (args := _last(term, "HasFDerivAt", 3)) is not None:
        f, derivative, point = args
        whole = _last(derivative, "Graph.deriv", 2) == (graph, point)
        head = _last(derivative, "Graph.derivHead", 3)
        if whole and _computes(f, graph, depth, formula):
            return Says.DERIVATIVE
        if head is not None and head[:2] == (graph, point) and _of_first(f, graph, depth, head[2]):
            return Says.DERIVATIVE
    elif (args := _last(term, "GraphFDerivCorrectAt", 2)) is not None:
        return Says.OPERATIONS if isinstance(args[1], Var) else None
    elif isinstance(term, Op) and term.name == "eq":
        left, right = term.args
        if _is_adjoint(left, right, graph, depth, formula):
            return Says.ADJOINT
        if _is_first_adjoint(left, right, graph):
            return Says.FIRST_ADJOINT
        value = _last(left, "Graph.eval", 2)
        if value is not None and isinstance(value[1], Var) and _is_formula(right, formula):
            return Says.VALUE
    return None


def _is_formula(term: Term | None, formula: Formula) -> bool:
    """Whether a term is what the closed form computes, without a graph."""
    if term is None or not formula or next(_graphs(term), None) is not None:
        return False
    names = [t.name.removeprefix(ROOT) for t in subterms(term) if isinstance(t, Const | Op)]
    first = next((n for n in names if n.startswith("Spec.")), "")
    return first == formula[0] and set(formula) <= set(names)


def _computes(f: Term | None, graph: Const, depth: int, formula: Formula) -> bool:
    """Whether a function is what the graph computes: by the graph, or by its formula."""
    if not isinstance(f, Binding) or f.kind != "lambda":
        return False
    by_graph = _last(f.body, "Graph.eval", 2) == (graph, Var(depth))
    return by_graph or _is_formula(f.body, formula)


def _of_first(f: Term | None, graph: Const, depth: int, others: Term | None) -> bool:
    """Whether a function is what the graph computes from its first input, with the others given."""
    if not isinstance(f, Binding) or f.kind != "lambda":
        return False
    value = _last(f.body, "Graph.eval", 2)
    if value is None or value[0] != graph:
        return False
    return _last(value[1], "Env.cons", 2) == (Var(depth), others)


def _applied(term: Term | None) -> tuple[Term, Term | None] | None:
    """A bounded linear map and what it is applied to."""
    if isinstance(term, Apply) and isinstance(term.function, Field) and len(term.args) == 1:
        return term.function.of, term.args[0]
    return None


def _is_adjoint(left: Term, right: Term, graph: Const, depth: int, formula: Formula) -> bool:
    back, applied = _last(left, "Graph.backprop", 3), _applied(right)
    if back is None or applied is None or back[0] != graph:
        return False
    adjoint = _last(applied[0], "BoundedLinearMap.adjoint", 1)
    derivative = None if adjoint is None else _last(adjoint[0], "fderiv", 2)
    if derivative is None:
        return False
    same = derivative[1] == back[1] and applied[1] == back[2]
    return same and _computes(derivative[0], graph, depth, formula)


def _is_first_adjoint(left: Term, right: Term, graph: Const) -> bool:
    one, other = _last(left, "Tensor.dot", 2), _last(right, "Tensor.dot", 2)
    if one is None or other is None or (applied := _applied(one[0])) is None:
        return False
    forward, head = _last(applied[0], "Graph.derivHead", 3), _last(other[1], "Env.head", 1)
    back = None if head is None else _last(head[0], "Graph.backprop", 3)
    if forward is None or back is None or forward[0] != graph or back[0] != graph:
        return False
    inputs = _last(back[1], "Env.cons", 2)
    return inputs == tuple(forward[1:]) and applied[1] == other[0] and one[1] == back[2]


def form_of_binder(theorem: Theorem, level: int, exported: Mapping[str, Exported]) -> Form | None:
    """The form of the hypothesis at a level of the telescope: a condition on the graph that the
    conclusion is about."""
    graph = _subject(theorem)
    known = None if graph is None else exported.get(graph.name.removeprefix(ROOT))
    if graph is None or known is None:
        return None
    name = graph.name.removeprefix(ROOT)
    symbols = _symbols(graph, theorem.binders, known.constants)
    term = theorem.binders[level].type
    if (eps := _positive(term)) is not None:
        symbol = symbols.get(eps)
        return None if symbol is None else Form(Says.EPS, name, symbol)
    if not isinstance(term, Binding) or term.kind != "forall":
        return None
    if known.masked and _allows_a_key(term.body, graph, level):
        return Form(Says.KEY_ALLOWED, name, tensor=known.masked.removesuffix("kept") + "sum")
    found = _row_condition(term.body)
    if found is None:
        return None
    says, tensor, eps, rows = found
    symbol = symbols.get(eps)
    if symbol is None or not (tensor_at := known.nodes.get(symbol, "")):
        return None
    # The rows of a LayerNorm depend on those before it, and so only on their ε.
    within = {symbols[t] for t in subterms(rows) if t in symbols}
    before = set(known.constants[: known.constants.index(symbol)])
    summed = tensor_at.rpartition(".")[2]
    if within != before or summed != ("varEps" if tensor == "std" else tensor):
        return None
    return Form(says, name, symbol, tensor_at.removesuffix(summed) + tensor)


def _symbols(graph: Const, binders: Sequence[Binder], constants: Sequence[str]) -> dict[Term, str]:
    """Which variable is which constant of the graph."""
    given = [a for a in graph.args if a is not None]
    carrier = next((a for a in given if _is_carrier(a, binders)), None)
    numbers = [a for a in given if isinstance(a, Var) and binders[a.level].type == carrier]
    if not constants or len(numbers) < len(constants):
        return {}
    return dict(zip(numbers[-len(constants) :], constants, strict=True))


def _allows_a_key(term: Term, graph: Const, level: int) -> bool:
    """``∃ j, allowed row j = true``: ``allowed`` is an argument of the graph, and ``row`` the
    variable of the ``∀`` around it, at this level."""
    row, key = Var(level), Var(level + 1)
    if not isinstance(term, Binding) or term.kind != "exists":
        return False
    match term.body:
        case Op(
            name="eq", args=(Apply(function=Var() as mask, args=args), Const(name="Bool.true"))
        ):
            return mask in graph.args and args == (row, key)
    return False


def _is_carrier(term: Term, binders: Sequence[Binder]) -> bool:
    if isinstance(term, Var):
        return binders[term.level].role == "type"
    return term == Const(ROOT + "Real")


def _is_zero(term: Term) -> bool:
    return isinstance(term, Num) and term.value == 0


def _positive(term: Term) -> Term | None:
    """``t`` of ``0 < t``."""
    if isinstance(term, Op) and term.name == "lt" and _is_zero(term.args[0]):
        return term.args[1]
    return None


def _row_condition(term: Term) -> tuple[Says, str, Term, Term] | None:
    """What is said about a row, the saved tensor, the ε, and the rows."""
    positive = _positive(term)
    if positive is not None:
        if isinstance(positive, Op) and positive.name == "add":
            quantity, eps = positive.args
            for name, tensor in QUANTITIES.items():
                if (args := _last(quantity, name, 1)) is not None and args[0] is not None:
                    return Says.TENSOR_POSITIVE, tensor, eps, args[0]
        return _prefix(positive, Says.TENSOR_POSITIVE, "varEps")
    if isinstance(term, Op) and term.name == "ne" and _is_zero(term.args[1]):
        return _prefix(term.args[0], Says.TENSOR_NONZERO, "std")
    return None


def _prefix(term: Term, says: Says, tensor: str) -> tuple[Says, str, Term, Term] | None:
    args = _last(term, "Graph.eval", 3)
    if args is None or args[1] is None or not isinstance(args[0], Const) or not args[0].args:
        return None
    if PREFIXES.get(args[0].name.removeprefix(ROOT)) != tensor or args[0].args[-1] is None:
        return None
    return says, tensor, args[0].args[-1], args[1]
