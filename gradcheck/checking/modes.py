"""Which mode suits a leaf, as far as its size alone tells."""

from gradcheck.values.settings import Settings

_FEW_EVALUATIONS = 2000
_MANY_COORDINATES = 10**6


def is_projected(settings: Settings, coordinates: int) -> bool:
    """Whether only projections of a leaf are looked at, whatever the budget is."""
    return settings.mode == "projected" or (settings.mode == "auto" and coordinates > _MANY_COORDINATES)


def may_be_grouped(settings: Settings, coordinates: int, outputs: int) -> bool:
    """Whether coordinates of a leaf may be perturbed together: of a small one that would save nothing to speak of."""
    few = 2 * coordinates + outputs <= _FEW_EVALUATIONS
    return settings.mode == "grouped" or (settings.mode == "auto" and not few)
