"""What the projections of a leaf say at a threshold, and what they could have seen."""

from dataclasses import dataclass

import numpy as np

from gradcheck.projecting.localising import Found, followed, not_a_number
from gradcheck.projecting.projections import Projection, Projector
from gradcheck.values.results import Diagnosis
from gradcheck.values.verdict import Verdict

_NAMED = 3


@dataclass(frozen=True)
class Power:
    """What the projections of a leaf could have seen, and what they cost.

    Arguments:
        coordinates, unmoved: how many the leaf has; how many of them have no room in their domain.
        projections: how many there were, one for each cotangent and direction.
        forwards, backwards: calls of the module, the forward at the point included.
        further: forwards that it took to find the wrong entries.
        visible: the smallest error of one entry of a projected gradient that is seen for certain.
        of_typical, of_median: the same, relative to the root mean square and the median of the entries that are not 0.
    """

    coordinates: int
    unmoved: int
    projections: int
    forwards: int
    backwards: int
    further: int
    visible: float
    of_typical: float
    of_median: float


@dataclass(frozen=True)
class Judgement:
    """The projections of one leaf, and the entries that a disagreement was followed to."""

    projections: tuple[Projection, ...]
    found: tuple[Found, ...]
    factor: Diagnosis | None
    power: Power
    followed: Projection | None

    @property
    def disagreeing(self) -> tuple[Projection, ...]:
        """The projections that differ by more than their error, worst first."""
        wrong = [projection for projection in self.projections if projection.disagrees]
        return tuple(sorted(wrong, key=lambda p: -p.gap))

    @property
    def blur(self) -> float:
        """The smallest error of one entry that is seen for certain, relative to a typical one.

        A gap that was seen, but is due to no entry that is wrong by itself, may hide one.
        """
        if self.power.unmoved:
            return np.inf
        return max((projection.masked for projection in self.disagreeing), default=self.power.of_typical)

    @property
    def excess(self) -> float:
        """By how much more than its error a named entry is wrong, relative to it; or else all entries together."""
        return max([found.excess for found in self.found] + [self._beyond_all], default=0.0)

    @property
    def _beyond_all(self) -> float:
        """The relative error that all entries must have at least, if they add up to what every direction shows."""
        directions = {p.direction: 0.0 for p in self.projections}
        for p in self.disagreeing:
            share = (p.gap - p.error) / p.absolute if p.absolute else np.inf
            directions[p.direction] = max(directions[p.direction], share)
        return min(directions.values(), default=0.0)

    @property
    def without_influence(self) -> bool:
        """Whether nothing was seen of the leaf on either side."""
        return not self.disagreeing and all(p.absolute == 0 for p in self.projections)

    def verdict(self, threshold: float) -> Verdict:
        """FAIL where an entry is wrong; INCONCLUSIVE where one that is wrong by the threshold might not be seen.

        The threshold is what an entry may be off by relative to itself. So a typical entry that is off by more has to
        be visible: projections that show less do not verify the leaf at this threshold.
        """
        if self.excess > threshold:
            return Verdict.FAIL
        return Verdict.PASS if self.blur <= threshold else Verdict.INCONCLUSIVE


def judged(projector: Projector) -> Judgement:
    """The projections of a leaf; where some disagree, with the entries that they come from."""
    projections = projector.projections
    taken = 1 + projector.mover.forwards
    finite = all(np.isfinite(projection.analytical) for projection in projections)
    disagreeing = [projection for projection in projections if projection.disagrees]
    factor = constant_factor(projections) if finite and disagreeing else None
    found: tuple[Found, ...] = ()
    clearest = max(disagreeing, key=lambda p: p.gap / p.error if p.error else np.inf) if disagreeing else None
    if not finite:
        found = not_a_number(projector)
    elif clearest is not None:
        found = followed(projector, clearest, 1 if factor else _NAMED)
    best = min(projections, key=lambda p: p.blur)
    power = Power(
        coordinates=projector.directions[0].size,
        unmoved=int(np.count_nonzero(projector.directions[0] == 0)),
        projections=len(projections),
        forwards=taken,
        backwards=len(projector.cotangents),
        further=1 + projector.mover.forwards - taken,
        visible=best.visible,
        of_typical=best.blur,
        of_median=best.blur * best.typical / best.median if best.median else np.inf,
    )
    return Judgement(projections, found, factor, power, clearest)


def constant_factor(projections: tuple[Projection, ...]) -> Diagnosis | None:
    """Analytical = c · numerical in every projection."""
    analytical = np.array([p.analytical for p in projections])
    numerical = np.array([p.numerical for p in projections])
    error = np.array([p.error for p in projections])
    # The cotangents have different sizes.
    scale = np.array([1 / (p.typical or 1.0) for p in projections])
    if not np.any(numerical):
        return None
    if not np.any(analytical):
        return Diagnosis(
            "detached",
            f"all {len(projections)} projections of the analytical gradient are 0; the numerical ones are up to"
            f" {np.max(np.abs(numerical)):.4g}",
            "backward does not use the leaf, or returns zeros for it: is a term of the sum left out?",
        )
    ratio = float(np.sum(analytical * numerical * scale**2) / np.sum((numerical * scale) ** 2))
    tolerance = min(1e-3, abs(ratio - 1) / 10)
    if not np.all(np.abs(analytical - ratio * numerical) <= tolerance * np.abs(numerical) + 2 * error):
        return None
    places = f"in all {len(projections)} projections"
    if abs(ratio + 1) < 1e-4:
        return Diagnosis("sign flip", f"analytical = -numerical {places}", "a minus sign is missing, or one too many")
    return Diagnosis(
        "constant factor", f"analytical = {ratio:.6g} × numerical {places}", "is a factor forgotten, or counted twice?"
    )
