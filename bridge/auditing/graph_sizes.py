"""Which input of a user's graph may be which input of a library graph, and at which sizes.

Each axis of an input is a size or a product of two; which one follows from the library's graph,
exported at several sizes.  So the shapes in a file give its sizes, up to how a product is
factored: all factorings are tried, and values decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod

from numeric.graph import Graph, Input
from numeric.ops import Shape

__all__ = ["Fit", "Signature", "fits", "signatures"]

Sizes = dict[str, int]
Axis = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs of a library graph at any sizes.

    Attributes:
        member: one of its exports with these inputs.
        axes: for each input, the sizes whose product each axis is.
        seen: the values of each size at which it was exported with these inputs.
    """

    member: Graph
    axes: Mapping[str, tuple[Axis, ...]]
    seen: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Fit:
    """One way to read the file's inputs: the library's name for each, and the sizes."""

    names: Mapping[str, str]
    sizes: Mapping[str, int]


def signatures(members: Sequence[Graph]) -> tuple[Signature, ...]:
    """One signature for each list of inputs of the exports: a stack has more with more blocks.

    Empty if an axis is neither a size nor a product of two.
    """
    groups: dict[tuple[str, ...], list[Graph]] = {}
    for member in members:
        groups.setdefault(tuple(member.input_shapes), []).append(member)
    found = []
    for names, group in groups.items():
        axes = {name: _axes(name, members) for name in names}
        if any(axis is None for each in axes.values() for axis in each):
            return ()
        known = {n: tuple(a for a in each if a is not None) for n, each in axes.items()}
        seen = {s: tuple(sorted({m.sizes[s] for m in group})) for s in sorted(group[0].sizes)}
        found.append(Signature(group[0], known, seen))
    return tuple(found)


def _axes(name: str, members: Sequence[Graph]) -> tuple[Axis | None, ...]:
    having = [m for m in members if name in m.input_shapes]
    sizes = sorted(having[0].sizes)
    choices: list[Axis] = [(s,) for s in sizes] + list(combinations(sizes, 2))

    def of(axis: int) -> Axis | None:
        for choice in choices:
            if all(_product(choice, m.sizes) == m.input_shapes[name][axis] for m in having):
                return choice
        return None

    return tuple(of(k) for k in range(len(having[0].input_shapes[name])))


def _product(axis: Axis, sizes: Mapping[str, int]) -> int:
    return prod(sizes[name] for name in axis)


def fits(signature: Signature, inputs: Sequence[Input], given: Mapping[str, int]) -> Iterator[Fit]:
    """Every way to read ``inputs`` that their shapes allow, the order of the file first.

    An input with a name of the library's is that input.

    Args:
        signature: the library graph's signature.
        inputs: the file's inputs.
        given: sizes that the file states; those with other names are ignored.
    """
    if len(inputs) != len(signature.axes):
        return
    start = {name: k for name, k in given.items() if name in signature.seen}
    known = {i.name for i in inputs} & set(signature.axes)
    wanted = tuple(signature.axes)

    def walk(
        at: int, left: tuple[Input, ...], sizes: Sizes, names: dict[str, str]
    ) -> Iterator[Fit]:
        if at == len(wanted):
            for cut in _cuts(signature, inputs, names, sizes):
                yield Fit(names, cut)
            return
        ours = wanted[at]
        hopeless: set[Shape] = set()  # whether the rest fits depends on shapes alone
        for one in left:
            if (one.name != ours) if ours in known else (one.name in known):
                continue
            if one.shape in hopeless:
                continue
            narrowed = _unified(signature.axes[ours], one.shape, sizes)
            if narrowed is not None:
                rest = tuple(i for i in left if i is not one)
                some = False
                for found in walk(at + 1, rest, narrowed, {**names, one.name: ours}):
                    some = True
                    yield found
                if not some:
                    hopeless.add(one.shape)

    yield from walk(0, tuple(inputs), start, {})


def _unified(axes: Sequence[Axis], shape: Shape, sizes: Sizes) -> Sizes | None:
    """The sizes, extended by what these lengths imply; None if they contradict."""
    if len(axes) != len(shape):
        return None
    found = dict(sizes)
    for axis, length in zip(axes, shape, strict=True):
        unknown = [name for name in axis if name not in found]
        rest, remainder = divmod(length, _product(tuple(n for n in axis if n in found), found))
        if remainder or rest < 1 or (not unknown and rest != 1):
            return None
        if len(unknown) == 1:
            found[unknown[0]] = rest
    return found


def _cuts(
    signature: Signature, inputs: Sequence[Input], names: Mapping[str, str], sizes: Sizes
) -> Iterator[Sizes]:
    """All values of the sizes that no single axis determines."""
    shapes = {ours: i.shape for i in inputs for ours in (names[i.name],)}
    open_ = [name for name in signature.seen if name not in sizes]
    choices = []
    for name in open_:
        lengths = [
            length
            for ours, axes in signature.axes.items()
            for axis, length in zip(axes, shapes[ours], strict=True)
            if name in axis
        ]
        divisors = (
            [k for k in range(1, min(lengths) + 1) if min(lengths) % k == 0] if lengths else []
        )
        choices.append(divisors or signature.seen[name])
    for chosen in product(*choices):
        found: Sizes | None = {**sizes, **dict(zip(open_, chosen, strict=True))}
        for ours, axes in signature.axes.items():
            found = None if found is None else _unified(axes, shapes[ours], found)
        if found is not None:
            yield {name: found[name] for name in signature.seen}
