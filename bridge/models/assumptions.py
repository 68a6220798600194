"""What the theorems assume about a layer, each as a question with three answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.models.naming import Found
from bridge.models.settings import Setting
from bridge.models.theorems import PROVED_ACTIVATIONS
from bridge.report.layers import Assumption

__all__ = [
    "activation",
    "adapters",
    "attention",
    "calls",
    "configuration",
    "depth",
    "dropout",
    "enough",
    "final_norm",
    "gains",
    "gradient_hooks",
    "hooked",
    "mask",
    "norm_order",
    "norm_type",
    "nothing_else",
    "one_function",
    "one_token",
    "positions",
    "pruned",
    "seen",
]

UNKNOWN = "the file does not say"
SEEN = 1e-6
"""A share of a gradient: larger errors should be noticed."""


def norm_order(post_norm: bool | None, source: str) -> Assumption:
    """LayerNorm comes after each residual."""
    expected = "post-norm"
    if post_norm is None:
        found = f"{UNKNOWN}; give --post-norm or --pre-norm, or norm_first in config.json"
        return Assumption("order of the norms", expected, found, None)
    found = f"{'post-norm' if post_norm else 'pre-norm'}, by {source}"
    return Assumption("order of the norms", expected, found, post_norm)


def activation(name: str | None, shown: str) -> Assumption:
    """Some theorem has the feed-forward layer's activation.

    Args:
        name: one of `bridge.models.activations.ACTIVATIONS`.
        shown: the activation in words, with its source; empty if unknown.
    """
    expected = f"{', '.join(PROVED_ACTIVATIONS[:-1])} or {PROVED_ACTIVATIONS[-1]}"
    if not shown:
        found = f"{UNKNOWN}; give --activation, or hidden_act in config.json"
        return Assumption("activation", expected, found, None)
    return Assumption("activation", expected, shown, name in PROVED_ACTIVATIONS)


def dropout(training: bool, largest: float) -> Assumption:
    """Dropout is off.  A file holds the function without dropout."""
    on = training and largest > 0
    if on:
        found = f"on, up to p = {largest:g}, in training mode; measured in evaluation mode"
    else:
        found = f"off{f' (p = {largest:g} in training)' if largest > 0 else ''}"
    return Assumption("dropout", "off", found, not on, apart=True)


def gains(missing: tuple[str, ...], *, declared: bool) -> Assumption:
    """Both LayerNorms have a gain.

    Args:
        missing: names of the missing gains.
        declared: whether the model itself says that it has none, so that they are 1.
    """
    if not missing:
        return Assumption("LayerNorm weights", "gamma in both", "both present", True)
    names = " and ".join(missing)
    found = f"{names} {'is' if len(missing) == 1 else 'are'} missing; measured with 1"
    return Assumption("LayerNorm weights", "gamma in both", found, declared)


def norm_type(names: tuple[str, ...], missing_biases: tuple[str, ...]) -> Assumption:
    """The normalization subtracts the mean.

    Args:
        names: types of the two objects, empty for a file.
        missing_biases: for a file, the missing betas.
    """
    title, expected = "kind of the norms", "LayerNorm"
    if names:
        others = [n for n in names if n != "LayerNorm"]
        return Assumption(title, expected, " and ".join(dict.fromkeys(names)), not others)
    if missing_biases:
        found = f"without {' and '.join(missing_biases)} it may be an RMSNorm: {UNKNOWN}"
        return Assumption(title, expected, found, None)
    return Assumption(title, expected, "LayerNorm, by the names", True)


def attention(extras: tuple[str, ...]) -> Assumption:
    """Attention is plain: no extra keys, not causal by itself, no cross-attention."""
    found = " and ".join(extras) or "plain self-attention"
    return Assumption("attention", "plain self-attention", found, not extras)


def positions(setting: Setting | None) -> Assumption | None:
    """Positions do not enter the scores."""
    if setting is None:
        return None
    return Assumption("positions", "absolute", str(setting), setting.value == "absolute")


def nothing_else(found: Found) -> Assumption:
    """The layer has no further tensors."""
    if not found.others:
        return Assumption("tensors", "those of a post-norm layer", "no others", True)
    others = ", ".join(n.removeprefix(found.prefix) for n in found.others)
    return Assumption("tensors", "those of a post-norm layer", f"it also has {others}", False)


def mask(hidden: bool, finite: bool) -> Assumption:
    """The mask that is added to the scores consists of real numbers.

    Args:
        hidden: whether there is a mask that hides tokens by −∞.
        finite: whether there is a mask of numbers.
    """
    title, expected = "mask", "real numbers, added to the scores"
    if hidden:
        found = "hides tokens by −∞, which is not a real number; measured with −10⁴ instead"
        return Assumption(title, expected, found, False)
    return Assumption(title, expected, "real numbers" if finite else "none", True)


def pruned(setting: Setting | None) -> tuple[str, ...]:
    """That heads were pruned, in words: the rest have neither the full number nor the full
    width."""
    if setting is None or not any(setting.value.values()):
        return ()
    return (f"pruned heads, by {setting.source}",)


def depth(stacks: Mapping[str, int], setting: Setting | None) -> tuple[Assumption, ...]:
    """The file has as many layers as the model says; nothing if it does not say.  For a model with
    an encoder and a decoder the number may be for one of them.

    Args:
        stacks: how many layers each stack has.
        setting: how many it should have.
    """
    if setting is None:
        return ()
    found = sum(stacks.values())
    said = f"{found}, and {setting.value} by {setting.source}"
    met = setting.value in {found, *stacks.values()}
    return (Assumption("layers", "all of the model's, and no others", said, met),)


def enough(ran: int, said: int, key: str) -> tuple[Assumption, ...]:
    """A torch module runs as many layers as its configuration says; nothing if it does.

    Args:
        ran: how many run.
        said: how many should run.
        key: the key in the configuration.
    """
    if ran >= said:
        return ()
    found = f"{ran} run, and {key} is {said} in the model's own configuration"
    return (Assumption("layers", "all of the model's", found, False),)


def one_function(found: tuple[str, ...], unknown: tuple[str, ...]) -> Assumption:
    """A model is one function, and returns its gradient, outside of its layers too.

    Args:
        found: the deviations.
        unknown: what could not be decided.
    """
    expected = "one function, whose gradient autograd gives"
    text = "; ".join((*found, *unknown)) or "as expected, by central differences"
    met = False if found else None if unknown else True
    return Assumption("before, between and after its layers", expected, text, met)


def one_token() -> Assumption:
    """More than one token, so that each attends to others, by its queries and their keys."""
    found = "one: its only weight is 1, so queries and keys have no visible effect"
    return Assumption("tokens", "at least two", found, None)


def seen(blind: Mapping[str, float]) -> tuple[Assumption, ...]:
    """An error of a millionth in any gradient would be noticed on these inputs: nothing if it
    would, else a note next to the theorem, which applies nevertheless.

    Args:
        blind: for each gradient, the share of it that could be wrong unnoticed: 1 if only rounding
            is left of it, as behind a saturated softmax.
    """
    dark = {n: share for n, share in blind.items() if share > SEEN}
    if not dark:
        return ()
    gone = [n for n, share in dark.items() if share >= 1.0]
    rest = [f"{n} below {share:.1g} of it" for n, share in dark.items() if share < 1.0]
    words = [f"any error in the gradient of {', '.join(gone)}"] if gone else []
    words += [f"an error in the gradient of {', '.join(rest)}"] if rest else []
    text = f"rounding hides, on these inputs, {' and '.join(words)}"
    title, expected = "what is seen", "an error of a millionth in any gradient"
    return (Assumption(title, expected, text, True, note=text, apart=True),)


def calls(unknown: str) -> tuple[Assumption, ...]:
    """How the model calls its layers: nothing if that was observed.

    Args:
        unknown: the error that running it raised.
    """
    if not unknown:
        return ()
    found = f"not known: running it raised {unknown}; give --inputs that it takes"
    return (Assumption("how it calls its layers", "seen in one forward pass", found, None),)


def configuration(unread: tuple[str, ...]) -> tuple[Assumption, ...]:
    """No unread entry of the configuration changes a layer: nothing if all entries are
    understood."""
    if not unread:
        return ()
    found = f"not understood: {', '.join(unread)}"
    return (Assumption("configuration", "entries that are understood", found, None),)


def adapters(names: tuple[str, ...]) -> tuple[Assumption, ...]:
    """No adapter, which would change the weights, is in the model's folder."""
    if not names:
        return ()
    found = f"{', '.join(names)} next to the file: merge it into the weights and audit those"
    return (Assumption("adapters", "none", found, None),)


def gradient_hooks(names: tuple[str, ...]) -> tuple[Assumption, ...]:
    """Nothing changes a gradient after backprop."""
    if not names:
        return ()
    found = f"hooks on {', '.join(names)}, whose gradients they may change"
    return (Assumption("gradients", "those of backprop", found, None, foreign=True, apart=True),)


def hooked(part: Any) -> tuple[str, ...]:
    """Parameters of a torch module with hooks on their gradients, which a copy of it lacks."""
    kinds = ("_backward_hooks", "_post_accumulate_grad_hooks")
    return tuple(
        n for n, p in part.named_parameters() if any(getattr(p, kind, None) for kind in kinds)
    )


def final_norm(names: tuple[str, ...]) -> Assumption:
    """Nothing comes after the last layer."""
    title, expected = "after the stack", "nothing"
    if names:
        return Assumption(title, expected, f"a norm of its own: {', '.join(names)}", False)
    return Assumption(title, expected, "nothing", True)
