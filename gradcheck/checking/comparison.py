"""Entry by entry: does the analytical Jacobian agree with the numerical one, and can that be told?"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from gradcheck.calculus.estimate import Estimate
from gradcheck.values.aliases import Array
from gradcheck.values.verdict import Verdict

# Entries so far below what the magnitudes of output and leaf suggest are those of a saturated module.
INSENSITIVE = 1e3 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Comparison:
    """Two numbers for every entry; it passes at a threshold exactly if neither is larger.

    Arguments:
        analytical, numerical: what was compared; ``numerical.half`` is half the distance between the
            one-sided derivatives at a kink, 0 elsewhere.
        excess: (gap - error) / max(|analytical|, |numerical|): the relative gap that the numerical
            error cannot explain; infinite if there is a NaN. At a kink the gap is the distance to the interval
            between the one-sided derivatives.
        blur: error / max(|analytical|, |numerical|, scale): how uncertain the numerical entry is.
        allowed_error: the error that was allowed for: numerical error and rounding of backward.

    Shapes: as the Jacobians that were compared.
    """

    analytical: Array
    numerical: Estimate
    excess: Array
    blur: Array
    allowed_error: Array

    _ARRAYS: ClassVar = ("analytical", "excess", "blur", "allowed_error")

    def chosen(self, wanted: Any) -> "Comparison":
        """Some of the entries: whatever indexes the arrays."""
        own = {name: getattr(self, name)[wanted] for name in self._ARRAYS}
        return Comparison(numerical=self.numerical.chosen(wanted), **own)

    @cached_property
    def gap(self) -> Array:
        """|analytical - numerical|; at a kink the distance to the interval between the one-sided derivatives."""
        return gap_of(self.analytical, self.numerical)

    @cached_property
    def magnitude(self) -> Array:
        """The larger of the two magnitudes of every entry; NaN only where both are."""
        return magnitude_of(self.analytical, self.numerical)

    @property
    def kinked(self) -> Array:
        """Entries at a kink."""
        return np.asarray(self.numerical.half > 0)

    def fails(self, threshold: float) -> Array:
        """Entries that are shown to be wrong."""
        return np.asarray(self.excess > threshold)

    def passes(self, threshold: float) -> Array:
        """Entries that are shown to be right."""
        return np.asarray((self.excess <= threshold) & (self.blur <= threshold))

    def unresolved(self, threshold: float) -> Array:
        """Entries that are not shown to be wrong, but not shown to be right either."""
        return np.asarray(~self.fails(threshold) & ~self.passes(threshold))

    def verdict(self, threshold: float) -> Verdict:
        """FAIL if an entry fails, else INCONCLUSIVE if one is unresolved, else PASS."""
        excess, blur = self.largest
        if excess <= threshold and blur <= threshold:  # neither is NaN
            return Verdict.PASS
        return Verdict.FAIL if self.fails(threshold).any() else Verdict.INCONCLUSIVE

    @cached_property
    def largest(self) -> tuple[float, float]:
        """The largest excess and the largest blur; NaN if there is one."""
        return float(np.max(self.excess, initial=0.0)), float(np.max(self.blur, initial=0.0))


def compare(analytical: Array, numerical: Estimate, scale: Array | float, rounding: Array | float) -> Comparison:
    """Compare two Jacobians, or two columns of them.

    Arguments:
        analytical, numerical: what backward says and what was measured.
        scale: the largest entry of the leaf's Jacobian, or of each column.
        rounding: error of the analytical entries.

    No tolerance in here grows with the number of entries.
    """
    with np.errstate(all="ignore"):
        magnitude, gap = magnitude_of(analytical, numerical), gap_of(analytical, numerical)
        error = numerical.error + rounding
        blur = _blur(numerical, magnitude, error, scale)
        # Nearly always hardly anything is beyond the error. What is within a finite one is no NaN either.
        excess, beyond = np.zeros(gap.shape), np.nonzero(~((gap <= error) & (error < np.inf)))
        excess[beyond] = _excess(*(array[beyond] for array in (analytical, numerical.value, gap, error, magnitude)))
    found = Comparison(analytical, numerical, excess, blur, error)
    # What a cached property would work out again.
    found.__dict__.update(gap=gap, magnitude=magnitude)
    return found


def _excess(analytical: Array, numerical: Array, gap: Array, error: Array, magnitude: Array) -> Array:
    """What is beyond the error, as a part of the magnitude."""
    beyond = np.maximum(gap - error, 0.0)
    excess = np.where(beyond == 0, 0.0, beyond / magnitude)
    # Where nothing was measured there is no gap to judge; where backward gave NaN or infinity there
    # is nothing to measure against.
    excess = _but(excess, np.isnan(numerical), 0.0)
    return _but(excess, ~np.isfinite(analytical), np.inf)


def _blur(numerical: Estimate, magnitude: Array, error: Array, scale: Array | float) -> Array:
    with np.errstate(all="ignore"):
        blur = _but(error / np.maximum(magnitude, scale), error == 0, 0.0)
    return _but(blur, np.isnan(numerical.value), np.inf)


def _but(values: Array, exceptions: Array, constant: float) -> Array:
    """The values with a constant in place of some of them."""
    return np.where(exceptions, constant, values) if exceptions.any() else values


def beside(comparison: Comparison, scale: float) -> Comparison:
    """The same comparison with errors beside another scale."""
    blur = _blur(comparison.numerical, comparison.magnitude, comparison.allowed_error, scale)
    found = replace(comparison, blur=blur)
    found.__dict__.update(gap=comparison.gap, magnitude=comparison.magnitude)
    return found


def gap_of(analytical: Array, numerical: Estimate) -> Array:
    """How far every analytical entry is from what was measured; NaN where either is."""
    with np.errstate(invalid="ignore"):
        gap = np.abs(analytical - numerical.value)
        return np.asarray(gap if numerical.is_smooth else np.maximum(gap - numerical.half, 0.0))


def magnitude_of(analytical: Array, numerical: Estimate) -> Array:
    """The larger of the two magnitudes of every entry; NaN only where both are."""
    measured = np.abs(numerical.value)
    return np.asarray(np.fmax(np.abs(analytical), measured if numerical.is_smooth else measured + numerical.half))


def scale_of(analytical: Array, numerical: Array, error: Array, fallback: float) -> float:
    """The largest finite magnitude among the entries; ``fallback`` if that cannot be told from zero.

    What backward claims is not zero because it could not be measured: if it were taken for that, an error a thousand
    times as large as the claim would be small beside the fallback, and any claim would pass.
    """
    claimed, measured, doubt = (_largest_finite(np.abs(values)) for values in (analytical, numerical, error))
    largest, nothing = max(claimed, measured), INSENSITIVE * fallback
    return largest if claimed > nothing or measured > max(doubt, nothing) else max(largest, fallback)


def _largest_finite(values: Array) -> float:
    return float(np.max(values, initial=0.0, where=np.isfinite(values)))
