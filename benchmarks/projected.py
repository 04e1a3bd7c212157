"""What the check by projections costs and finds: `python benchmarks/projected.py`.

Forwards and backwards of a pass, what of one wrong weight in a million is found over 20 seeds and with how many further
forwards it is named, false alarms over 100 seeds of correct modules, and the power that is stated.
"""

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measuring import machine
from gradcheck import Verdict
from tests.projecting.large_modules import CORRECT, Calls, Large, checked, linear, scaled_at, tanh

LARGE = {
    "Linear 1000→1000, batch 4": (linear(4, 1000, 1000), 1_000_000),
    "elementwise tanh": (tanh(1_000_000), 1_000_000),
    "Linear 2500→4000, batch 4": (linear(4, 2500, 4000), 10_000_000),
}


def _power(calls: Iterable[Calls]) -> str:
    """The smallest error of one entry, relative to a typical one, that is seen for certain: the median over seeds."""
    errors = [c.result.evidence.numerical_error for c in calls if c.result.evidence]
    return f"{np.median(errors):.0e}"


def cost_and_findings(large: Large, coordinates: int, seeds: Iterable[int]) -> tuple[object, ...]:
    began = time.perf_counter()
    right = checked(large, 0)
    seconds = time.perf_counter() - began
    wrong = []
    for seed in seeds:
        index = int(np.random.default_rng(seed).integers(coordinates))
        calls = checked(large, seed, scaled_at(index))
        entries = calls.result.evidence.worst if calls.result.evidence else ()
        shape = large.point(np.random.default_rng(seed))[large.leaf].shape
        named = [np.ravel_multi_index(entry.leaf_index, shape) for entry in entries] == [index]
        further = max(calls.forwards - checked(large, seed).forwards, 0)
        wrong.append((calls.result.verdict is Verdict.FAIL, named, further))
    found, named_there, further_forwards = (list(column) for column in zip(*wrong, strict=True))
    tally = f"{sum(found)}/{len(found)}", f"{sum(named_there)}/{len(found)}", max(further_forwards)
    return f"{coordinates:,}", right.forwards, right.backwards, f"{seconds:.2f}", _power([right]), *tally


def false_alarms(large: Large, seeds: Iterable[int]) -> tuple[object, ...]:
    calls = [checked(large, seed) for seed in seeds]
    verdicts = [c.result.verdict for c in calls]
    counts = (verdicts.count(verdict) for verdict in (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL))
    return *counts, max(c.forwards for c in calls), max(c.backwards for c in calls), _power(calls)


def page() -> str:
    """Both tables in Markdown."""
    rows = [
        (name, *cost_and_findings(large, size, range(20 if size < 10_000_000 else 3)))
        for name, (large, size) in LARGE.items()
    ]
    headers = (
        "module", "coordinates", "forwards", "backwards", "seconds", "seen of a typical entry",
        "found", "named", "further forwards, worst",
    )  # fmt: skip
    alarms = [(name, *false_alarms(large, range(100))) for name, large in CORRECT.items()]
    heads = ("module", "pass", "inconclusive", "false alarms", "forwards, worst", "backwards", "seen, median")
    return f"""\
`python benchmarks/projected.py` · {machine("numpy")}

One weight off by 0.1 %, at 20 seeds (3 for ten million coordinates):

{tabulate(rows, headers, tablefmt="github", disable_numparse=True)}

Correct modules, 100 seeds each:

{tabulate(alarms, heads, tablefmt="github", disable_numparse=True)}
"""


if __name__ == "__main__":
    print(page())
