"""Checks by binder names: a user's code judges a statement's own instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.checking import CheckResult, Counterexample, FamilyCount, NamedCheck, named_checks
from bridge.checking.runner import MAX_UNDECIDED_SHARE, minimum_accepted
from bridge.lean.library import Library
from bridge.statements.choose import Judge, Obstacle, Pairing, Question, Way
from bridge.statements.instances import Draws, Instance, Instances
from bridge.statements.values import Opaque
from bridge.verdict import Role, Verdict

__all__ = ["Broken", "asked", "checked_by_name"]


def checked_by_name(
    library: Library,
    questions: Sequence[Question],
    found: Mapping[str, Pairing],
    judges: Sequence[Judge],
    *,
    seed: int,
    instances: int,
) -> dict[str, Pairing]:
    """``found``, with the results of the checks by binder names instead of the statement's.

    A statement that fails on its own instances fails, whatever a check says.

    Args:
        library: what Lean says.
        questions: the theorems that were judged.
        found: the results, by key.
        judges: the ways that judged them.
        seed: determines all instances.
        instances: how many to draw for each theorem.
    """
    checks = named_checks()
    judged = dict(found)
    for question in questions:
        keys = [k for k in question.keys if k in checks and k in found]
        drawn: Instances | Obstacle | None = None
        for key in keys:
            pairing, check = found[key], checks[key]
            if pairing.result is None:
                reason = f"the check {check.name} needs instances of the statement; "
                judged[key] = replace(pairing, reason=reason + pairing.reason)
                continue
            if drawn is None:
                way = next(j for j in judges if j.way is pairing.way)
                assert isinstance(way, Draws)
                drawn = way.instances(library, question, seed=seed, instances=instances)
            if isinstance(drawn, Obstacle):
                judged[key] = Pairing(Way.UNPAIRED, drawn.words)
                continue
            if pairing.result.verdict is Verdict.FAILS:
                continue
            result = _judged(check, key, drawn, pairing.result, seed=seed, instances=instances)
            judged[key] = Pairing(Way.CHECK, "", result, check.name)
    return judged


def _said(check: NamedCheck, values: Mapping[str, object]) -> bool | None:
    try:
        answer = check.function(**values)
    except AssertionError:
        return False
    if answer is None:
        return None
    if getattr(answer, "shape", ()) != () or not hasattr(answer, "__bool__"):
        raise TypeError(f"expected True, False or None from {check.name} but got {answer!r:.80}")
    return bool(answer)


class Broken(Exception):
    """The check raised an exception; the message describes it and the values."""


def asked(check: NamedCheck, instance: Instance) -> bool | None:
    """Whether a check says that its obligation holds on an instance; None if it cannot decide.

    Raises:
        Broken: it raised an exception, or uses a value that Python cannot represent.
    """
    opaque = [n for n in check.parameters if isinstance(instance.values.get(n), Opaque)]
    if opaque:
        raise Broken(f"{opaque[0]} has no Python value: it is a function on an infinite type")
    try:
        return _said(check, {name: instance.values[name] for name in check.parameters})
    except Exception as e:
        raise Broken(f"{check.name} raised {type(e).__name__}: {e}, on {instance.text}") from e


def _judged(
    check: NamedCheck,
    key: str,
    drawn: Instances,
    own: CheckResult,
    *,
    seed: int,
    instances: int,
) -> CheckResult:
    count = len(drawn.met)

    def result(
        verdict: Verdict,
        reason: str,
        example: Counterexample | None = None,
        said: FamilyCount | None = None,
    ) -> CheckResult:
        families = () if said is None else (said,)
        return CheckResult(
            verdict,
            reason,
            max(own.instances, count),
            count,
            counterexample=example,
            families=families,
            witness=own.witness,
            needs=own.needs,
        )

    try:
        answers = [asked(check, i) for i in drawn.met]
        wrong = [i for i, a in zip(drawn.met, answers, strict=True) if a is False]
        unclear = answers.count(None)
        said = FamilyCount(
            "statement", "domain", count, count, count - len(wrong) - unclear, len(wrong), unclear
        )
        if wrong:
            first = wrong[0]
            example = Counterexample(seed, first.family, first.index, (), (), first.text)
            return result(
                Verdict.FAILS, f"fails on {len(wrong)} of {count} instances", example, said
            )
        if count < minimum_accepted(instances):
            reason = f"every hypothesis holds on only {count} instances"
            return result(Verdict.INCONCLUSIVE, reason, said=said)
        if unclear > MAX_UNDECIDED_SHARE * count:
            reason = f"{check.name} cannot decide {unclear} of {count} instances"
            return result(Verdict.INCONCLUSIVE, reason, said=said)
        blind = _blind(check, key.rpartition(":")[2], drawn)
    except Broken as e:
        return result(Verdict.ERROR, str(e))
    if blind:
        return result(Verdict.INCONCLUSIVE, blind, said=said)
    return result(Verdict.HOLDS, "; ".join(drawn.remarks), said=said)


def _blind(check: NamedCheck, binder: str, drawn: Instances) -> str:
    """Why the check did not reject something that it must; empty if it rejected everything."""
    if check.role is Role.HYPOTHESIS:
        outside = [i for i in drawn.violating if i.violates == (binder,)]
        if not outside and not check.rejects:
            return f"blind: no instance violates {binder} alone, on which {check.name} could say no"
        for instance in outside:
            if asked(check, instance) is not False:
                return f"blind: {check.name} does not say no to {instance.text}, which violates it"
    for spoil in check.rejects:
        name = getattr(spoil, "__name__", repr(spoil))
        if not any(asked(check, _spoilt(i, spoil(dict(i.values)))) is False for i in drawn.met):
            return f"blind: {check.name} rejects {name} on none of {len(drawn.met)} instances"
    if check.role is Role.HYPOTHESIS or check.rejects:
        return ""
    if any(asked(check, i) is False for i in drawn.violating):
        return ""
    return (
        f"blind: {check.name} says yes on all instances, also on {len(drawn.violating)} that "
        "violate a hypothesis; name changes that it must say no to: rejects=[…]"
    )


def _spoilt(instance: Instance, values: Mapping[str, object]) -> Instance:
    return replace(instance, values=dict(values), text=f"{instance.text}, changed")
