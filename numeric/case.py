"""A batch of instances and the graph that runs on them: the argument of a check.

Projects' own checks import it from here.
"""

from numeric.instances.case import Case

__all__ = ["Case"]
