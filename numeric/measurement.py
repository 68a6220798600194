"""What a check returns: residuals and tolerances for each instance.

Projects' own checks import it from here.
"""

from numeric.judge.measurement import Measurement, Outcome, combine

__all__ = ["Measurement", "Outcome", "combine"]
