"""Forward and backward of catalogue modules beside torch on one thread, in float64, at mid sizes.

    python benchmarks/catalogue.py

prints a ratio for each; above 1 torch is faster. Both are measured in turn in one process, and the best of several
rounds counts, since whatever else the machine does can only slow a round down. The last row is
no middle size: where arrays are larger than the cache, numpy's temporary ones cost more.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from tabulate import tabulate
from threadpoolctl import threadpool_limits

from gradcheck.modules import Attention, Conv2d, LayerNorm, Linear
from gradcheck.values.aliases import Array, Shape
from gradcheck.values.module import Module

torch: Any = import_module("torch")
ROUNDS, SECONDS = 7, 0.2
F = torch.nn.functional


@dataclass(frozen=True)
class Duel:
    """A module of ours at the shapes of its leaves, and the same function of torch."""

    module: Module
    shapes: Mapping[str, Shape]
    theirs: Callable[..., Any]


DUELS = (
    Duel(
        Linear(),
        {"x": (256, 512), "weight": (512, 512), "bias": (512,)},
        lambda x, weight, bias: F.linear(x, weight.T, bias),
    ),
    Duel(
        Conv2d(padding=(1, 1)),
        {"x": (16, 32, 28, 28), "weight": (64, 32, 3, 3), "bias": (64,)},
        lambda x, weight, bias: F.conv2d(x, weight, bias, padding=1),
    ),
    Duel(
        LayerNorm(),
        {"x": (128, 256), "gain": (256,), "bias": (256,)},
        lambda x, gain, bias: F.layer_norm(x, (256,), gain, bias),
    ),
    Duel(
        Attention(),
        {"query": (16, 128, 64), "key": (16, 128, 64), "value": (16, 128, 64)},
        F.scaled_dot_product_attention,
    ),
    Duel(
        LayerNorm(),
        {"x": (1024, 512), "gain": (512,), "bias": (512,)},
        lambda x, gain, bias: F.layer_norm(x, (512,), gain, bias),
    ),
)


def ours(duel: Duel, leaves: Mapping[str, Array], cotangent: Array) -> Callable[[], object]:
    """One forward and one backward of the module."""

    def run() -> object:
        _, saved = duel.module.forward(**leaves)
        return duel.module.backward(saved, cotangent)

    return run


def theirs(duel: Duel, leaves: Mapping[str, Array], cotangent: Array) -> Callable[[], object]:
    """One forward and one backward of torch."""
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in leaves.items()}
    pulled = torch.tensor(cotangent)
    return lambda: torch.autograd.grad(duel.theirs(*tensors.values()), list(tensors.values()), pulled)


def seconds(run: Callable[[], object]) -> float:
    """Mean time of one run, over as many as fill a round."""
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < SECONDS:
        run()
        count += 1
    return elapsed / count


def row(duel: Duel) -> tuple[str, str, str, str]:
    """Best times of both, and their ratio."""
    generator = np.random.default_rng(0)
    leaves = {name: generator.normal(size=shape) for name, shape in duel.shapes.items()}
    output: Any = duel.module.forward(**leaves)[0]
    cotangent = generator.normal(size=output.shape)
    runs = ours(duel, leaves, cotangent), theirs(duel, leaves, cotangent)
    rounds = [tuple(seconds(run) for run in runs) for _ in range(ROUNDS)]
    own, other = (min(times) for times in zip(*rounds, strict=True))
    shape = "x".join(map(str, next(iter(duel.shapes.values()))))
    return f"{duel.module.name} {shape}", f"{1e3 * own:.2f} ms", f"{1e3 * other:.2f} ms", f"{own / other:.2f}"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        rows = [row(duel) for duel in DUELS]
    print(tabulate(rows, headers=("forward + backward", "ours", "torch", "ratio")))


if __name__ == "__main__":
    main()
