"""Entry by entry: does the analytical Jacobian agree with the numerical one, and can that be told?"""

from dataclasses import dataclass

import numpy as np

from gradcheck.calculus.extrapolation import Estimate
from gradcheck.values.aliases import Array
from gradcheck.values.verdict import Verdict

# Backward computes in floating point too: entries beside larger ones carry the rounding of those.
ROUNDINGS_OF_BACKWARD = 8


@dataclass(frozen=True)
class Comparison:
    """Two numbers for every entry; it passes at a threshold exactly if neither is larger.

    Arguments:
        analytical, numerical: what was compared.
        excess: (gap - error) / max(|analytical|, |numerical|): the relative gap that the numerical
            error cannot explain; infinite if there is a NaN.
        blur: error / max(|analytical|, |numerical|, scale): how uncertain the numerical entry is.
        allowed_error: the error that was allowed for: numerical error and rounding of backward.

    Shapes: as the Jacobians that were compared.
    """

    analytical: Array
    numerical: Array
    excess: Array
    blur: Array
    allowed_error: Array

    @property
    def magnitude(self) -> Array:
        """The larger of the two magnitudes of every entry; NaN only where both are."""
        return np.fmax(np.abs(self.analytical), np.abs(self.numerical))

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
        if self.fails(threshold).any():
            return Verdict.FAIL
        return Verdict.INCONCLUSIVE if self.unresolved(threshold).any() else Verdict.PASS


def compare(analytical: Array, numerical: Estimate, scale: float, eps: float) -> Comparison:
    """Compare two Jacobians, or two columns of them.

    Arguments:
        analytical, numerical: what backward says and what was measured.
        scale: the largest entry of the leaf's Jacobian.
        eps: machine epsilon of the leaf's dtype.

    No tolerance in here grows with the number of entries.
    """
    with np.errstate(all="ignore"):
        magnitude = np.fmax(np.abs(analytical), np.abs(numerical.value))
        error = numerical.error + ROUNDINGS_OF_BACKWARD * eps * scale
        gap = np.abs(analytical - numerical.value)
        beyond = np.maximum(gap - error, 0.0)
        excess = np.where(beyond == 0, 0.0, beyond / magnitude)
        blur = np.where(error == 0, 0.0, error / np.maximum(magnitude, scale))
    # Where nothing was measured there is no gap to judge; where backward gave NaN or infinity there
    # is nothing to measure against.
    unmeasured = np.isnan(numerical.value)
    excess = np.where(unmeasured, 0.0, excess)
    blur = np.where(unmeasured, np.inf, blur)
    excess = np.where(np.isfinite(analytical), excess, np.inf)
    return Comparison(analytical, numerical.value, excess, blur, error)


def scale_of(analytical: Array, numerical: Array, error: Array, fallback: float) -> float:
    """The largest finite magnitude among the entries; ``fallback`` if that cannot be told from zero."""
    entries = np.abs(np.concatenate([analytical.ravel(), numerical.ravel()]))
    largest = float(np.max(entries, initial=0.0, where=np.isfinite(entries)))
    doubt = float(np.max(error, initial=0.0, where=np.isfinite(error)))
    return largest if largest > doubt else max(largest, fallback)
