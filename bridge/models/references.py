"""A layer's own code, run in float64: its output, and its gradients by torch autograd.

A copy is made for each call and discarded after it, so that the model is not changed and only one
layer is held twice.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.capture import Known, copied, duplicate, lifted, observed
from bridge.capture.eager import floats_inside, own_dtype
from bridge.capture.user_code import RAISED, said
from bridge.errors import InvalidInputError
from bridge.models.layer import OwnDtype, Pulled
from bridge.models.naming import Found
from bridge.report.layers import Assumption

__all__ = ["BertReference", "DistilBertReference", "ModelCodeError", "PyTorchReference"]

FloatArray = npt.NDArray[np.float64]


class ModelCodeError(InvalidInputError):
    """A layer's own code raised an error: that layer is not covered, and the others are judged."""


class _Reference:
    """What all types of layer share."""

    title = "torch autograd"

    def __init__(self, part: Any, found: Found, where: str) -> None:
        self._part = part
        self._found = found
        self._where = where
        self._torch: Any = importlib.import_module("torch")

    def own(self, x: FloatArray, mask: FloatArray | None) -> FloatArray:
        """The unchanged layer's output, without dropout."""
        return self._numpy(self._call(self._copy(), self._tensor(x), self._mask(mask)).detach())

    def conforming(
        self, x: FloatArray, mask: FloatArray | None, cotangent: FloatArray, *, own: bool
    ) -> Pulled:
        """The layer with an activation of a theorem: output and gradients."""
        part = self._copy()
        if not own:
            self._use(part, self._torch.nn.GELU(approximate="tanh"))
        tokens = self._tensor(x).requires_grad_()
        with self._torch.enable_grad():
            with lifted():  # float32 inside would show as rounding, not as a wrong gradient
                output = self._call(part, tokens, self._mask(mask))
            try:
                (output * self._tensor(cotangent)).sum().backward()
            except RAISED as e:  # it may have a custom backward
                raise self._broken(e, x.shape) from e
        return self._pulled(part, tokens, output)

    def in_own_dtype(
        self, x: FloatArray, mask: FloatArray | None, cotangent: FloatArray
    ) -> OwnDtype | None:
        """The unchanged layer, without dropout; None if that is float64, or several dtypes."""
        torch, dtype = self._torch, own_dtype(self._part)
        if dtype is None:
            return None
        try:
            part = _unshared(duplicate(self._part)).eval()
        except RAISED as e:
            raise self._broken(e, ()) from e
        for parameter in part.parameters():
            parameter.requires_grad_(True)
        tokens = self._tensor(x).to(dtype).requires_grad_()
        given = None if mask is None else self._mask(mask).to(dtype)
        with torch.enable_grad(), floats_inside() as floats:
            output = self._call(part, tokens, given)
            try:
                output.backward(self._tensor(cotangent).to(output.dtype))
            except RAISED as e:
                raise self._broken(e, x.shape) from e
        shortest = max(floats, key=lambda d: float(torch.finfo(d).eps))
        title = str(dtype).removeprefix("torch.")
        if shortest is not dtype:
            title += f", with {str(shortest).removeprefix('torch.')} inside"
        return OwnDtype(title, float(torch.finfo(shortest).eps), self._pulled(part, tokens, output))

    def _pulled(self, part: Any, tokens: Any, output: Any) -> Pulled:
        """Output and gradients by the theorem's names, in its layout."""
        prefix = self._found.prefix
        gradients = {
            prefix + n: self._numpy(self._torch.zeros_like(p) if p.grad is None else p.grad)
            for n, p in part.named_parameters()
        }
        names = {p: s for p, s in self._found.names.items() if s in gradients}
        found = self._found.naming.tensors(names, gradients.__getitem__)
        return Pulled(self._numpy(output.detach()), {"x": self._numpy(tokens.grad), **found})

    def observed(self) -> Assumption:
        """Whether one function runs, and every weight takes part in it."""
        d_model = self._found.sizes.d_model
        return observed(
            self._part, d_model, lambda part, x: self._forward(part, x, None), self._fused()
        )

    def _fused(self) -> Known | None:
        """What the layer may compute under ``no_grad`` instead of its own function."""
        return None

    def _copy(self) -> Any:
        try:
            part = _unshared(copied(self._part)).eval()
        except RAISED as e:
            raise self._broken(e, ()) from e
        for parameter in part.parameters():
            parameter.requires_grad_(True)
        return part

    def _call(self, part: Any, x: Any, mask: Any) -> Any:
        """The output for one sequence ``(seq_len, d_model)``.

        Raises:
            ModelCodeError: the model's code raises an error.
        """
        try:
            return self._forward(part, x, mask)
        except RAISED as e:  # the code is the user's: anything can happen
            raise self._broken(e, x.shape) from e

    def _broken(self, error: BaseException, shape: Sequence[int]) -> ModelCodeError:
        return ModelCodeError(
            f"--model {self._where}: running {self._found.name} on {list(shape)} in float64 raised "
            f"{said(error)}",
            remedy="try the layer by hand: part.double().eval()(x)",
        )

    def _forward(self, part: Any, x: Any, mask: Any) -> Any:
        raise NotImplementedError

    def _use(self, part: Any, activation: Any) -> None:
        raise NotImplementedError

    def _mask(self, mask: FloatArray | None) -> Any:
        return None if mask is None else self._tensor(mask)

    def _tensor(self, value: FloatArray) -> Any:
        return self._torch.tensor(np.ascontiguousarray(value), dtype=self._torch.float64)

    @staticmethod
    def _numpy(value: Any) -> FloatArray:
        return np.asarray(value.double().numpy(), dtype=np.float64)


def _unshared(part: Any) -> Any:
    """Parts and parameters that occur in several places, each with its own copy: the theorem's
    gradients are by place, and autograd adds up those of one object."""
    seen: set[int] = set()
    for holder in list(part.modules()):
        for name, child in list(holder._modules.items()):
            if child is not None and id(child) in seen:
                setattr(holder, name, copy.deepcopy(child))
            seen.add(id(child))
    seen.clear()
    for holder in part.modules():
        for name, parameter in list(holder._parameters.items()):
            if parameter is not None and id(parameter) in seen:
                holder._parameters[name] = copy.deepcopy(parameter)
            seen.add(id(parameter))
    return part


class PyTorchReference(_Reference):
    """``nn.TransformerEncoderLayer`` and classes derived from it."""

    def _forward(self, part: Any, x: Any, mask: Any) -> Any:
        first = bool(part.self_attn.batch_first)
        output = part(x[None] if first else x[:, None], src_mask=mask)
        return output[0] if first else output[:, 0]

    def _fused(self) -> Known:
        """PyTorch's fused path treats every GELU as the one with erf (any ``nn.GELU`` sets
        ``activation_relu_or_gelu`` to 2)."""
        return Known(
            "the block with erf-GELU, which PyTorch's fused path uses for its activation",
            lambda part: self._use(part, self._torch.nn.GELU()),
        )

    def _use(self, part: Any, activation: Any) -> None:
        part.activation = activation
        part.activation_relu_or_gelu = 0  # the fused path knows only ReLU and erf-GELU


class BertReference(_Reference):
    """``transformers.BertLayer`` and layers with its parts."""

    def _forward(self, part: Any, x: Any, mask: Any) -> Any:
        if mask is not None:  # as transformers does: the least number replaces −∞
            least = self._torch.finfo(mask.dtype).min
            mask = mask.clamp(min=least)[None, None]
        output = part(x[None], attention_mask=mask)
        return (output[0] if isinstance(output, tuple) else output)[0]

    def _use(self, part: Any, activation: Any) -> None:
        part.intermediate.intermediate_act_fn = activation


class DistilBertReference(BertReference):
    """DistilBERT's ``TransformerBlock`` and layers with its parts."""

    def _use(self, part: Any, activation: Any) -> None:
        part.ffn.activation = activation
