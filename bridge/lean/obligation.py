"""Statements taken apart into obligations, each with its key."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bridge.errors import AnswerError
from bridge.lean.statement import Discharge, Statement, Statements
from bridge.verdict import LeanStatus, Role

__all__ = [
    "LeanFacts",
    "Obligation",
    "classify_axioms",
    "fidelity_of",
    "obligations_of",
    "readable_name",
]

STANDARD_AXIOMS = frozenset({"propext", "Quot.sound", "Classical.choice"})
NEVER_EXCUSED = frozenset(
    {"sorryAx", "Lean.ofReduceBool", "Lean.ofReduceNat", "Lean.trustCompiler"}
)
DISTRIBUTION_ROOTS = frozenset({"Init", "Std", "Lean", "Lake"})


@dataclass(frozen=True, slots=True)
class LeanFacts:
    """What Lean says about an obligation's theorem.

    ``foreign_axioms`` are those neither standard nor of the Lean distribution; ``library_axioms``
    counts lemmas of the distribution that appear as axioms because the engine does not see their
    proofs.  ``refusal`` says which constant a kernel refuses, if it does, and why; ``doubt`` why
    what is proved may be false, if only kernels that accept proofs of False took part;
    ``says_nothing`` why the theorem says nothing, if that was found.
    """

    status: LeanStatus
    standard_axioms: tuple[str, ...]
    foreign_axioms: tuple[str, ...]
    library_axioms: int
    discharge: Discharge | None = None
    refusal: str = ""
    doubt: str = ""
    says_nothing: str = ""


@dataclass(frozen=True, slots=True)
class Obligation:
    """One hypothesis, or the conclusion, of one theorem; or the fidelity of an exported graph.

    ``term_hash`` is over the statement's own term, ``statement_hash`` over that and every
    definition of the project that it unfolds to.  A graph has no place in the sources: ``module``
    is empty then, and ``line`` 0.
    """

    key: str
    declaration: str
    binder: str
    role: Role
    statement: str
    doc: str
    module: str
    line: int
    term_hash: str
    statement_hash: str
    lean: LeanFacts


def classify_axioms(
    axioms: Iterable[str],
    modules: dict[str, str | None] | None = None,
    own: Collection[str] = (),
) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Split axioms into the three standard ones, foreign ones, and a count of the distribution's.

    A declaration belongs to the distribution by the root component of its module's name, unless
    the module is one of the project's ``own``: ``StdLemmas`` is not ``Std``, and neither is a
    project's own ``Std.Lemmas``.  ``sorryAx`` and the axioms that let a compiler replace a proof
    are never excused.
    """
    modules = modules or {}
    standard: list[str] = []
    foreign: list[str] = []
    library = 0
    for axiom in axioms:
        module = modules.get(axiom)
        root = module.split(".")[0] if module else None
        if axiom in NEVER_EXCUSED or root not in DISTRIBUTION_ROOTS or module in own:
            foreign.append(axiom)
        elif axiom in STANDARD_AXIOMS:
            standard.append(axiom)
        else:
            library += 1
    return tuple(sorted(standard)), tuple(sorted(foreign)), library


# Lean puts the module before a private name: `_private.Demo.Layer.0.Demo.norm`.
_PRIVATE = re.compile(r"^_private\..+?\.0\.(?=.)")


def readable_name(name: str) -> str:
    """A Lean name as its author writes it: a private one without the module in front."""
    return _PRIVATE.sub("", name)


def _without_root(name: str, root: str) -> str:
    return name.removeprefix(root + ".")


def _short_names(names: list[str], roots: list[str]) -> dict[str, str]:
    """Drop the library's root namespace, except where that would make two names equal.

    A private theorem keeps its author's name, unless another theorem has that name too.
    """
    written = {n: readable_name(n) for n in names}
    short = dict(written)
    for name in names:
        for root in roots:
            if written[name].startswith(root + "."):
                short[name] = _without_root(written[name], root)
                break
    clash, same = Counter(short.values()), Counter(written.values())
    kept = {n: (n if same[w] > 1 else w) for n, w in written.items()}
    return {n: (kept[n] if clash[s] > 1 else s) for n, s in short.items()}


def obligations_of(
    statements: Statements, roots: Iterable[str], own: Collection[str] = ()
) -> tuple[Obligation, ...]:
    """Every hypothesis and conclusion of every exported theorem, in the order of the sources.

    Args:
        statements: Lean's verified answer.
        roots: root namespaces of the audited libraries, dropped from keys.
        own: the project's modules.

    Raises:
        AnswerError: a key would not be unique.
    """
    short = _short_names([t.name for t in statements.theorems], list(roots))
    modules = dict(statements.axiom_modules)
    found: dict[str, Obligation] = {}
    for theorem in statements.theorems:
        for obligation in _of_theorem(statements, theorem, short[theorem.name], modules, own):
            if obligation.key in found:
                raise AnswerError(f"two obligations have the key {obligation.key!r}")
            found[obligation.key] = obligation
    return tuple(found.values())


def _of_theorem(
    statements: Statements,
    theorem: Statement,
    declaration: str,
    modules: dict[str, str | None],
    own: Collection[str],
) -> Iterable[Obligation]:
    standard, foreign, library = classify_axioms(theorem.axioms, modules, own)
    discharges = {d.binder: d for d in theorem.discharges}

    def build(
        binder: str, role: Role, text: str, term: str, uses: tuple[str, ...], lean: LeanFacts
    ) -> Obligation:
        return Obligation(
            key=f"{declaration}:{binder}",
            declaration=declaration,
            binder=binder,
            role=role,
            statement=text,
            doc=theorem.doc,
            module=theorem.module,
            line=theorem.line,
            term_hash=hashlib.sha256(term.encode()).hexdigest(),
            statement_hash=statements.fingerprint(term, uses),
            lean=lean,
        )

    for b in theorem.hypotheses:
        assert b.name is not None  # parse_statements names the rest
        discharge = discharges.get(b.name)
        status = LeanStatus.ASSUMED if discharge is None else LeanStatus.DISCHARGED
        facts = LeanFacts(status, (), (), 0, discharge)
        yield build(b.name, Role.HYPOTHESIS, b.type, b.term, b.uses, facts)
    if "sorryAx" in foreign:
        status = LeanStatus.SORRY
    elif foreign or not theorem.is_theorem:
        status = LeanStatus.AXIOM
    else:
        status = LeanStatus.PROVED
    yield build(
        "conclusion",
        Role.CONCLUSION,
        theorem.conclusion.type,
        theorem.conclusion.term,
        theorem.uses,
        LeanFacts(status, standard, foreign, library),
    )


def fidelity_of(graph: str, exported: str) -> Obligation:
    """The obligation that an exported graph is what its closed form says.

    Args:
        graph: its name without the root namespace.
        exported: Lean's export; the obligation's hashes cover it.
    """
    digest = hashlib.sha256(exported.encode()).hexdigest()
    return Obligation(
        key=f"{graph}:fidelity",
        declaration=graph,
        binder="fidelity",
        role=Role.FIDELITY,
        statement=f"the exported {graph} agrees with its closed form in value, JVP and VJP",
        doc="The graph that Lean exports and a closed form written without it agree in every saved "
        "tensor, and in both modes of the derivative.",
        module="",
        line=0,
        term_hash=digest,
        statement_hash=digest,
        lean=LeanFacts(LeanStatus.EXPORTED, (), (), 0),
    )
