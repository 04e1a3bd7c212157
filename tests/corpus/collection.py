"""All specimens, family by family."""

from tests.corpus import (
    axes,
    elementwise,
    hard_at_kinks,
    hard_chaos,
    hard_conditioning,
    hard_curvature,
    hard_domains,
    hard_kinks,
    hard_saturation,
    hard_scales,
    hard_sizes,
    hard_units,
    kinks,
    linear,
    losses,
    precision,
    shapes,
    special_values,
    tails,
    ties,
)
from tests.corpus.specimen import Specimen

FAMILIES = (
    elementwise,
    kinks,
    ties,
    special_values,
    tails,
    linear,
    axes,
    shapes,
    losses,
    precision,
    hard_scales,
    hard_units,
    hard_kinks,
    hard_at_kinks,
    hard_curvature,
    hard_chaos,
    hard_conditioning,
    hard_saturation,
    hard_domains,
    hard_sizes,
)
SPECIMENS: tuple[Specimen, ...] = tuple(specimen for family in FAMILIES for specimen in family.SPECIMENS)
