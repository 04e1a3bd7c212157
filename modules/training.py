"""Training: the three steps of the lecture, over and over.

1. Forward: visit the modules in their order; each stores what its backward needs.
2. Backward: visit them in reverse, with what was stored; each gives gradients for its parameters.
3. Update: move every parameter against its gradient.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from gradcheck.modules.fields import require_whole
from gradcheck.values.aliases import Array, Generator, Leaves, Sizes
from gradcheck.values.declarations import Declaration
from gradcheck.values.domains import Interval
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Module


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum and weight decay, v ← m v + ∂L/∂θ + λ θ, θ ← θ - r v.

    Arguments:
        rate: r, the learning rate.
        momentum: m, from 0 to below 1.
        decay: λ; parameters with fewer than two axes, such as biases and gains, do not decay.
    """

    rate: float = 0.1
    momentum: float = 0.9
    decay: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.rate < np.inf or not 0 <= self.momentum < 1 or not 0 <= self.decay < np.inf:
            raise ConfigurationError(f"{self}: expected rate > 0, momentum from 0 to below 1, decay >= 0")

    def updated(self, parameters: Leaves, velocity: Leaves, gradients: Leaves) -> tuple[Leaves, Leaves]:
        """Parameters and velocity after one step.

        >>> one = {"bias": np.ones(1)}
        >>> SGD(0.5).updated(one, {}, one)[0]
        {'bias': array([0.5])}
        """
        after = {
            name: self.momentum * velocity.get(name, 0.0)
            + gradients[name]
            + (self.decay * value if value.ndim > 1 else 0.0)
            for name, value in parameters.items()
        }
        return {name: value - self.rate * after[name] for name, value in parameters.items()}, after


@dataclass(frozen=True)
class Epoch:
    """What is known after one pass over the data: its number, the mean loss of its batches, the parameters."""

    number: int
    loss: float
    parameters: Leaves


@dataclass(frozen=True)
class Scaling:
    """Shift and scale that give every feature of the training data mean 0 and standard deviation 1.

    >>> Scaling.of(np.array([[1.0, 5.0], [3.0, 5.0]])).applied(np.array([[2.0, 5.0], [4.0, 6.0]])).tolist()
    [[0.0, 0.0], [2.0, 1.0]]
    """

    mean: Array
    deviation: Array

    @classmethod
    def of(cls, data: Array) -> "Scaling":
        """Of data (N, *S); a feature that does not vary is only shifted."""
        # By its range: the deviation of equal numbers may be rounding instead of 0.
        varies = np.ptp(data, axis=0) > 0
        return cls(data.mean(axis=0), np.where(varies, data.std(axis=0), 1.0))

    def applied(self, data: Array) -> Array:
        """Data (N, *S) with the same shift and scale."""
        return np.asarray((data - self.mean) / self.deviation)


def initial_parameters(
    module: Module, sizes: Sizes, seed: int, given: Mapping[str, float] | None = None
) -> dict[str, Array]:
    """Draw parameters of a module whose sizes are given: matrices and kernels at random, everything else 0.

    A matrix (D, M) and a kernel (M, C, *K) are drawn from N(0, 2 / (D + M)) and N(0, 2 / ((C + M) ΠK)): as many units
    feed as are fed (Glorot & Bengio 2010). A leading axis of fixed size counts matrices, such as those of gates.
    What may not be any number, such as a positive factor, is drawn from its domain.

    Arguments:
        given: a number for all of a parameter instead, such as ``{"norm.gain": 1.0}``.

    Raises ConfigurationError if the size of a symbol is missing, or a name is that of no parameter.

    >>> from gradcheck.modules import Linear
    >>> {name: value.shape for name, value in initial_parameters(Linear(), {"D": 2, "M": 3}, seed=0).items()}
    {'weight': (2, 3), 'bias': (3,)}
    """
    given = given or {}
    if unknown := [name for name in given if name not in module.parameters]:
        raise ConfigurationError(
            f"{module.name} has no {', '.join(unknown)}; its parameters are {', '.join(module.parameters)}"
        )
    generator = np.random.default_rng(seed)
    parameters: dict[str, Array] = {}
    for name, declared in module.parameters.items():
        missing = [symbol for symbol in declared.symbols if symbol.lstrip("*") not in sizes]
        if missing:
            raise ConfigurationError(
                f"{module.name}: {name} '{declared.dimensions}' needs the sizes of {', '.join(missing)}; given are"
                f" {', '.join(sizes) or 'none'}"
            )
        drawn = _drawn(declared, sizes, generator)
        parameters[name] = np.full_like(drawn, given[name]) if name in given else drawn
    return parameters


def _drawn(declared: Declaration, sizes: Sizes, generator: Generator) -> Array:
    shape = declared.dimensions.shape(sizes)
    if declared.domain != Interval():
        return declared.draw(generator, sizes)
    one = shape[1:] if declared.dimensions.axes[:1] and declared.dimensions.axes[0].isdigit() else shape
    units = max(sum(one[:2]) * int(np.prod(one[2:])), 1)
    drawn = generator.normal(0.0, np.sqrt(2.0 / units), shape) if len(one) > 1 else np.zeros(shape)
    return np.asarray(drawn.astype(declared.dtype))


@dataclass(frozen=True)
class Trainer:
    """Mini-batch training of a module that ends in one loss.

    Arguments:
        module: the module, with a single output: the mean loss of a batch.
        optimiser: how parameters follow their gradients.
        batch: samples in a mini-batch, about: all are of nearly the same size.
        seed: seed of the order of the samples, and of a stochastic module.
    """

    module: Module
    optimiser: SGD = field(default_factory=SGD)
    batch: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        require_whole("Trainer", 1, batch=self.batch)
        require_whole("Trainer", 0, seed=self.seed)
        if list(self.module.outputs.values()) != [""]:
            raise ConfigurationError(
                f"{self.module.name} has the outputs {dict(self.module.outputs)}; a Trainer needs exactly one, of"
                f" dimensions '', such as the loss with reduction 'mean'"
            )

    def epochs(self, parameters: Leaves, data: Leaves) -> Iterator[Epoch]:
        """Train for as long as epochs are taken; ``data`` has the inputs of the module, samples first.

        Raises ConfigurationError if data or parameters are not those of the module, or data differ in their samples.
        """
        _require_names(self.module, "data", data, self.module.inputs)
        _require_names(self.module, "parameters", parameters, self.module.parameters)
        counts = {name: len(values) for name, values in data.items()}
        if len(set(counts.values())) != 1 or 0 in counts.values():
            raise ConfigurationError(f"data have {counts} samples; expected as many of each, and at least one")
        generator = np.random.default_rng(self.seed)
        velocity: Leaves = {}
        number = 0
        while True:
            number += 1
            losses: list[float] = []
            for chosen in _batches(min(counts.values()), self.batch, generator):
                samples = {name: values[chosen] for name, values in data.items()}
                loss, gradients = self.gradients(parameters, samples, generator)
                parameters, velocity = self.optimiser.updated(parameters, velocity, gradients)
                losses.append(loss)
            yield Epoch(number, float(np.mean(losses)), parameters)

    def gradients(self, parameters: Leaves, samples: Leaves, generator: Generator) -> tuple[float, Leaves]:
        """The loss of some samples and the gradients of the parameters."""
        stream = {"rng": generator} if self.module.stochastic else {}
        loss, saved = self.module.forward(**samples, **parameters, **stream)
        return float(np.asarray(loss)), self.module.backward(saved, np.ones(()))


def _batches(samples: int, size: int, generator: Generator) -> list[Array]:
    """All samples in a new order, in batches of about the given size."""
    return np.array_split(generator.permutation(samples), max(1, round(samples / size)))


def _require_names(module: Module, what: str, given: Leaves, expected: Mapping[str, object]) -> None:
    if set(given) != set(expected):
        raise ConfigurationError(f"{what} are {', '.join(given)}; {module.name} takes {', '.join(expected)}")
