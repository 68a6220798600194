"""Families of instances, and how a project defines its own.

Projects' own checks import it from here.
"""

from numeric.instances.families import (
    BASE_SIZES,
    FAMILIES,
    Family,
    Region,
    define_family,
    families_of,
    sizes_of,
)

__all__ = ["BASE_SIZES", "FAMILIES", "Family", "Region", "define_family", "families_of", "sizes_of"]
