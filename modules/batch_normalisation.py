"""Normalisation of one feature over the samples of a batch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.values.aliases import Array, Saved, Sizes
from gradcheck.values.declarations import Declaration, positive, real
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class BatchNorm(Module):
    """Batch normalisation a = γ (x - μ) / √(v + ε) + b of every feature (Ioffe & Szegedy 2015).

    While training μ and v are the mean and the (biased) variance over the batch and over all places of an image; in
    evaluation they are inputs, what a trainer has averaged with ``statistics``.

    Shapes: x and a (N, D, *S), gain γ and bias b (D,), in evaluation mean and variance (D,).
    Raises ConfigurationError unless mean and variance are given in evaluation, and only there.

    >>> one = np.ones(1)
    >>> BatchNorm(epsilon=0.0).forward(x=np.array([[1.0], [3.0]]), gain=one, bias=one)[0].tolist()
    [[0.0], [2.0]]
    """

    training: bool = True
    epsilon: float = 1e-5

    parameters = {"gain": real("D"), "bias": real("D")}
    outputs = {"a": "N D *S"}
    variants = ({}, {"training": False}, {"epsilon": 0.1})

    @property
    def inputs(self) -> Mapping[str, Declaration]:
        x = {"x": real("N D *S")}
        return x if self.training else {**x, "mean": real("D"), "variance": positive("D")}

    @property
    def dimensions(self) -> Sequence[Sizes]:
        # Two samples without places are normalised to ±1 whatever x is: a Jacobian of nothing but rounding.
        return ({"N": 3, "D": 2, "S": ()}, {"N": 2, "D": 3, "S": (2, 2)}, {"N": 5, "D": 1, "S": (2,)})

    @property
    def independent(self) -> tuple[str, ...]:
        return ("D",) if self.training else ("N", "D", "*S")

    @property
    def examples(self) -> tuple[Example, ...]:
        unit = 1.0 / math.sqrt(1.0 + self.epsilon)
        leaves = {"x": [[4.0], [6.0]], "gain": [2.0], "bias": [1.0]}
        moments = {} if self.training else {"mean": [5.0], "variance": [1.0]}
        return (Example({**leaves, **moments}, [[1 - 2 * unit], [1 + 2 * unit]]),)

    def statistics(self, x: Array) -> tuple[Array, Array]:
        """Mean and biased variance (D,) of every feature of x (N, D, *S); 0 and 1 for no samples."""
        over = (0, *range(2, x.ndim))
        if x.size == 0:
            return np.zeros(x.shape[1]), np.ones(x.shape[1])
        return x.mean(axis=over), x.var(axis=over)

    def forward(
        self, x: Array, gain: Array, bias: Array, mean: Array | None = None, variance: Array | None = None
    ) -> tuple[Array, Saved]:
        given = [name for name, moment in (("mean", mean), ("variance", variance)) if moment is not None]
        if len(given) != (0 if self.training else 2):
            raise ConfigurationError(
                f"{self.name}: given are {' and '.join(given) or 'no mean and variance'}; expected both in evaluation,"
                f" and none in training"
            )
        if mean is None or variance is None:
            mean, variance = self.statistics(x)
        scale = 1.0 / np.sqrt(variance + self.epsilon)
        normalised = (x - _along(mean, x)) * _along(scale, x)
        return normalised * _along(gain, x) + _along(bias, x), (normalised, scale, gain)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # With s = 1 / √(v + ε) and x̂ = (x - μ) s:  γ̄ = Σ ā x̂,  b̄ = Σ ā,  and for given μ and v
        #     x̄ = γ s ā,   μ̄ = -γ s Σ ā,   v̄ = -½ γ s² Σ ā x̂        since  ∂x̂/∂v = -½ x̂ s²
        # For μ and v of the batch  ∂x̂_i/∂x_k = s (δ_ik - 1/n - x̂_i x̂_k / n) with n entries of the feature.
        normalised, scale, gain = saved
        over = (0, *range(2, a_bar.ndim))
        gradients = {"gain": (a_bar * normalised).sum(axis=over), "bias": a_bar.sum(axis=over)}
        steepness = gain * scale
        if not self.training:
            gradients["mean"] = -steepness * gradients["bias"]
            gradients["variance"] = -0.5 * steepness * scale * gradients["gain"]
            return {"x": a_bar * _along(steepness, a_bar), **gradients}
        count = max(math.prod(a_bar.shape[axis] for axis in over), 1)
        means, products = (_along(gradients[leaf] / count, a_bar) for leaf in ("bias", "gain"))
        return {"x": _along(steepness, a_bar) * (a_bar - means - normalised * products), **gradients}


def _along(feature: Array, x: Array) -> Array:
    """One number a feature (D,), shaped to go with x (N, D, *S)."""
    return feature.reshape(-1, *[1] * (x.ndim - 2))
