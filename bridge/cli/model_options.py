"""The options of `obligations audit` that are about a model."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from bridge.capture.user_code import LOGGER, blamed
from bridge.cli.options import LeanChoice
from bridge.cli.progress_bar import Watch
from bridge.errors import InvalidInputError
from bridge.models.inputs import DEFAULT_SEQ_LEN
from bridge.models.read import read_model
from bridge.models.run import run_audit, source_of
from bridge.models.settings import Options
from bridge.report import Report

__all__ = ["ModelChoice", "audit_of_model", "model_options"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The command line's options for a model."""

    reference: str
    inputs: Path | None
    seq_len: int | None
    options: Options
    whole: bool = False


def model_options(command: F) -> F:
    """``--model`` and its options, as one argument ``model``; ``None`` without ``--model``.

    Raises:
        InvalidInputError: one of its options is given without ``--model``.
    """

    @wraps(command)
    def gathered(
        *args: Any,
        model_reference: str | None,
        inputs_file: Path | None,
        seq_len: int | None,
        heads: int | None,
        eps: float | None,
        activation: str | None,
        post_norm: bool | None,
        whole: bool,
        **kwargs: Any,
    ) -> Any:
        options = Options(heads, eps, activation, post_norm)
        choice = None
        if model_reference is not None:
            choice = ModelChoice(model_reference, inputs_file, seq_len, options, whole)
        elif (inputs_file, seq_len, options, whole) != (None, None, Options(), False):
            raise InvalidInputError(
                "--inputs, --seq-len, --heads, --eps, --activation, --post-norm and --whole are "
                "about a model",
                remedy="name it with --model",
            )
        return command(*args, model=choice, **kwargs)

    result: Any = gathered
    for option in reversed(_OPTIONS):
        result = option(result)
    return cast(F, result)


_OPTIONS = (
    click.option(
        "--model",
        "model_reference",
        metavar="MODEL",
        help="Audit the encoder layers of this model instead: a .safetensors file, the index "
        "of several, a folder with one of these, or a torch module as pkg.module:object.",
    ),
    click.option(
        "--inputs",
        "inputs_file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE.npz",
        help="The input of the model's first layer: x, and optionally mask or attention_mask; "
        "default: --instances random sequences, by default 1.",
    ),
    click.option(
        "--seq-len",
        type=click.IntRange(min=1),
        metavar="N",
        help=f"How many tokens a random sequence has; default {DEFAULT_SEQ_LEN}.",
    ),
    click.option(
        "--heads",
        type=click.IntRange(min=1),
        metavar="N",
        help="The model's number of attention heads, if the model does not say.",
    ),
    click.option(
        "--eps", type=float, metavar="X", help="Its LayerNorm's ε, if the model does not say."
    ),
    click.option(
        "--activation",
        metavar="NAME",
        help="Its activation, if it does not say: gelu_new is GELU by tanh, gelu by erf.",
    ),
    click.option(
        "--post-norm/--pre-norm",
        default=None,
        help="Where its LayerNorms are, if the model does not say.",
    ),
    click.option(
        "--whole",
        is_flag=True,
        help="Capture the whole model too, with its loss if it accepts labels (random ones unless "
        "--inputs has labels), and compare its gradients with autograd.",
    ),
)


def audit_of_model(
    lean: LeanChoice,
    choice: ModelChoice,
    *,
    seed: int | None,
    sequences: int | None,
    look_behind: bool,
    use_cache: bool,
    strict: bool | None,
    certify: bool = False,
    tracebacks: bool = False,
) -> Report:
    """The audit that the command line requests.

    The output of the model's code goes to stderr: stdout is for the report.  ``tracebacks`` shows
    the tracebacks of its code there.
    """
    if choice.inputs is not None and (sequences is not None or choice.seq_len is not None):
        raise InvalidInputError(
            "--inputs gives the sequences, so --instances and --seq-len have no effect",
            remedy="leave them out",
        )
    said = blamed(choice.reference)
    with Watch() as watch, _shown(tracebacks), redirect_stdout(sys.stderr), said:
        model = read_model(choice.reference, choice.options)
        setup = lean.set_up(watch)
        source = source_of(
            choice.inputs,
            seed=setup.seed(seed),
            sequences=sequences or 1,
            seq_len=choice.seq_len or DEFAULT_SEQ_LEN,
        )
        return run_audit(
            setup,
            model,
            source,
            seed=seed,
            look_behind=look_behind,
            use_cache=use_cache,
            strict=strict,
            certify=certify,
            whole=choice.whole,
            progress=watch,
        )


@contextmanager
def _shown(tracebacks: bool) -> Iterator[None]:
    """Inside, show the errors of the model's own code, with tracebacks."""
    handler = logging.StreamHandler(sys.stderr)
    level = LOGGER.level
    if tracebacks:
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)
