"""Models that are torch modules: encoder layers that are recognized by the names of their parts.

Other layers are captured as they run: see `bridge.models.what_runs`.  Recognized are PyTorch's
``nn.TransformerEncoderLayer``, and layers with the parts of Hugging Face's ``BertLayer`` or of
DistilBERT's ``TransformerBlock``.  Numbers of heads, ε and activations are read from the objects;
weights are copied to float64 one layer at a time.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bridge.capture import Calls, copied, eagerly, layers_of, observe_calls
from bridge.capture.user_code import RAISED, said
from bridge.errors import InvalidInputError
from bridge.models import assumptions
from bridge.models.activations import recognized
from bridge.models.files import head_dim, with_defaults
from bridge.models.layer import BIASES, Layer, Model
from bridge.models.naming import BERT, DISTILBERT, PYTORCH, Found, Naming, find_layers
from bridge.models.references import BertReference, DistilBertReference, PyTorchReference
from bridge.models.settings import Options
from bridge.models.stored import finite
from bridge.report.layers import Assumption

__all__ = ["read_module", "referred"]

FloatArray = npt.NDArray[np.float64]


def referred(reference: str) -> object:
    """The object of a reference ``pkg.module:object``; a function or a class is called.

    Raises:
        InvalidInputError: it does not exist, or making it raises an error.
    """
    module_name, _, path = reference.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:  # as with `python -m`
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
        for name in path.split("."):
            found = getattr(found, name)
        if (callable(found) and not hasattr(found, "named_modules")) or isinstance(found, type):
            found = found()
    except RAISED as e:  # the module is the user's: anything can happen
        raise InvalidInputError(
            f"--model {reference}: {said(e, 2000)}",
            remedy="name a torch module as pkg.module:object, or a function that makes one; "
            "modules are looked for in this folder too; -v shows the traceback of your own code",
        ) from e
    return found


def _torch(where: str) -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError as e:
        raise InvalidInputError(
            f"--model {where}: torch is not installed",
            remedy="install it: pip install torch; a .safetensors file needs none",
        ) from e


@eagerly()
def read_module(module: Any, where: str, options: Options) -> Model:
    """The model in a torch module.

    Args:
        module: an ``nn.Module`` that is, or holds, encoder layers.
        where: its name, for messages.
        options: the caller's options; none may be set, since the object itself has everything.

    Raises:
        InvalidInputError: torch is missing, or it is not a module, or one without parameters.
    """
    torch = _torch(where)
    if not isinstance(module, torch.nn.Module):
        raise InvalidInputError(
            f"--model {where}: expected a torch.nn.Module but got {type(module).__name__}",
            remedy="name a module, or a function without arguments that makes one",
        )
    module, settings = _as_written(torch, module, where)
    if options != Options():
        raise InvalidInputError(
            f"--model {where}: a torch module itself has its heads, ε, activation and norms",
            remedy="leave --heads, --eps, --activation and --post-norm out",
        )
    if next(module.parameters(), None) is None:
        kinds = ", ".join(dict.fromkeys(type(m).__name__ for m in module.modules()))
        raise InvalidInputError(
            f"--model {where}: it has no parameters; its parts: {kinds:.200}",
            remedy="name a module with weights",
        )
    judged, bad = _readable(torch, dict(_layers(torch, module)), where)
    parts = {name: module.get_submodule(name) for name in judged}
    layers = tuple(judged.values())
    alone = "" in parts or not layers
    calls = Calls() if alone else observe_calls(module, parts, layers[0].d_model)
    layers = tuple(
        replace(la, assumptions=(*la.assumptions, calls.by_layer[name]))
        if name in calls.by_layer
        else la
        for name, la in zip(parts, layers, strict=True)
    )
    found = (*parts, *(n for n in layers_of(module) if n not in parts))
    prefixes = tuple(f"{name}." if name else "" for name in found)
    outside = tuple(n for n, _ in module.named_parameters() if not n.startswith(prefixes))
    held = parts.values() if parts else (module,)
    dtypes = {str(p.dtype).removeprefix("torch.") for part in held for p in part.parameters()}
    types = [la.type for la in layers] or [
        type(module.get_submodule(n)).__name__ for n in layers_of(module)
    ]
    return Model(
        source=where,
        kind="torch",
        naming=" and ".join(dict.fromkeys(types)),
        dtype=" and ".join(sorted(dtypes)),
        settings=(*_settings(layers), *settings),
        layers=layers,
        assumptions=(
            assumptions.final_norm(_final_norms(torch, module)),
            *assumptions.calls(calls.unknown),
            *bad,
        ),
        outside=outside,
        module=module,
    )


def _as_written(torch: Any, module: Any, where: str) -> tuple[Any, tuple[str, ...]]:
    """The module with its original code, and remarks about it.

    Raises:
        InvalidInputError: it has lost this code, or has no numbers.
    """
    if isinstance(module, torch.jit.ScriptModule):
        raise InvalidInputError(
            f"--model {where}: it is scripted or traced (torch.jit), so its layers have no code",
            remedy="name the module that it was made from",
        )
    empty = next((n for n, p in module.named_parameters() if p.is_meta), None)
    if empty is not None:
        raise InvalidInputError(
            f"--model {where}: {empty} is on the meta device, where it has no numbers",
            remedy="load its weights, or module.to_empty(device='cpu') and initialize it",
        )
    written = getattr(module, "_orig_mod", None)
    if written is None:
        return module, ()
    return written, ("compiled: the code given to torch.compile is audited",)


def _readable(
    torch: Any, parts: Mapping[str, Any], where: str
) -> tuple[dict[str, Layer], tuple[Assumption, ...]]:
    """The layers that can be read, and why the others cannot: an error in one never hides the
    rest."""
    judged: dict[str, Layer] = {}
    errors: dict[str, InvalidInputError] = {}
    for name, part in parts.items():
        try:
            judged[name] = _layer(torch, name, part, where)
        except InvalidInputError as e:
            errors[name] = e
        except RAISED as e:  # the object is the user's: it may lack what its type should have
            errors[name] = InvalidInputError(
                f"--model {where}: {name or type(part).__name__} ({type(part).__name__}) cannot be "
                f"read: {said(e)}",
                remedy="only layers with all parts of the layers named in the docs are read",
            )
    expected = "a layer that can be read"
    return judged, tuple(
        Assumption(name, expected, f"not judged: {e.message}", False) for name, e in errors.items()
    )


def _settings(layers: tuple[Layer, ...]) -> tuple[str, ...]:
    if not layers:
        return ()
    heads = " and ".join(dict.fromkeys(str(la.num_heads) for la in layers))
    eps = " and ".join(dict.fromkeys(f"{e:g}" for la in layers for e in la.eps))
    return (f"heads: {heads}, by the object", f"ε: {eps}, by the object")


def _layers(torch: Any, module: Any) -> Iterator[tuple[str, Any]]:
    """The encoder layers with their names, in the order of the module; none inside another."""
    taken: list[str] = []
    for name, part in module.named_modules():
        inside = any(name.startswith(f"{t}.") for t in taken)
        if not inside and _is_known(torch, part):
            taken.append(name)
            yield name, part


def _is_known(torch: Any, part: Any) -> bool:
    """Whether its type or its parts are those of a known layer; False for a part that cannot be
    read."""
    try:
        return _is_pytorch(torch, part) or _is_bert(part) or _is_distilbert(part)
    except RAISED:  # a user's property may raise anything
        return False


def _is_pytorch(torch: Any, part: Any) -> bool:
    return isinstance(part, torch.nn.TransformerEncoderLayer)


def _is_bert(part: Any) -> bool:
    """Whether it has the parts of a BertLayer."""
    attention = getattr(part, "attention", None)
    return (
        all(hasattr(getattr(attention, "self", None), p) for p in ("query", "key", "value"))
        and hasattr(getattr(attention, "output", None), "dense")
        and hasattr(getattr(part, "intermediate", None), "dense")
        and hasattr(getattr(part, "output", None), "dense")
    )


def _is_distilbert(part: Any) -> bool:
    """Whether it has the parts of DistilBERT's TransformerBlock."""
    attention, ffn = getattr(part, "attention", None), getattr(part, "ffn", None)
    return (
        all(hasattr(attention, f"{p}_lin") for p in ("q", "k", "v", "out"))
        and all(hasattr(ffn, p) for p in ("lin1", "lin2", "activation"))
        and all(hasattr(part, p) for p in ("sa_layer_norm", "output_layer_norm"))
    )


def _final_norms(torch: Any, module: Any) -> tuple[str, ...]:
    """The norms that come after the stacks."""
    return tuple(
        f"{name}.norm" if name else "norm"
        for name, part in module.named_modules()
        if isinstance(part, torch.nn.TransformerEncoder) and part.norm is not None
    )


def _layer(torch: Any, name: str, part: Any, where: str) -> Layer:
    prefix = f"{name}." if name else ""
    everywhere = part.named_parameters(remove_duplicate=False)  # one norm may occur twice
    shapes = {prefix + n: tuple(p.shape) for n, p in everywhere}
    found = find_layers(shapes, f"--model {where}")[0]
    read = _reader(part, found, where)
    norms = _norms(part, found.naming)
    heads, function = _heads_and_activation(part, found.naming)
    activation, distance = recognized(_in_numpy(torch, function))
    order = _norm_order(part, found)
    reference = _REFERENCES[found.naming.title](part, found, where)
    training, rate = _dropout(torch, part)
    # If dropout is known to be on, calls differ.
    runs = () if training and rate > 0 else (reference.observed(),)
    runs = (*runs, *assumptions.gradient_hooks(assumptions.hooked(part)))
    return Layer(
        name=name or type(part).__name__,
        type=type(part).__name__,
        stack=found.stack,
        d_model=found.sizes.d_model,
        d_ff=found.sizes.d_ff,
        num_heads=heads,
        head_dim=head_dim(found.sizes.width, heads, f"--model {where}: {name}"),
        eps=tuple(float(getattr(n, "eps", 0.0) or 0.0) for n in norms),  # type: ignore[arg-type]
        activation=activation,
        biased=any(found.has(b) for b in BIASES),
        measurable=order.met is not False and not found.others,
        assumptions=(
            order,
            assumptions.norm_type(tuple(type(n).__name__ for n in norms), ()),
            assumptions.gains(
                tuple(n for n in ("gamma1", "gamma2") if not found.has(n)), declared=True
            ),
            assumptions.activation(activation, _shown(activation, function, distance)),
            assumptions.dropout(training, rate),
            assumptions.attention(_extras(part, found.naming)),
            assumptions.nothing_else(found),
            *runs,
        ),
        load=lambda: with_defaults(found.naming.tensors(found.names, read), found),
        reference=reference,
    )


_REFERENCES = {
    PYTORCH.title: PyTorchReference,
    BERT.title: BertReference,
    DISTILBERT.title: DistilBertReference,
}


def _heads_and_activation(part: Any, naming: Naming) -> tuple[int, Any]:
    """The number of heads, and the function between the feed-forward's two maps."""
    if naming is PYTORCH:
        return int(part.self_attn.num_heads), part.activation
    if naming is DISTILBERT:
        return int(part.attention.n_heads), part.ffn.activation
    return int(part.attention.self.num_attention_heads), part.intermediate.intermediate_act_fn


def _reader(part: Any, found: Found, where: str) -> Callable[[str], FloatArray]:
    parameters = dict(part.named_parameters(remove_duplicate=False))

    def read(stored: str) -> FloatArray:
        value = parameters[stored.removeprefix(found.prefix)].detach().cpu().double().numpy()
        return finite(value, stored, f"--model {where}")

    return read


def _in_numpy(torch: Any, function: Any) -> Callable[[FloatArray], FloatArray]:
    if hasattr(function, "modules"):  # it may have parameters
        function = copied(function)

    def call(x: FloatArray) -> FloatArray:
        with torch.no_grad():
            value = function(torch.from_numpy(x.copy()))
            return np.asarray(value.numpy(), dtype=np.float64)

    return call


def _shown(activation: str | None, function: Any, distance: float) -> str:
    if activation is not None:
        return f"{activation}, by its values"
    name = getattr(function, "__name__", type(function).__name__)
    return f"{name}, which differs from tanh-GELU by up to {distance:.2g} on [−8, 8]"


def _norms(part: Any, naming: Naming) -> tuple[Any, Any]:
    if naming is PYTORCH:
        return part.norm1, part.norm2
    if naming is DISTILBERT:
        return part.sa_layer_norm, part.output_layer_norm
    return (
        getattr(part.attention.output, "LayerNorm", None)
        or getattr(part.attention, "LayerNorm", None),
        getattr(part.output, "LayerNorm", None) or getattr(part.intermediate, "LayerNorm", None),
    )


def _norm_order(part: Any, found: Found) -> Assumption:
    if found.naming is DISTILBERT:
        return assumptions.norm_order(True, "the parts of the object")
    if found.naming is BERT:
        pre = any(n.startswith(found.prefix + "attention.LayerNorm.") for n in found.others)
        return assumptions.norm_order(not pre, "the parts of the object")
    return assumptions.norm_order(not part.norm_first, "norm_first of the object")


def _dropout(torch: Any, part: Any) -> tuple[bool, float]:
    """Whether some dropout is in training mode, and the largest probability."""
    modules = [m for m in part.modules() if isinstance(m, torch.nn.Dropout)]
    rates = [(m.training, float(m.p)) for m in modules]
    attention = getattr(part, "self_attn", None)
    if attention is not None:
        rates.append((attention.training, float(attention.dropout)))
    training = any(on and p > 0 for on, p in rates)
    return training, max((p for _, p in rates), default=0.0)


def _extras(part: Any, naming: Naming) -> tuple[str, ...]:
    """What attention does beyond the theorem's attention."""
    if naming is PYTORCH:
        attention = part.self_attn
        return tuple(
            words
            for there, words in (
                (attention.bias_k is not None, "a learned extra key (add_bias_kv)"),
                (attention.add_zero_attn, "an extra key of zeros (add_zero_attn)"),
            )
            if there
        )
    inner = part.attention if naming is DISTILBERT else part.attention.self
    positions = getattr(inner, "position_embedding_type", "absolute") or "absolute"
    return tuple(
        words
        for there, words in (
            (getattr(inner, "is_causal", False), "causal"),
            (getattr(part, "add_cross_attention", False), "cross-attention"),
            (positions != "absolute", f"{positions} positions in the scores"),
        )
        if there
    )
