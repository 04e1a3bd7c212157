"""How values are drawn: each function takes a shape, and returns a function of a generator."""

from collections.abc import Callable, Sequence

import numpy as np

from gradcheck.values.aliases import Array

Draw = Callable[[np.random.Generator], Array]


def normal(*shape: int) -> Draw:
    """Of the standard normal distribution."""
    return lambda rng: np.asarray(rng.normal(size=shape))


def between(low: float, high: float, *shape: int) -> Draw:
    """Uniform in an interval."""
    return lambda rng: np.asarray(rng.uniform(low, high, shape))


def positive(*shape: int) -> Draw:
    """In 0.5 ... 2."""
    return between(0.5, 2.0, *shape)


def nonzero(*shape: int) -> Draw:
    """In ±(0.3 ... 2), of both signs."""
    return lambda rng: np.asarray(rng.uniform(0.3, 2.0, shape) * rng.choice([-1.0, 1.0], shape))


def distinct(*shape: int) -> Draw:
    """In −2 ... 2, no two closer than 0.8 / size, in any order."""

    def draw(rng: np.random.Generator) -> Array:
        count = int(np.prod(shape))
        ranks = rng.permutation(count).reshape(shape) + rng.uniform(0.1, 0.9, shape) * 0.8
        return np.asarray(-2.0 + 4.0 * ranks / count)

    return draw


def given(values: Sequence[object]) -> Draw:
    """Always these, as floats."""
    return lambda rng: np.array(values, dtype=np.float64)


def indices(values: Sequence[object]) -> Draw:
    """Always these, as integers."""
    return lambda rng: np.array(values, dtype=np.int64)


def labels(classes: int, *shape: int) -> Draw:
    """Integers below a number of classes."""
    return lambda rng: np.asarray(rng.integers(classes, size=shape))


def mask(*shape: int) -> Draw:
    """Bools, about half of them true; neither all nor none."""
    return lambda rng: rng.permutation(np.arange(np.prod(shape)) % 2 == 0).reshape(shape)


def signs(*shape: int) -> Draw:
    """Labels ±1 of both kinds, as integers."""
    return lambda rng: rng.permutation(1 - 2 * (np.arange(np.prod(shape)) % 2)).reshape(shape)


def simplex(*shape: int) -> Draw:
    """Positive numbers that sum to one along the last axis."""

    def draw(rng: np.random.Generator) -> Array:
        weights = rng.uniform(0.5, 2.0, shape)
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    return draw


def complex_normal(*shape: int) -> Draw:
    """Complex numbers, both parts normal."""
    return lambda rng: np.asarray(rng.normal(size=shape) + 1j * rng.normal(size=shape))


def regular(*shape: int) -> Draw:
    """Square matrices in the last two axes, normal but for a diagonal that makes them well conditioned."""
    return lambda rng: np.asarray(0.4 * rng.normal(size=shape) + np.diag(2.0 + np.arange(shape[-1])))


def definite(*shape: int) -> Draw:
    """Symmetric positive definite matrices in the last two axes, with eigenvalues apart from each other."""

    def draw(rng: np.random.Generator) -> Array:
        root = 0.3 * rng.normal(size=shape)
        return np.asarray(root @ np.swapaxes(root, -1, -2) + np.diag(1.0 + np.arange(shape[-1])))

    return draw


def lower(*shape: int) -> Draw:
    """Lower triangular matrices in the last two axes with a positive diagonal."""
    return lambda rng: np.tril(0.4 * rng.normal(size=shape), -1) + np.diag(1.0 + 0.5 * np.arange(shape[-1]))
