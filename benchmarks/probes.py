"""What the behaviour probes add to the gradient check: `python benchmarks/probes.py`.

Both are timed in turn in one run, on Linear 64 → 64 with a batch of 4, every coordinate perturbed by itself; the ratio
is that of the medians. In groups the gradient check takes a third of that, and the probes as long as they do.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import gradcheck
from gradcheck.checking.checks import CHECKS
from gradcheck.modules import Linear

_SIZE, _BATCH, _ROUNDS, _MOST = 64, 4, 7, 1.3


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def ratio() -> float:
    """Time of the full check over that of the gradient check alone; prints both, and every probe by itself."""
    rng = np.random.default_rng(0)
    shapes = {"x": (_BATCH, _SIZE), "weight": (_SIZE, _SIZE), "bias": (_SIZE,)}
    point = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def run(*checks: str) -> float:
        return _seconds(lambda: gradcheck.check(Linear(), point, mode="exhaustive", checks=checks).raise_for_failure())

    run()  # imports
    alone, full = zip(*((run("gradient"), run()) for _ in range(_ROUNDS)), strict=True)
    probes = [(check.name, f"{1e3 * median(run(check.name) for _ in range(3)):.1f}") for check in CHECKS if check.probe]
    rows = [("gradient", f"{1e3 * median(alone):.1f}"), ("everything", f"{1e3 * median(full):.1f}"), *probes]
    print(tabulate(rows, ("check", "ms, by itself"), tablefmt="github", disable_numparse=True))
    return float(median(full) / median(alone))


if __name__ == "__main__":
    print("seed 0")
    found = ratio()
    print(f"\nthe full check costs {found:.2f} × the gradient check (at most {_MOST})")
    sys.exit(found > _MOST)
