"""Rectifiers: piecewise elementwise activations, with a kink where the pieces meet."""

from dataclasses import dataclass

import numpy as np

from gradcheck.modules.activation import logistic
from gradcheck.values.aliases import Array, Generator, Saved
from gradcheck.values.declarations import real
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class ReLU(Module):
    """Rectifier a = max(0, x); at the kink x = 0 backward gives the subgradient 0.

    Shapes: x and a (*B).

    >>> ReLU().forward(np.array([-1.5, 0.0, 2.0]))[0].tolist()
    [0.0, 0.0, 2.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    kinks = {"x": (0.0,)}
    examples = (Example({"x": [-1.5, 0.0, 2.0]}, [0.0, 0.0, 2.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.maximum(x, 0.0), x > 0

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 where x > 0, else 0
        active = saved
        return {"x": np.where(active, a_bar, 0.0)}


@dataclass(frozen=True)
class LeakyReLU(Module):
    """Leaky rectifier a = x for x > 0, slope · x otherwise.

    Shapes: x and a (*B).

    >>> LeakyReLU(0.1).forward(np.array([-2.0, 2.0]))[0].tolist()
    [-0.2, 2.0]
    """

    slope: float = 0.01

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    kinks = {"x": (0.0,)}
    variants = ({}, {"slope": 0.3})

    @property
    def examples(self) -> tuple[Example, ...]:
        return (Example({"x": [-4.0, 0.0, 2.0]}, [-4.0 * self.slope, 0.0, 2.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        active = x > 0
        return np.where(active, x, self.slope * x), active

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 where x > 0, else the slope
        active = saved
        return {"x": np.where(active, a_bar, self.slope * a_bar)}


@dataclass(frozen=True)
class PReLU(Module):
    """Rectifier with a trainable slope, a = x for x > 0, β x otherwise (He et al. 2015).

    Shapes: x and a (*B), beta ().

    >>> PReLU().forward(x=np.array([-2.0, 2.0]), beta=np.array(0.25))[0].tolist()
    [-0.5, 2.0]
    """

    inputs = {"x": real("*B")}
    parameters = {"beta": real()}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    kinks = {"x": (0.0,)}
    examples = (Example({"x": [-4.0, 0.0, 2.0], "beta": 0.25}, [-1.0, 0.0, 2.0]),)

    def forward(self, x: Array, beta: Array) -> tuple[Array, Saved]:
        return np.where(x > 0, x, beta * x), (x, beta)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 where x > 0, else β;  ∂a/∂β = 0 where x > 0, else x: β̄ sums over all entries
        x, beta = saved
        return {"x": np.where(x > 0, a_bar, beta * a_bar), "beta": np.sum(np.minimum(x, 0.0) * a_bar)}


@dataclass(frozen=True)
class NoisyReLU(Module):
    """Noisy rectifier a = max(0, x + ε), ε ~ N(0, σ(x)): the logistic function of x is the variance.

    (Nair & Hinton 2010.) The noise is drawn as ε = √σ(x) z with z ~ N(0, 1), so that it has a derivative: that of its
    size.

    Shapes: x and a (*B).

    >>> a, _ = NoisyReLU().forward(np.full(4, -100.0), rng=np.random.default_rng(0))
    >>> a.tolist()
    [0.0, 0.0, 0.0, 0.0]
    """

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    stochastic = True
    # Where the noise has died out, what is left is a rectifier.
    examples = (Example({"x": [-1e3, -1e2]}, [0.0, 0.0]),)

    def forward(self, x: Array, rng: Generator) -> tuple[Array, Saved]:
        z, variance = rng.standard_normal(x.shape).astype(x.dtype), logistic(x)
        noisy = x + np.sqrt(variance) * z
        return np.maximum(noisy, 0.0), (noisy > 0, z, variance)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # With σ' = σ (1 - σ):  ∂√σ/∂x = σ' / (2 √σ) = ½ √σ (1 - σ), so  ∂a/∂x = 1 + ½ √σ (1 - σ) z where a > 0
        active, z, variance = saved
        return {"x": np.where(active, a_bar * (1.0 + 0.5 * np.sqrt(variance) * (1.0 - variance) * z), 0.0)}


@dataclass(frozen=True)
class ELU(Module):
    """Exponential linear unit a = x for x > 0, α (exp(x) - 1) otherwise (Clevert et al. 2016).

    Shapes: x and a (*B).

    >>> ELU().forward(np.array([-1000.0, 2.0]))[0].tolist()
    [-1.0, 2.0]
    """

    alpha: float = 1.0

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    jacobian = "diagonal"
    kinks = {"x": (0.0,)}
    variants = ({}, {"alpha": 0.5})

    @property
    def examples(self) -> tuple[Example, ...]:
        return (Example({"x": [-np.log(2.0), 0.0, 3.0]}, [-0.5 * self.alpha, 0.0, 3.0]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        # The exponential is only needed below 0, where it cannot overflow.
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0.0))), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 where x > 0, else α exp(x); a + α would be the same, but cancels where the unit saturates
        x = saved
        return {"x": a_bar * np.where(x > 0, 1.0, self.alpha * np.exp(np.minimum(x, 0.0)))}
