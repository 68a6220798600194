"""The backend of a name: ``numpy``, ``jax`` or ``torch``, the latter two with a device."""

from __future__ import annotations

from functools import cache

from numeric.backends.backend import Backend
from numeric.backends.jax import JaxBackend
from numeric.backends.torch import TorchBackend
from numeric.errors import BackendError

__all__ = ["BACKENDS", "backend_named"]

BACKENDS = ("numpy", "jax", "torch")


@cache
def backend_named(name: str) -> Backend | None:
    """The backend; None for numpy, which runs everything that no backend does.

    Args:
        name: one of `BACKENDS`; ``jax`` and ``torch`` may have a device after a colon, such as
            ``torch:cuda:1``.

    Raises:
        BackendError: there is no such backend or device, or its library is not installed.
    """
    kind, _, device = name.partition(":")
    if kind not in BACKENDS or (kind == "numpy" and device):
        known = ", ".join(BACKENDS)
        raise BackendError(f"expected a backend among {known} but got {name!r}")
    try:
        if kind == "jax":
            return JaxBackend(device)
        if kind == "torch":
            return TorchBackend(device)
    except ImportError as error:
        raise BackendError(
            f"the backend {kind} is not installed: {error}",
            f"pip install 'lean-obligations[{kind}]'",
        ) from error
    except ValueError as error:
        raise BackendError(f"{kind} has no device {device!r}: {error}") from error
    return None
