"""What one verification is asked to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real

from gradcheck.values.aliases import Sizes
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
        cases: sizes of dimension symbols to verify at, one mapping a case; those of the module if left out.
        also: surveys to carry out besides, which look at a module over many calls: ``"search"``, ``"mutation"``.
        budget: how many calls the check ``search`` makes up for one module.
        waive: behaviour probes and surveys to leave out, each with the reason, which the report prints.

    Raises ConfigurationError for any other value.

    >>> Settings(threshold=1e-6).threshold
    1e-06
    """

    threshold: float = 1e-5
    seed: int = 0
    inconclusive: str = "fail"
    complex_step: bool = False
    checks: Sequence[str] = ()
    cases: Sequence[Sizes] = ()
    also: Sequence[str] = ()
    budget: int = 200
    mode: str = "auto"
    memory: int = 512_000_000
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
        _require_names("checks", self.checks, "checks such as ['gradient']")
        _require_names("also", self.also, "surveys such as ['search']")
        if not isinstance(self.cases, (list, tuple)) or not all(isinstance(sizes, Mapping) for sizes in self.cases):
            raise ConfigurationError(f"cases is {self.cases!r}: expected sizes for each case, such as [{{'N': 4}}]")
        if isinstance(self.budget, bool) or not isinstance(self.budget, Integral) or self.budget < 1:
            raise ConfigurationError(f"budget is {self.budget!r}: expected a whole number of calls >= 1, such as 200")
        require_reasons(self.waive)

        # numpy's numbers are as good as Python's, but cannot be written to JSON.
        object.__setattr__(self, "threshold", float(self.threshold))
        object.__setattr__(self, "seed", int(self.seed))
        object.__setattr__(self, "checks", tuple(self.checks))
        object.__setattr__(self, "cases", tuple(dict(sizes) for sizes in self.cases))
        object.__setattr__(self, "also", tuple(self.also))
        object.__setattr__(self, "budget", int(self.budget))

    def accepts(self, verdict: Verdict) -> bool:
        """Whether this verdict counts as success."""
        if verdict is Verdict.INCONCLUSIVE:
            return self.inconclusive == "warn"
        return verdict in (Verdict.PASS, Verdict.WAIVED)


def _require_names(setting: str, given: object, expected: str) -> None:
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        raise ConfigurationError(f"{setting} is {given!r}: expected names of {expected}")


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
