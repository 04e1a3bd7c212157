"""What one verification is asked to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
        checks: names of the checks to carry out; all that apply if left out.
        waive: behaviour probes to leave out, each with the reason, which the report prints.

    Raises ConfigurationError for any other value.

    >>> Settings(threshold=1e-6).threshold
    1e-06
    """

    threshold: float = 1e-5
    seed: int = 0
    inconclusive: str = "fail"
    complex_step: bool = False
    checks: Sequence[str] = ()
    waive: Mapping[str, str] = field(default_factory=dict)

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
        listed = isinstance(self.checks, (list, tuple))
        if not listed or not all(isinstance(check, str) for check in self.checks):
            raise ConfigurationError(f"checks is {self.checks!r}: expected names of checks such as ['gradient']")
        require_reasons(self.waive)

        # numpy's numbers are as good as Python's, but cannot be written to JSON.
        object.__setattr__(self, "threshold", float(self.threshold))
        object.__setattr__(self, "seed", int(self.seed))
        object.__setattr__(self, "checks", tuple(self.checks))

    def accepts(self, verdict: Verdict) -> bool:
        """Whether this verdict counts as success."""
        if verdict is Verdict.INCONCLUSIVE:
            return self.inconclusive == "warn"
        return verdict in (Verdict.PASS, Verdict.WAIVED)


def require_reasons(waive: object) -> None:
    """Raise ConfigurationError unless every waived probe has a reason."""
    if not isinstance(waive, Mapping) or not all(isinstance(word, str) for item in waive.items() for word in item):
        raise ConfigurationError(
            f"waive is {waive!r}: expected probes with reasons, such as"
            f" {{'layouts': 'kernel requires contiguous input'}}"
        )
    given: Mapping[str, str] = waive
    silent = [probe for probe, reason in given.items() if not reason.strip()]
    if silent:
        raise ConfigurationError(
            f"waive gives no reason for {', '.join(silent)}: the report is to say why it is left out"
        )


def _require_threshold(threshold: object) -> None:
    # A NaN fails both comparisons.
    if isinstance(threshold, Real) and STRICTEST_THRESHOLD <= float(threshold) <= LOOSEST_THRESHOLD:
        return
    raise ConfigurationError(
        f"threshold is {threshold!r}: expected a number from {STRICTEST_THRESHOLD:g} to"
        f" {LOOSEST_THRESHOLD:g}, such as 1e-5; a looser one would let wrong gradients pass, a stricter"
        f" one is finer than central differences can resolve in float64"
    )
