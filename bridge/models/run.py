"""The audit of a model in one call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bridge.auditing.configured import Setup, set_up
from bridge.capture.user_code import blamed
from bridge.errors import InvalidInputError
from bridge.lean.library import read_library
from bridge.models.audit import graph_requests, judge_model
from bridge.models.inputs import DEFAULT_SEQ_LEN, Given
from bridge.models.layer import Model
from bridge.models.proofs import prover
from bridge.models.read import read_model
from bridge.models.settings import Options
from bridge.progress import Progress
from bridge.report import Report

__all__ = ["audit_model", "run_audit", "source_of"]

Arrays = Mapping[str, npt.NDArray[np.generic]]


def source_of(
    inputs: Path | Arrays | None,
    *,
    seed: int = 0,
    sequences: int = 1,
    seq_len: int = DEFAULT_SEQ_LEN,
) -> Given:
    """The source of the sequences.

    Args:
        inputs: an ``.npz`` file, or arrays by name: see `bridge.models.inputs`; ``None`` for random
            ones.
        seed: determines random sequences.
        sequences: how many random sequences.
        seq_len: how many tokens each has.
    """

    return Given(inputs, seed, sequences, seq_len)


def run_audit(
    setup: Setup,
    model: Model,
    source: Given,
    *,
    seed: int | None = None,
    look_behind: bool = True,
    use_cache: bool = True,
    strict: bool | None = None,
    certify: bool = False,
    whole: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Ask Lean for the graphs at the sizes of the model's layers, and judge the model.

    Args:
        setup: the project, and the Lean to ask.
        model: the model.
        source: gives the sequences.
        seed: determines random directions; ``None`` means the project's setting.
        look_behind: send every constant to the kernel again.
        use_cache: use cached answers of Lean.
        strict: whether what was not looked at makes the audit incomplete.
        certify: bound the error of what every layer returns: see `bridge.models.certificates`.
        whole: capture the whole model too, with its loss if it has one.
        progress: the callback that receives updates.

    Raises:
        InvalidInputError: ``certify`` or ``whole`` with a file, which has no code to run.
        ObligationsError: see :func:`bridge.lean.library.read_library` and
            :func:`bridge.models.audit.judge_model`.
    """
    if certify and model.module is None:
        raise InvalidInputError(
            "--certify bounds the gradients that a model returns, and a file holds weights alone",
            remedy="name a torch module with these weights: --model pkg.module:object",
        )
    if whole and model.module is None:
        raise InvalidInputError(
            "--whole captures what a model runs, and a file holds weights alone",
            remedy="name a torch module with these weights: --model pkg.module:object",
        )
    library = read_library(
        setup.project,
        setup.engine,
        graph_requests(model, source),
        timeout=setup.timeout,
        progress=progress,
        use_cache=use_cache,
    )
    return judge_model(
        library,
        model,
        source,
        seed=setup.seed(seed),
        policy=setup.policy,
        trust=setup.trust(progress, use_cache=use_cache, library=library) if look_behind else None,
        strict=setup.strict(strict),
        progress=progress,
        prove=prover(setup, progress, use_cache=use_cache),
        certify=certify,
        whole=whole,
    )


def audit_model(
    model: object,
    *,
    inputs: str | Path | Arrays | None = None,
    heads: int | None = None,
    eps: float | None = None,
    activation: str | None = None,
    post_norm: bool | None = None,
    seed: int | None = None,
    sequences: int = 1,
    seq_len: int = DEFAULT_SEQ_LEN,
    project: str | Path = ".",
    engine: str | None = None,
    look_behind: bool = True,
    strict: bool | None = None,
    certify: bool = False,
    whole: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Audit every encoder layer of a model against the theorems of the post-norm block.

    Args:
        model: a ``.safetensors`` file, the index of several or a folder with one of these, a
            reference ``pkg.module:object``, or a torch module.
        inputs: of the first layer: an ``.npz`` file or arrays by name, x ``(seq_len, d_model)`` or
            ``(batch, seq_len, d_model)``, and mask or attention_mask; ``None`` for random ones.
        heads: the number of attention heads, if the model does not say.
        eps: LayerNorm's ε, if the model does not say.
        activation: the activation, such as ``gelu_new``, if the model does not say.
        post_norm: whether LayerNorm comes after each residual, if the model does not say.
        seed: determines random numbers.
        sequences: how many random sequences.
        seq_len: how many tokens each has.
        project: the Lean project with the theorems.
        engine: which Lean to ask: ``auto``, ``lake``, ``embedded`` or ``lock``.
        look_behind: send every constant to Lean's kernel again, as an audit of the library does.
        strict: whether what was not looked at makes the audit incomplete.
        certify: enclose value and gradients of what every layer runs in ball arithmetic, and bound
            how far the model's results are from them; needs a torch module.
        whole: capture the whole model too, with its loss if it has one; needs a torch module.
        progress: the callback that receives updates.

    Returns:
        The report; its ``model`` has the layers one by one.

    Raises:
        ObligationsError: see `bridge.models.read_model` and `bridge.models.judge_model`.
    """
    where = model if isinstance(model, str) else type(model).__name__
    with blamed(where):
        read = read_model(model, Options(heads, eps, activation, post_norm))
        setup = set_up(Path(project), engine=engine)
        source = source_of(
            Path(inputs) if isinstance(inputs, str) else inputs,
            seed=setup.seed(seed),
            sequences=sequences,
            seq_len=seq_len,
        )
        return run_audit(
            setup,
            read,
            source,
            seed=seed,
            look_behind=look_behind,
            strict=strict,
            certify=certify,
            whole=whole,
            progress=progress,
        )
