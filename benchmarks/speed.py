"""How long a gradient check takes, beside what it cannot do without, and beside torch and SciPy.

    python benchmarks/speed.py [--output FILE.md] [--growth docs/plots/growth.json]

Everything is timed in one process with one thread; what is compared is run in turn, and the fastest of several rounds
counts. Run it where torch and scipy are installed.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

# Before numpy is imported, which reads them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from tabulate import tabulate

from benchmarks.measuring import at_least, at_most, fastest, machine, milliseconds
from benchmarks.peak_memory import peak
from benchmarks.subjects import CONVOLUTION, NORMALISATION, Subject, Weight, has_approx_derivative, linear

NEAR_FLOOR = 1.5
FASTER_THAN_TORCH = ((linear(128), 50.0), (CONVOLUTION, 10.0), (NORMALISATION, 3.0))
SMALLER_THAN_TORCH = 1 / 5
SIZES = {"gradcheck": (32, 64, 128, 256, 512), "torch": (8, 16, 32, 64, 128)}
STEEPEST = 2.3

Growth = Mapping[str, Mapping[int, float]]


def table(headers: tuple[str, ...], *rows: tuple[str, ...]) -> str:
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def floor_row(subject: Subject) -> tuple[str, ...]:
    analytical, numerical = subject.bare_loop()
    for leaf, jacobian in analytical.items():  # or else it would be no floor of this
        np.testing.assert_allclose(jacobian, numerical[leaf].T, atol=1e-6)
    floor, ours = fastest(subject.bare_loop, lambda: subject.by_gradcheck("exhaustive"))
    return subject.name, milliseconds(floor), milliseconds(ours), *at_most(ours / floor, NEAR_FLOOR)


def floor_table() -> str:
    """Exhaustive mode beside a bare loop of 2 forwards a coordinate and 1 backward an output."""
    headers = ("module", "bare loop, ms", "exhaustive, ms", "ratio", "target", "met")
    return table(headers, *(floor_row(subject) for subject in (linear(64), CONVOLUTION, NORMALISATION)))


def torch_row(subject: Subject, target: float) -> tuple[str, ...]:
    subject.require_same_function()
    ours, theirs = fastest(lambda: subject.by_gradcheck("grouped"), subject.by_torch)
    return subject.name, milliseconds(ours), milliseconds(theirs), *at_least(theirs / ours, target)


def torch_table() -> str:
    """Grouped mode beside torch.autograd.gradcheck, which is exhaustive."""
    headers = ("module", "grouped, ms", "torch, ms", "× faster", "target", "met")
    return table(headers, *(torch_row(subject, target) for subject, target in FASTER_THAN_TORCH))


def memory_table(size: int) -> str:
    """Peaks of both in processes of their own."""
    ours, theirs = peak("gradcheck", size), peak("torch", size)
    if ours is None or theirs is None:
        return "Peak memory: measured on Linux only."
    headers = ("module", "grouped, MiB", "torch, MiB", "ratio", "target", "met")
    verdict = at_most(ours / theirs, SMALLER_THAN_TORCH)
    return table(headers, (linear(size).name, f"{ours:.1f}", f"{theirs:.1f}", *verdict))


def scipy_table() -> str:
    """Grouped mode beside approx_derivative, which knows no analytical Jacobian and gives no verdict."""
    if not has_approx_derivative():
        return "SciPy: this version has no scipy.optimize._numdiff.approx_derivative."
    weight = Weight(linear(64))
    pattern, groups = weight.pattern, weight.groups()
    np.testing.assert_allclose(weight.by_scipy(pattern).toarray(), weight.by_scipy(), atol=1e-6)
    ours, dense, sparse, grouped = fastest(
        lambda: weight.subject.by_gradcheck("grouped"),
        weight.by_scipy,
        lambda: weight.by_scipy(pattern),
        lambda: weight.by_scipy((pattern, groups)),
    )
    headers = ("SciPy is given", "grouped, ms", "SciPy, ms", "× faster", "target", "met")
    return table(
        headers,
        ("nothing: dense", milliseconds(ours), milliseconds(dense), *at_least(dense / ours, 30)),
        ("the pattern", milliseconds(ours), milliseconds(sparse), *at_least(sparse / ours, 1)),
        ("the pattern and the groups", milliseconds(ours), milliseconds(grouped), f"{grouped / ours:.1f}", "–", "–"),
    )


def growth() -> Growth:
    """Seconds for Linear N→N with a batch of 4, by checker and N."""
    subjects = {size: linear(size) for sizes in SIZES.values() for size in sizes}

    def seconds(checker: str, size: int) -> float:
        subject = subjects[size]
        call = subject.by_torch if checker == "torch" else lambda: subject.by_gradcheck("grouped")
        return fastest(call)[0]

    return {checker: {size: seconds(checker, size) for size in sizes} for checker, sizes in SIZES.items()}


def exponent(seconds: Mapping[int, float]) -> float:
    """Of N in the time, by least squares of the logarithms."""
    return float(np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0])


def growth_table(found: Growth) -> str:
    """Times of both by N, and how they grow: over all N, and over the last doubling."""
    rows = []
    for size in sorted({size for seconds in found.values() for size in seconds}):
        times = (found[checker].get(size) for checker in SIZES)
        rows.append((str(size), *("–" if time is None else milliseconds(time) for time in times)))
    rows.append(("exponent of N", *(f"{exponent(found[checker]):.2f}" for checker in SIZES)))
    last = (exponent(dict(list(found[checker].items())[-2:])) for checker in SIZES)
    rows.append(("from the last two", *(f"{value:.2f}" for value in last)))
    target = at_most(exponent(found["gradcheck"]), STEEPEST)
    rows.append((f"target {target[1]}", target[2], "–"))
    return table(("N", "grouped, ms", "torch, ms"), *rows)


def page(found: Growth) -> str:
    """All tables in Markdown."""
    return f"""\
`python benchmarks/speed.py` · {machine("numpy", "scipy", "torch")} · one thread

Exhaustive mode beside a bare loop of 2 forwards a coordinate and 1 backward an output, which puts entries back, stores
both Jacobians and compares nothing:

{floor_table()}

Grouped mode beside `torch.autograd.gradcheck` at its defaults (slow mode), on the same function in float64:

{torch_table()}

The memory that each takes for itself, in a process of its own: the most that was resident during the check, less what
was resident after imports and a small check (`python benchmarks/peak_memory.py gradcheck|torch`):

{memory_table(128)}

Grouped mode beside SciPy's `approx_derivative` (3-point) on the weight of Linear 64→64, batch 4. Ours includes the
analytical Jacobian, finding the pattern in it, and the verdict; SciPy's is the numerical Jacobian alone:

{scipy_table()}

Growth, Linear N→N with a batch of 4:

{growth_table(found)}
"""


def main() -> None:
    """Measure; print the tables, and write them and the numbers of the plot to files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    parser.add_argument("--growth", type=Path, help="JSON file to write for docs/plots/growth.py")
    options = parser.parse_args()
    import_module("torch").set_num_threads(1)
    found = growth()
    text = page(found)
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    if options.growth:
        options.growth.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
