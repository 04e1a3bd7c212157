"""Draw the error of a central difference against its step, and what gradcheck makes of the same forward.

    python docs/plots/error_against_step.py [FILE.svg]

Writes docs/plots/error_against_step.svg, the figure of docs/how-it-judges.md.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np

from gradcheck.algebra.precision import Noise
from gradcheck.calculus.climbing import Goal, climbed
from gradcheck.calculus.coordinates import coordinates_of
from gradcheck.calculus.estimate import Estimate
from gradcheck.calculus.line import Line
from gradcheck.calculus.samples import Neighbourhood
from gradcheck.values.aliases import Array, Leaves

POINT = 0.7
STEPS = 10.0 ** np.linspace(-14, 0, 113)


@dataclass(frozen=True)
class Curve:
    """A forward with a known derivative: errors of single differences, and gradcheck's error, real and stated."""

    title: str
    first_step: float
    errors: Array
    real: float
    stated: float


def curve(title: str, forward: Callable[[Array], Array], derivative: float) -> Curve:
    """Differentiate one forward at every step, and once as gradcheck does."""
    x = np.array([POINT])

    def evaluate(leaves: Leaves) -> Array:
        return np.asarray(forward(leaves["x"]), dtype=np.float64)

    value = evaluate({"x": x})
    near = Neighbourhood(evaluate, {"x": x}, value, Noise(np.full(1, np.finfo(float).eps), np.zeros(1)))
    line, coordinate = Line(near, "x"), coordinates_of(near, "x", np.full(1, np.inf))[0]
    differences = line.samples(0, STEPS).central().values[:, 0]
    estimate: Estimate = climbed(line, coordinate, Goal(lambda first: np.zeros((1, 1), bool), 1e-7, 1e-5, 1.0))
    size = abs(derivative)
    return Curve(
        title,
        coordinate.first_step,
        np.abs(differences - derivative) / size,
        abs(float(estimate.value[0]) - derivative) / size,
        float(estimate.error[0]) / size,
    )


def curves() -> tuple[Curve, ...]:
    """The same function computed exactly, beside a large constant, and in float32 inside."""
    slope = 1 - np.tanh(POINT) ** 2
    return (
        curve("tanh(x)", np.tanh, slope),
        curve("10⁶ + tanh(x)", lambda x: 1e6 + np.tanh(x), slope),
        curve("tanh(x), float32 inside", lambda x: np.tanh(x.astype(np.float32)), slope),
    )


def draw(file: Path) -> None:
    """Write the figure."""
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "gradcheck"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True)
    for axis, found in zip(axes, curves(), strict=True):
        axis.loglog(STEPS, np.maximum(found.errors, 1e-17), lw=1, label="one central difference")
        axis.axvline(found.first_step, color="grey", lw=0.8, ls=":", label="first step")
        axis.axhline(found.stated, color="tab:red", lw=1.2, label="error that gradcheck states")
        axis.axhline(max(found.real, 1e-17), color="tab:green", lw=1.2, ls="--", label="error that it has")
        axis.set(title=found.title, xlabel="step h")
    axes[0].set_ylabel("relative error of ∂a/∂x")
    axes[0].legend(fontsize=7, loc="lower left")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
