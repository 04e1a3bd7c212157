"""What one verification is asked to do."""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from numbers import Integral, Real

from gradcheck.values.aliases import Size, Sizes
from gradcheck.values.errors import ConfigurationError, did_you_mean
from gradcheck.values.verdict import LOOSEST_THRESHOLD, STRICTEST_THRESHOLD, Verdict

INCONCLUSIVE_POLICIES = ("fail", "warn")
MODES = ("auto", "exhaustive", "grouped", "sampled", "projected")
_SECONDS = re.compile(r"([0-9]{1,18}(\.[0-9]+)?)\s*s")
_MEMORY = re.compile(r"(\d+(\.\d+)?)\s*([kMG]?)B")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_LEAST_MEMORY = 10**6


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
        examples: how many calls the check ``search`` makes up for one module.
        mode: how coordinates are perturbed: ``"exhaustive"``, each by itself; ``"grouped"``, those together that move
            different outputs; ``"sampled"``, some of them; ``"projected"``, all at once in random directions;
            ``"auto"``, what of these suits the size of the leaf and the budget.
        budget: what the gradient checks of a module at one case may cost: evaluations of forward and backward, or
            seconds such as ``"10s"``; without one nothing is left out.
        memory_limit: what a gradient check may use for itself beside the module, such as ``"512MB"`` or bytes.
        waive: behaviour probes and surveys to leave out, each with the reason, which the report prints.
        pictures: make a small picture of every leaf's Jacobian, for reports that show it.

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
    examples: int = 200
    mode: str = "auto"
    budget: int | str | None = None
    memory_limit: int | str = "512MB"
    waive: Mapping[str, str] = field(default_factory=dict)
    pictures: bool = False

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
        if not isinstance(self.pictures, bool):
            raise ConfigurationError(f"pictures is {self.pictures!r}: expected true or false")
        _require_names("checks", self.checks, "checks such as ['gradient']")
        _require_names("also", self.also, "surveys such as ['search']")
        _require_sizes(self.cases)
        if isinstance(self.examples, bool) or not isinstance(self.examples, Integral) or self.examples < 1:
            raise ConfigurationError(
                f"examples is {self.examples!r}: expected a whole number of calls >= 1, such as 200"
            )
        if self.mode not in MODES:
            hint = did_you_mean(str(self.mode), MODES)
            raise ConfigurationError(f"mode is {self.mode!r}: expected one of {', '.join(MODES)}{hint}")
        require_reasons(self.waive)

        # numpy's numbers are as good as Python's, but cannot be written to JSON.
        object.__setattr__(self, "threshold", float(self.threshold))
        object.__setattr__(self, "seed", int(self.seed))
        object.__setattr__(self, "checks", tuple(self.checks))
        object.__setattr__(self, "cases", tuple(map(_sizes, self.cases)))
        object.__setattr__(self, "also", tuple(self.also))
        object.__setattr__(self, "examples", int(self.examples))
        object.__setattr__(self, "budget", _budget(self.budget))
        object.__setattr__(self, "memory_limit", _memory(self.memory_limit))

    @property
    def evaluations(self) -> int | None:
        """The budget, if it is one of evaluations."""
        return self.budget if isinstance(self.budget, int) else None

    @property
    def seconds(self) -> float | None:
        """The budget, if it is one of seconds."""
        return float(self.budget.rstrip("s")) if isinstance(self.budget, str) else None

    @property
    def memory(self) -> int:
        """The limit of memory in bytes."""
        return self.memory_limit if isinstance(self.memory_limit, int) else parse_memory(self.memory_limit)

    def accepts(self, verdict: Verdict) -> bool:
        """Whether this verdict counts as success."""
        if verdict is Verdict.INCONCLUSIVE:
            return self.inconclusive == "warn"
        return verdict in (Verdict.PASS, Verdict.WAIVED)


def _budget(given: object) -> int | str | None:
    if isinstance(given, str) and re.fullmatch("[0-9]{1,18}", given.strip()):
        given = int(given)  # as the command line gives it
    if given is None:
        return None
    if isinstance(given, Integral) and not isinstance(given, bool) and int(given) >= 1:
        return int(given)
    found = _SECONDS.fullmatch(given.strip()) if isinstance(given, str) else None
    if found is None or float(found[1]) <= 0:
        raise ConfigurationError(
            f"budget is {given!r}: expected seconds such as '10s', or a whole number of evaluations of forward and"
            f" backward such as 10000"
        )
    return f"{found[1]}s"


def _memory(given: object) -> int | str:
    bytes_given = int(given) if isinstance(given, Integral) and not isinstance(given, bool) else 0
    if isinstance(given, str) and _MEMORY.fullmatch(given.strip()):
        bytes_given = parse_memory(given)
    if bytes_given < _LEAST_MEMORY:
        raise ConfigurationError(
            f"memory_limit is {given!r}: expected at least 1MB, such as '512MB', '2GB' or a number of bytes"
        )
    return given.strip() if isinstance(given, str) else bytes_given


def parse_memory(text: str) -> int:
    """Bytes of a text such as ``512MB``."""
    found = _MEMORY.fullmatch(text.strip())
    number = float(found[1]) * _UNITS[found[3]] if found else 0.0
    return int(number) if math.isfinite(number) else 0


def _require_names(setting: str, given: object, expected: str) -> None:
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        raise ConfigurationError(f"{setting} is {given!r}: expected names of {expected}")


def _require_sizes(cases: object) -> None:
    if isinstance(cases, (list, tuple)) and all(isinstance(sizes, Mapping) for sizes in cases):
        given: Sequence[Sizes] = cases
        axes = [axis for sizes in given for size in sizes.values() for axis in _axes(size)]
        names = [symbol for sizes in given for symbol in sizes]
        if all(isinstance(symbol, str) for symbol in names) and all(_is_size(axis) for axis in axes):
            return
    raise ConfigurationError(
        f"cases is {cases!r}: expected sizes for each case, whole numbers >= 0, such as [{{'N': 4}}]"
    )


def _axes(size: object) -> Sequence[object]:
    return size if isinstance(size, (list, tuple)) else (size,)


def _is_size(axis: object) -> bool:
    return isinstance(axis, Integral) and not isinstance(axis, bool) and int(axis) >= 0


def _sizes(sizes: Sizes) -> dict[str, Size]:
    """Sizes as plain numbers; those of a starred symbol are a list in TOML and in JSON."""
    return {
        symbol: tuple(map(int, size)) if isinstance(size, (list, tuple)) else int(size)
        for symbol, size in sizes.items()
    }


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
    # A NaN fails both comparisons, and some whole numbers are no float.
    with suppress(OverflowError):
        if isinstance(threshold, Real) and STRICTEST_THRESHOLD <= float(threshold) <= LOOSEST_THRESHOLD:
            return
    raise ConfigurationError(
        f"threshold is {threshold!r}: expected a number from {STRICTEST_THRESHOLD:g} to"
        f" {LOOSEST_THRESHOLD:g}, such as 1e-5; a looser one would let wrong gradients pass, a stricter"
        f" one is finer than central differences can resolve in float64"
    )
