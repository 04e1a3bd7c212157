"""An autograd.Function beside torch's own checker: `python benchmarks/torch_function.py`.

Both are given the same Function and the same tensors; torch's checker is used at its defaults, which perturb every
coordinate by itself, ours in grouped mode. Run it where torch is installed.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# Before numpy and torch are imported, which read them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tabulate import tabulate

import gradcheck
from benchmarks.measuring import at_least, fastest, machine, milliseconds

SIZE, BATCH = 128, 4
FASTER_THAN_TORCH = 30.0

torch: Any = import_module("torch")


class Linear(torch.autograd.Function):  # type: ignore[misc]  # torch is not there when types are checked
    """x θ + b, as people write it."""

    @staticmethod
    def forward(x: Any, weight: Any, bias: Any) -> Any:
        """The output."""
        return x @ weight + bias

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep what the backward needs."""
        del output
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, a_bar: Any) -> Any:
        """The gradients."""
        x, weight = ctx.saved_tensors
        return a_bar @ weight.T, x.T @ a_bar, a_bar.sum(0)


def page() -> str:
    """The table in Markdown."""
    generator = torch.Generator().manual_seed(0)
    shapes = {"x": (BATCH, SIZE), "weight": (SIZE, SIZE), "bias": (SIZE,)}
    point = {leaf: torch.randn(shape, dtype=torch.float64, generator=generator) for leaf, shape in shapes.items()}

    def ours() -> None:
        gradcheck.check(Linear, point, mode="grouped", checks=["gradient"]).raise_for_failure()

    def theirs() -> None:
        torch.autograd.gradcheck(Linear.apply, [value.clone().requires_grad_() for value in point.values()])

    seconds, others = fastest(ours, theirs)
    row = (f"Linear {SIZE}→{SIZE}, batch {BATCH}", milliseconds(seconds), milliseconds(others))
    headers = ("autograd.Function", "grouped, ms", "torch, ms", "× faster", "target", "met")
    rows = [(*row, *at_least(others / seconds, FASTER_THAN_TORCH))]
    return f"""\
`python benchmarks/torch_function.py` · {machine("numpy", "torch")} · one thread

An `autograd.Function` as it is, beside `torch.autograd.gradcheck` at its defaults:

{tabulate(rows, headers, tablefmt="github", disable_numparse=True)}
"""


def main() -> None:
    """Measure, and print the table."""
    torch.set_num_threads(1)
    print(page())


if __name__ == "__main__":
    main()
