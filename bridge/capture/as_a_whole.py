"""A whole model as it runs: is it one function, and are its gradients those of that function?

Graphs cover layers.  What a model does before, between and after them is examined here, without any
graph: autograd's gradient is compared with the change of the output when weights and inputs move by
a hundred-thousandth of their size.  So a gradient that is cut, scaled or wrong outside the layers
shows; an error below 1e-5 of all that moves does not.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bridge.capture.chance import chance
from bridge.capture.copies import copied, lifted
from bridge.capture.eager import ROUNDING, SHORT_LIMIT, other_input
from bridge.capture.exported import is_mask, tensors_in
from bridge.capture.forward import Call, Example
from bridge.capture.user_code import RAISED, said

__all__ = ["AsAWhole", "observe_whole"]

STEPS = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
"""Shares of the size of what moves; the later ones if the first gives another answer: a ReLU may
bend in between, and a norm of a row of zeros bends within the root of its ε."""
LAST = 3
"""How many of the steps have to agree."""
SHARE = 1e-5
"""A share of the sum of all that the gradient should give: less is not noticed."""
NOISE = 1e-15
"""A share of the sum of the output's terms: rounding of one output in float64."""
INPUT = "input "
"""The prefix of the names of float inputs, among those of parameters."""
LARGE = 1 << 20
"""An embedding with more entries has a sparse gradient."""
BLOCK = 8191
"""How many random numbers a direction has before they repeat: a prime, so no matrix has the
period."""
NAMED, SOUGHT = 4, 64
"""How many parts with other gradients are named, and among how many they are searched."""


@dataclass(frozen=True, slots=True)
class AsAWhole:
    """The outcome: clauses; both are empty if it is one function with its gradient.

    Attributes:
        found: the deviations.
        unknown: what could not be decided.
    """

    found: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def observe_whole(module: Any, parts: Collection[str], example: Example, seed: int) -> AsAWhole:
    """Run a copy in float64, in the model's own mode, with casts to shorter floats lifted.

    It compares two calls; a call after one on another input; calls under ``no_grad`` and in
    inference mode; and the gradient with central differences, in one direction of all parameters
    and float inputs, and in one of those outside the layers.  PyTorch's fused path is off: each
    layer's report says what it computes.

    Args:
        module: the model; it is not changed.
        parts: names of its layers.
        example: its inputs.
        seed: determines the directions.
    """
    torch: Any = importlib.import_module("torch")
    try:
        given = Call(example.args, example.kwargs).to(torch.float64)
        with _unfused(torch):
            return _Whole(torch, module, parts, given, seed).judged()
    except RAISED as e:  # the code is the user's: anything can happen
        return AsAWhole(unknown=(f"running it in float64 raised {said(e)}",))


@contextmanager
def _unfused(torch: Any) -> Iterator[None]:
    backend = getattr(torch.backends, "mha", None)
    if backend is None:  # older than 2.3
        yield
        return
    before = backend.get_fastpath_enabled()
    backend.set_fastpath_enabled(False)
    try:
        yield
    finally:
        backend.set_fastpath_enabled(before)


class _Whole:
    def __init__(
        self, torch: Any, module: Any, parts: Collection[str], given: Call, seed: int
    ) -> None:
        self._torch, self._seed, self._given = torch, seed, given
        self._module, self._run = module, copied(module)
        self._parts = tuple(f"{p}." for p in parts)
        self._leaves: dict[str, Any] = {
            n: p for n, p in self._run.named_parameters() if p.is_floating_point()
        }
        self._args, self._kwargs = self._with_leaves()
        self._sizes = {n: _size(leaf) for n, leaf in self._leaves.items()}
        self._places = {n: k for k, n in enumerate(self._leaves)}
        self._padding = _padding_rows(torch, self._run)

    def _with_leaves(self) -> tuple[Any, Any]:
        """The input, with float tensors as separate leaves."""
        tree = self._torch.utils._pytree

        def leaf(path: Any, x: Any) -> Any:
            if not isinstance(x, self._torch.Tensor):
                return x
            own, name = x.detach().clone(), f"{INPUT}{tree.keystr(path)}"
            if own.is_floating_point() and not is_mask(name, own):
                self._leaves[name] = own
            return own

        given = (tuple(self._given.args), dict(self._given.kwargs))
        found: tuple[Any, Any] = tree.tree_map_with_path(leaf, given)
        return found

    def judged(self) -> AsAWhole:
        torch = self._torch
        outputs: list[Any] = []

        def call() -> Any:
            outputs.append(self._output().detach())
            return outputs[-1]

        with lifted() as casts, torch.enable_grad():
            random = chance(call)
        if random:
            return AsAWhole(unknown=(random,))
        first = outputs[0]
        if not bool(first.isfinite().all()):
            return AsAWhole(unknown=("its output is not finite",))
        self._start_again()
        output, found = self._one_function(first, SHORT_LIMIT if casts else ROUNDING)
        if found:  # differences would say nothing
            return AsAWhole(found)
        if not output.requires_grad:
            return AsAWhole(found=("no gradient reaches its output from any weight or input",))
        generator = torch.Generator().manual_seed(self._seed)
        cotangent = torch.randn(output.shape, generator=generator, dtype=output.dtype)
        return self._gradient(output, cotangent)

    def _start_again(self) -> None:
        """Start with a fresh copy: this one may keep and use parts of another input."""
        inputs = {n: x for n, x in self._leaves.items() if n.startswith(INPUT)}
        self._run, self._leaves = None, {}  # one copy at a time
        self._run = copied(self._module)
        self._leaves = {n: p for n, p in self._run.named_parameters() if p.is_floating_point()}
        self._leaves |= inputs
        for m in self._run.modules():  # else a gradient as large as the table is allocated
            if isinstance(m, self._torch.nn.Embedding) and m.weight.numel() > LARGE:
                m.sparse = True
        for leaf in self._leaves.values():
            leaf.data = leaf.data.contiguous()
            leaf.requires_grad_(True)

    def _output(self, given: tuple[Any, Any] | None = None) -> Any:
        """Its first float tensor.

        Raises:
            ValueError: there is none.
        """
        torch = self._torch
        args, kwargs = torch.utils._pytree.tree_map_only(  # which it may change in place
            torch.Tensor, lambda x: x.clone(), given or (self._args, self._kwargs)
        )
        for value in tensors_in(self._run(*args, **kwargs)):
            if value.is_floating_point() and value.numel() > 0:
                return value
        raise ValueError("it returns no tensor of floats")

    def _one_function(self, first: Any, limit: float) -> tuple[Any, tuple[str, ...]]:
        """The output with gradients, and what differs from it."""
        torch = self._torch
        other = other_input(self._given)
        with lifted(), torch.enable_grad():
            try:
                self._output((tuple(other.args), dict(other.kwargs)))
            except RAISED:  # it rejects such an input
                title = "in a second call"
            else:
                title = "after a call on another input"
            output = self._output()
        with lifted(), torch.inference_mode():
            given = torch.utils._pytree.tree_map_only(
                torch.Tensor, lambda x: x.detach().clone(), (self._args, self._kwargs)
            )
            inferred = self._output(given).clone()
        found = {title: output.detach(), "in inference mode": inferred}
        if _distance(first, inferred) > limit:  # gradients are off there, too
            with lifted(), torch.no_grad():
                found["under no_grad"] = self._output()
        apart = {title: _distance(first, again) for title, again in found.items()}
        return output, tuple(
            f"{title} its output differs by {gap:.2g} of its size"
            for title, gap in apart.items()
            if gap > limit
        )

    def _gradient(self, output: Any, cotangent: Any) -> AsAWhole:
        """The gradient compared with central differences."""
        gives = self._contributions(output, cotangent)
        size = float((output.detach() * cotangent).abs().sum())
        del output
        outside = [n for n in self._leaves if not n.startswith(self._parts)]
        for names in (list(self._leaves), outside):
            answer = self._differs(names, gives, cotangent, size) if names else False
            if answer is None:
                text = "whether its gradient is that of what it computes: differences leave it open"
                return AsAWhole(unknown=(text,))
            if answer:
                return AsAWhole(found=(self._named(names, gives, cotangent, size),))
        return AsAWhole()

    def _named(
        self, names: Sequence[str], gives: Mapping[str, float], cotangent: Any, size: float
    ) -> str:
        """Where the gradient differs: the layers, and what is outside them."""
        groups: dict[str, list[str]] = {}
        for name in names:
            part = next((p for p in self._parts if name.startswith(p)), "")
            groups.setdefault(part.removesuffix(".") or name, []).append(name)
        wrong = [
            group
            for group, held in list(groups.items())[:SOUGHT]
            if self._differs(held, gives, cotangent, size)
        ]
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        of = f" of {', '.join(wrong[:NAMED])}{more}" if wrong else ""
        return f"autograd's gradient{of} is not that of what it computes, by central differences"

    def _contributions(self, output: Any, cotangent: Any) -> dict[str, float]:
        """⟨gradient, direction⟩ of each leaf; the gradients are not kept."""
        gives = dict.fromkeys(self._leaves, 0.0)
        hooks = []
        for name, leaf in self._leaves.items():

            def take(own: Any, name: str = name) -> None:
                gives[name] = self._along(name, own.grad)
                own.grad = None

            hooks.append(leaf.register_post_accumulate_grad_hook(take))
        try:
            output.backward(cotangent)
        finally:
            for hook in hooks:
                hook.remove()
        return gives

    def _direction(self, name: str) -> Any:
        """Random numbers of the size of what moves: a block that repeats along all entries."""
        torch, leaf = self._torch, self._leaves[name]
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._places[name])
        block = torch.randn(min(BLOCK, leaf.numel()), generator=generator, dtype=leaf.dtype)
        return block.mul_(self._sizes[name])

    def _along(self, name: str, gradient: Any) -> float:
        """⟨gradient, direction⟩, without a tensor of the gradient's size."""
        if gradient.is_sparse:
            gradient = gradient.coalesce()
            rows, gradient = gradient.indices()[0], gradient.values()
            kept = rows != self._padding.get(name, -1)
            block, width = self._direction(name), gradient.shape[1]
            places = rows[kept, None] * width + self._torch.arange(width)
            return float((gradient[kept] * block[places % len(block)]).sum())
        if name in self._padding:
            gradient[self._padding[name]] = 0.0
        return sum(float((part @ block).sum()) for part, block in self._blocks(name, gradient))

    def _move(self, names: Sequence[str], step: float) -> None:
        for name in names:
            leaf, row = self._leaves[name].detach(), self._padding.get(name)
            kept = None if row is None else leaf[row].clone()
            for part, block in self._blocks(name, leaf):
                part.add_(block, alpha=step)
            if kept is not None:
                leaf[row] = kept

    def _blocks(self, name: str, tensor: Any) -> Iterator[tuple[Any, Any]]:
        """The entries in rows as long as the block of random numbers, and the rest: views of a
        leaf, which is contiguous."""
        block = self._direction(name)
        if len(block) == 0:
            return
        flat = tensor.reshape(-1)
        whole = len(flat) // len(block) * len(block)
        yield flat[:whole].view(-1, len(block)), block
        yield flat[whole:], block[: len(flat) - whole]

    def _differs(
        self, names: Sequence[str], gives: Mapping[str, float], cotangent: Any, size: float
    ) -> bool | None:
        """Whether autograd and differences give different numbers; None if unclear."""
        expected = sum(gives[n] for n in names)
        scale = sum(abs(gives[n]) for n in names)
        gaps: list[float] = []
        for step in STEPS:
            gap = self._difference(names, step, cotangent) - expected
            if not abs(gap) < float("inf"):
                return None
            if abs(gap) <= SHARE * scale + NOISE * size / step:
                return False
            gaps.append(gap)
        last = gaps[-LAST:]
        return True if max(last) - min(last) <= 0.1 * min(map(abs, last)) else None

    def _difference(self, names: Sequence[str], step: float, cotangent: Any) -> float:
        """The central difference of ⟨output, cotangent⟩."""
        values = []
        with self._torch.no_grad(), lifted():
            for move in (step, -2 * step):
                self._move(names, move)
                values.append(float((self._output() * cotangent).sum()))
            self._move(names, step)
        return (values[0] - values[1]) / (2 * step)


def _size(leaf: Any) -> float:
    """The root mean square of its entries; 1 if they are all 0."""
    return (float(leaf.detach().norm()) / max(leaf.numel(), 1) ** 0.5) or 1.0


def _padding_rows(torch: Any, run: Any) -> dict[str, int]:
    """The row of each embedding that ``padding_idx`` names, by the parameter: PyTorch gives it no
    gradient, though it is looked up."""
    tables = [m for m in run.modules() if isinstance(m, torch.nn.Embedding | torch.nn.EmbeddingBag)]
    rows = {id(m.weight): m.padding_idx for m in tables if m.padding_idx is not None}
    return {n: rows[id(p)] for n, p in run.named_parameters() if id(p) in rows}


def _distance(a: Any, b: Any) -> float:
    """max|a − b| over max|a|; infinite if they cannot be compared."""
    if a.shape != b.shape:
        return float("inf")
    gap = float((a - b).abs().max()) / max(float(a.abs().max()), 1e-280)
    return gap if gap == gap else float("inf")
