"""Checks, and the decorator that pairs each with its obligations."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from bridge.checking.named import NamedCheck, Spoil, named_check, named_checks, register_named
from bridge.errors import ObligationsError
from bridge.verdict import Role
from numeric.instances.case import Case
from numeric.instances.families import BASE_SIZES, FAMILIES, Family, Region, families_of, sizes_of
from numeric.judge.measurement import Measurement
from numeric.mutants.edits import Error

__all__ = [
    "Check",
    "Enclosure",
    "GraphRequest",
    "NamedCheck",
    "RegistrationError",
    "check",
    "graph_requests",
    "made_of",
    "named_checks",
    "registered",
]

Measure = Callable[[Case], Measurement]
F = TypeVar("F", bound=Callable[..., object])


class Enclosure(Protocol):
    """A lower bound, ``(B,)``, of what must be positive, in the box of ``radius`` around each
    instance."""

    def __call__(self, case: Case, *, radius: float) -> npt.NDArray[np.float64]:
        """The bounds; −∞ if nothing is known."""


class RegistrationError(ObligationsError):
    """A check is declared wrongly: a repeated key, no docstring, nothing that it rejects."""


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """A graph that a check needs from Lean: its name without the root namespace, and its sizes."""

    name: str
    sizes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A numeric check and its obligations.

    Attributes:
        name: the function's name, for reports.
        doc: what it measures, how, and with which tolerance.
        keys: the obligations' keys; all hypotheses, all conclusions, or all fidelities of graphs.
        graph: the graph that it runs on.
        sizes: names of that graph's sizes.
        measure: the function.
        within: families that meet the theorem's hypotheses, if these single out instances, such as
            those with a constant row; empty if the theorem is for all families.
        refuted_by: families on every instance of which a hypothesis check must say no.
        rejects: planted errors that the check must reject.  For a conclusion or a graph: mutants.
            For a hypothesis: constants that violate it, or mutants if no instance can, as with
            the hypothesis that a smooth map has a derivative.
        remark: a sentence for the report if the check holds, such as what took part.
        encloses: for a hypothesis that something is positive: a lower bound of it in the box of a
            radius around each instance, by rigorous arithmetic.
        outside: for a conclusion, what to measure if a hypothesis is violated, if not the same.
        beside: a second graph that it compares with, of the same sizes; empty for none.
        form: the form of a check by form, so that another process can make the check again.
    """

    name: str
    doc: str
    keys: tuple[str, ...]
    role: Role
    graph: str
    sizes: tuple[str, ...]
    measure: Measure
    within: tuple[str, ...] = ()
    refuted_by: tuple[str, ...] = ()
    rejects: tuple[Error, ...] = ()
    remark: Callable[[], str] = str
    encloses: Enclosure | None = None
    outside: Measure | None = None
    defaults: Mapping[str, int] = field(default_factory=lambda: BASE_SIZES, hash=False)
    beside: str = ""
    form: object = None

    @property
    def families(self) -> tuple[Family, ...]:
        """The families that instances are drawn from: only a conclusion, which is judged where its
        hypotheses hold, is also judged where ε ≤ 0."""
        apt = [f for f in families_of(self.graph) if set(f.needs) <= set(self.sizes)]
        if self.within:
            apt = [f for f in apt if f.name in self.within]
        if self.role is not Role.CONCLUSION:
            return tuple(f for f in apt if f.region is Region.DOMAIN)
        return tuple(f for f in apt if f.region is not Region.REFUTING)

    @property
    def identity(self) -> str:
        """What identifies the check: its form, or the first key that it is registered for."""
        return self.keys[0] if self.form is None else str(self.form)

    def drawn_for(self, key: str) -> str:
        """What determines the instances of an obligation, besides seed, family and index.

        If the check is for several obligations it is the check, so that these share its result;
        else the obligation's key.
        """
        return self.identity if self.form is not None or key in self.keys else key

    def request(self, family: Family) -> GraphRequest:
        """The member of the graph's family that instances of ``family`` run on."""
        return GraphRequest(self.graph, sizes_of(family, self.sizes, self.defaults))

    def requests(self, family: Family) -> tuple[GraphRequest, ...]:
        """All graphs that instances of ``family`` run on."""
        own = self.request(family)
        return (own, GraphRequest(self.beside, own.sizes)) if self.beside else (own,)


_REGISTRY: dict[str, Check] = {}


def check(
    *keys: str,
    graph: str = "",
    sizes: Iterable[str] | Mapping[str, int] = (),
    within: Iterable[str] = (),
    refuted_by: Iterable[str] = (),
    rejects: Iterable[Error | Spoil] = (),
    remark: Callable[[], str] = str,
    encloses: Enclosure | None = None,
    outside: Measure | None = None,
    beside: str = "",
    registry: dict[str, Check] | None = None,
) -> Callable[[F], F]:
    """Register a function as the check of the obligations ``keys``.

    Without a graph the function receives the statement's own instances: the values of the binders
    that its parameters name.  It returns whether the obligation holds on them.

    Args:
        keys: ``Declaration:binder`` or ``Declaration:conclusion``, or ``Graph:fidelity``, without
            the root namespace.
        graph: name of the exported graph, without the root namespace; empty for a check on the
            statement's own instances.
        sizes: names of the graph's sizes; with values for those that the families do not define.
        within: the families that meet the theorem's hypotheses, if these single out instances; the
            same for all of the theorem's checks.
        refuted_by: for a hypothesis, the families that violate it.
        rejects: for a conclusion, or a hypothesis that no instance violates, the mutants that it
            must reject; for other hypotheses, constants that it must reject.  Without a graph,
            functions that change an instance's values, a dictionary by binder, into values that the
            check must reject.
        remark: called when the check holds; what it returns goes into the report.
        encloses: for a hypothesis that can be certified: a lower bound, ``(B,)``, of what must be
            positive, valid for all inputs within a radius.
        outside: for a conclusion, measured instead if a hypothesis is violated.
        beside: name of a second exported graph with the same sizes, which the function finds in
            ``case.beside``.
        registry: where to register; the project's own by default, another one in tests.

    Raises:
        RegistrationError: a key is malformed or taken, or the check has no docstring or rejects
            nothing.
    """
    target = _REGISTRY if registry is None else registry

    def register(measure: F) -> F:
        name = measure.__name__
        if not graph:
            others = (sizes, within, refuted_by, encloses, outside, beside)
            _register_named(measure, keys, tuple(cast("Iterable[Spoil]", rejects)), others, target)
            return measure
        made = Check(
            name=name,
            doc=inspect.getdoc(measure) or "",
            keys=keys,
            role=_role(name, keys),
            graph=graph,
            sizes=tuple(sizes),
            measure=cast("Measure", measure),
            within=tuple(within),
            refuted_by=tuple(refuted_by),
            rejects=tuple(cast("Iterable[Error]", rejects)),
            remark=remark,
            encloses=encloses,
            outside=outside,
            defaults={**BASE_SIZES, **sizes} if isinstance(sizes, Mapping) else BASE_SIZES,
            beside=beside,
        )
        _validate(made, target)
        target.update(dict.fromkeys(keys, made))
        return measure

    return register


def _register_named(
    function: Callable[..., object],
    keys: tuple[str, ...],
    rejects: tuple[Spoil, ...],
    others: Iterable[object],
    registry: Mapping[str, Check],
) -> None:
    """Register a check by binder names.

    Raises:
        RegistrationError: as :func:`check`.
    """
    where = f"check {function.__name__}"
    role = _role(function.__name__, keys)
    if role is Role.FIDELITY or any(others):
        raise RegistrationError(
            f"{where}: expected a graph, which all options but rejects are about, but got none",
            remedy="name it, graph=…, sizes=…; or let the parameters be the statement's binders",
        )
    _refuse_taken(where, keys, registry)
    try:
        register_named(named_check(function, keys, role, rejects))
    except TypeError as e:
        raise RegistrationError(f"{where}: {e}") from e


def _refuse_taken(where: str, keys: tuple[str, ...], registry: Mapping[str, Check]) -> None:
    for key in keys:
        if key in registry or key in named_checks() or keys.count(key) > 1:
            raise RegistrationError(
                f"{where}: {key!r} is registered already",
                remedy="an obligation has one check; measure several things with numeric.combine",
            )


def _role(name: str, keys: tuple[str, ...]) -> Role:
    if not keys:
        raise RegistrationError(f"check {name}: expected at least one key but got none")
    for key in keys:
        declaration, colon, binder = key.rpartition(":")
        if not declaration or not colon or not binder:
            raise RegistrationError(
                f"check {name}: expected Declaration:binder but got key={key!r}"
            )
    roles = {_ROLES.get(k.rpartition(":")[2], Role.HYPOTHESIS) for k in keys}
    if len(roles) > 1:
        raise RegistrationError(
            f"check {name}: expected keys of hypotheses or of conclusions but got {list(keys)}"
        )
    return roles.pop()


_ROLES = {"conclusion": Role.CONCLUSION, "fidelity": Role.FIDELITY}


def _validate(made: Check, registry: Mapping[str, Check]) -> None:
    where = f"check {made.name}"
    _refuse_taken(where, made.keys, registry)
    if not made.doc:
        raise RegistrationError(f"{where}: expected a docstring that says what is measured and how")
    unknown = [s for s in made.sizes if s not in made.defaults]
    if unknown:
        raise RegistrationError(
            f"{where}: expected sizes among {list(BASE_SIZES)} but got {unknown}",
            remedy=f"give your own a value: sizes={{{unknown[0]!r}: 5}}",
        )
    apt = [f.name for f in families_of(made.graph) if f.region is not Region.REFUTING]
    for name in made.within:
        if name not in apt:
            raise RegistrationError(f"{where}: expected families among {apt} but got {name!r}")
    violating = [f.name for f in families_of(made.graph) if f.region is Region.REFUTING]
    if made.within:  # the others may violate a hypothesis that singles these out
        violating += [name for name in apt if name not in made.within]
    for name in made.refuted_by:
        if name not in violating:
            raise RegistrationError(
                f"{where}: expected refuting families {violating} but got {name!r}"
            )
    if made.role is Role.HYPOTHESIS and not made.refuted_by and not made.rejects:
        raise RegistrationError(
            f"{where}: expected families that refute it, or mutants that it rejects, but got none"
        )
    if made.role is not Role.HYPOTHESIS and not made.rejects:
        raise RegistrationError(f"{where}: expected mutants that it rejects but got none")


def registered() -> Mapping[str, Check]:
    """Every check by the key of its obligation; imports all modules of `bridge.checks`."""
    _import_checks()
    return MappingProxyType(_REGISTRY)


@cache
def _import_checks() -> None:
    package = importlib.import_module("bridge.checks")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"bridge.checks.{module.name}")


def made_of(forms: Mapping[str, object]) -> Mapping[str, Check]:
    """The checks of these forms, by key: see `bridge.checks.by_form.checks_of`."""
    made: Mapping[str, Check] = importlib.import_module("bridge.checks.by_form").checks_of(forms)
    return made


def graph_requests(checks: Iterable[Check]) -> tuple[GraphRequest, ...]:
    """Every graph that Lean must export for these checks, each once."""
    wanted: dict[GraphRequest, None] = {}
    for one in checks:
        refuting = tuple(FAMILIES[name] for name in one.refuted_by)
        for family in (*one.families, *refuting):
            wanted.update(dict.fromkeys(one.requests(family)))
    return tuple(wanted)
