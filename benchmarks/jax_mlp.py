"""An MLP of JAX fully checked, each parameter by itself, beside check_grads of JAX, which looks at one projection.

    python benchmarks/jax_mlp.py [--output FILE.md]

Every run is in a process of its own with one thread, since to compile is the larger part of what a checker of JAX does
in a test: `first` is the first call in such a process, imports done, `again` the best of two more. Each of these is
the best of three processes, in turn. Run it where jax is installed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

# Before numpy and JAX are imported, which read them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", JAX_PLATFORMS="cpu")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from tabulate import tabulate

import gradcheck
from benchmarks.measuring import at_most, machine
from gradcheck.values.aliases import Array

SIZES, BATCH = (64, 64, 64, 10), 8
SLOWER_THAN_JAX = 3.0
PROCESSES = 3


def network(parameters: Mapping[str, Mapping[str, Any]], x: Any, targets: Any) -> Any:
    """The mean cross entropy of a softmax over layers of tanh."""
    jax: Any = import_module("jax")
    *hidden, last = parameters.values()
    for layer in hidden:
        x = jax.numpy.tanh(x @ layer["w"] + layer["b"])
    scores = x @ last["w"] + last["b"]
    return jax.numpy.mean(jax.nn.logsumexp(scores, axis=1) - jax.numpy.sum(targets * scores, axis=1))


def arguments() -> dict[str, Any]:
    """A generic point in float64; the targets are integers, which are not differentiated."""
    generator = np.random.default_rng(0)
    layers = {f"layer{i}": _layer(generator, *pair) for i, pair in enumerate(pairwise(SIZES))}
    targets = np.eye(SIZES[-1], dtype=np.int64)[generator.integers(SIZES[-1], size=BATCH)]
    return {"parameters": layers, "x": generator.normal(size=(BATCH, SIZES[0])), "targets": targets}


def _layer(generator: np.random.Generator, inputs: int, outputs: int) -> dict[str, Array]:
    return {"w": generator.normal(size=(inputs, outputs)) / inputs**0.5, "b": generator.normal(size=outputs)}


def by_jax(order: int) -> None:
    """jax.test_util.check_grads at its defaults but for the order, which has none; on floating-point arguments only."""
    test_util: Any = import_module("jax.test_util")
    given = arguments()
    with import_module("jax").enable_x64(True):
        test_util.check_grads(
            lambda parameters, x: network(parameters, x, given["targets"]), (given["parameters"], given["x"]), order
        )


def by_gradcheck(**options: Any) -> None:
    """Every coordinate of the parameters and of x; raises unless it passes."""
    module = import_module("gradcheck.plugins.jax_adapter").from_jax(network, arguments=arguments())
    gradcheck.check(module, {}, **options).raise_for_failure()


CHECKERS: Mapping[str, Callable[[], None]] = {
    "check_grads, order 1": lambda: by_jax(1),
    "check_grads, order 2": lambda: by_jax(2),
    "gradcheck, gradient": lambda: by_gradcheck(checks=["dimensions", "values", "gradient"]),
    "gradcheck, gradient, exhaustive": lambda: by_gradcheck(checks=["gradient"], mode="exhaustive"),
}


def timed(checker: str) -> tuple[float, float]:
    """Seconds of the first call in this process, and of the best of two more."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        CHECKERS[checker]()
        times.append(time.perf_counter() - started)
    return times[0], min(times[1:])


def in_turn() -> dict[str, tuple[float, float]]:
    """The best of several processes of each checker."""
    found: dict[str, list[tuple[float, float]]] = {checker: [] for checker in CHECKERS}
    for _ in range(PROCESSES):
        for checker, times in found.items():
            command = [sys.executable, __file__, "--time", checker]
            times.append(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout))
    return {name: (min(first for first, _ in times), min(again for _, again in times)) for name, times in found.items()}


def page(found: Mapping[str, tuple[float, float]]) -> str:
    """The table in Markdown."""
    least = found["check_grads, order 1"][0]
    coordinates = sum((inputs + 1) * outputs for inputs, outputs in pairwise(SIZES)) + BATCH * SIZES[0]
    rows = [
        (name, f"{first:.2f}", f"{again:.2f}", *at_most(first / least, SLOWER_THAN_JAX))
        for name, (first, again) in found.items()
    ]
    headers = ("checker", "first, s", "again, s", "first / order 1", "target", "met")
    return f"""\
`python benchmarks/jax_mlp.py` · {machine("numpy", "jax")} · one thread

An MLP of {"-".join(map(str, SIZES))} with a batch of {BATCH} and softmax cross entropy in float64:
{coordinates} coordinates. `jax.test_util.check_grads` looks at one random projection of them in each of its modes,
forward and reverse; gradcheck at every coordinate by itself. The order has no default in JAX; 1 is the least it does.

{tabulate(rows, headers, tablefmt="github", disable_numparse=True)}
"""


def main() -> None:
    """Measure, and print or write the table; or time one checker in this process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    parser.add_argument("--time", choices=CHECKERS, help="print the seconds that one checker takes in this process")
    options = parser.parse_args()
    if options.time:
        print(json.dumps(timed(options.time)))
        return
    text = page(in_turn())
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
