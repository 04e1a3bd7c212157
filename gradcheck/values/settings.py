"""What one verification is asked to do."""

from dataclasses import dataclass
from numbers import Integral, Real

from gradcheck.values.errors import ConfigurationError
from gradcheck.values.verdict import LOOSEST_THRESHOLD, STRICTEST_THRESHOLD, Verdict

INCONCLUSIVE_POLICIES = ("fail", "warn")


@dataclass(frozen=True)
class Settings:
    """Threshold, seed and policy of a verification.

    Arguments:
        threshold: relative error allowed per entry, any number in [1e-7, 1e-4].
        seed: seed of every random draw; equal seeds repeat a verification exactly.
        inconclusive: ``"fail"``: INCONCLUSIVE is not success (default); ``"warn"``: it is let through.
        complex_step: let forwards be called with complex arrays, where that settles what differences cannot. It needs
            a forward that is analytic: no abs, no comparison of values, no conjugate.

    Raises ConfigurationError for any other value.

    >>> Settings(threshold=1e-6).threshold
    1e-06
    """

    threshold: float = 1e-5
    seed: int = 0
    inconclusive: str = "fail"
    complex_step: bool = False

    def __post_init__(self) -> None:
        _require_threshold(self.threshold)
        if isinstance(self.seed, bool) or not isinstance(self.seed, Integral) or self.seed < 0:
            raise ConfigurationError(f"seed is {self.seed!r}: expected a whole number >= 0, such as 0")
        if self.inconclusive not in INCONCLUSIVE_POLICIES:
            raise ConfigurationError(
                f"inconclusive is {self.inconclusive!r}: expected one of {', '.join(INCONCLUSIVE_POLICIES)}"
            )
        if not isinstance(self.complex_step, bool):
            raise ConfigurationError(f"complex_step is {self.complex_step!r}: expected true or false")

        # numpy's numbers are as good as Python's, but cannot be written to JSON.
        object.__setattr__(self, "threshold", float(self.threshold))
        object.__setattr__(self, "seed", int(self.seed))

    def accepts(self, verdict: Verdict) -> bool:
        """Whether this verdict counts as success."""
        return verdict is Verdict.PASS or (verdict is Verdict.INCONCLUSIVE and self.inconclusive == "warn")


def _require_threshold(threshold: object) -> None:
    # A NaN fails both comparisons.
    if isinstance(threshold, Real) and STRICTEST_THRESHOLD <= float(threshold) <= LOOSEST_THRESHOLD:
        return
    raise ConfigurationError(
        f"threshold is {threshold!r}: expected a number from {STRICTEST_THRESHOLD:g} to"
        f" {LOOSEST_THRESHOLD:g}, such as 1e-5; a looser one would let wrong gradients pass, a stricter"
        f" one is finer than central differences can resolve in float64"
    )
