"""Identities that a project's checks can measure on any graph.

Projects' own checks import it from here.
"""

from numeric.judge.identities import (
    backprop_is_adjoint,
    backprop_matches,
    jvp_is_derivative,
    jvp_matches,
    operations,
    operations_are_right,
    remainder_vanishes,
    value_matches,
)

__all__ = [
    "backprop_is_adjoint",
    "backprop_matches",
    "jvp_is_derivative",
    "jvp_matches",
    "operations",
    "operations_are_right",
    "remainder_vanishes",
    "value_matches",
]
