"""What a check costs in calls of the module, over the corpus: `python benchmarks/cost.py`.

Forwards for each coordinate and backwards for each output, for correct modules: well-behaved ones, those at special
values such as x⁴ at 0 or with a leaf that has no influence there, and those that are hard to verify.
"""

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import gradcheck
from tests.corpus.collection import SPECIMENS
from tests.corpus.specimen import Specimen


@dataclass(frozen=True)
class Cost:
    """Calls that one check of a correct module took, its coordinates and outputs."""

    forwards: int
    backwards: int
    coordinates: int
    outputs: int
    group: str


class _Counted:
    """A function that counts its calls."""

    def __init__(self, function: object) -> None:
        self._function, self.calls = function, 0

    def __call__(self, *args: object, **kwargs: object) -> object:
        self.calls += 1
        return self._function(*args, **kwargs)  # type: ignore[operator]  # a function


def cost_of(specimen: Specimen, seed: int) -> Cost:
    """Check the correct module once, counting every call: repetitions and confirmations as well."""
    forward, backward = _Counted(specimen.forward), _Counted(specimen.backward)
    point = specimen.point(np.random.default_rng(seed))
    module = gradcheck.from_functions(forward, backward)  # type: ignore[arg-type]  # counts and passes on
    report = gradcheck.check(module, point, threshold=specimen.threshold, seed=seed, checks=("dimensions", "gradient"))
    checks = [check for case in report.verification.cases for check in case.checks if check.evidence]
    coverage = [check.evidence.coverage for check in checks if check.evidence]
    outputs = coverage[0].backwards if coverage else 0
    without_influence = any(check.evidence.scale == 0 for check in checks if check.evidence)
    special = specimen.kind == "special values" or without_influence
    group = "hard to verify" if specimen.hard else "at special values" if special else "well-behaved"
    return Cost(forward.calls, backward.calls, sum(part.coordinates for part in coverage), outputs, group)


def cost_table(specimens: Sequence[Specimen], seeds: Sequence[int]) -> str:
    """Median and worst calls, for well-behaved and for hard modules."""
    rows = []
    all_costs = [cost_of(specimen, seed) for specimen in specimens for seed in seeds]
    for title in ("well-behaved", "at special values", "hard to verify"):
        costs = [cost for cost in all_costs if cost.group == title]
        forwards = [cost.forwards / cost.coordinates for cost in costs if cost.coordinates]
        backwards = [cost.backwards / cost.outputs for cost in costs if cost.outputs]
        numbers = (f"{f(values):.1f}" for values in (forwards, backwards) for f in (np.median, np.max))
        rows.append((title, len(costs), *numbers))
    headers = (
        "correct modules", "checks",
        "forwards a coordinate, median", "worst", "backwards an output, median", "worst",
    )  # fmt: skip
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(cost_table(SPECIMENS, (0, 1, 2)))
