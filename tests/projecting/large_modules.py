"""Modules with many coordinates that cost little, and wrong versions of them, with their calls counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import gradcheck
from gradcheck.checking.evaluation import Evaluation
from gradcheck.projecting.projected import check_projected
from gradcheck.values.aliases import Array
from gradcheck.values.case import Case
from gradcheck.values.results import CheckResult
from gradcheck.values.settings import Settings

Change = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Large:
    """A module, the leaf that is checked, and the point of a seed."""

    forward: Callable[..., Any]
    backward: Callable[[Mapping[str, Array], Array], dict[str, Array]]
    point: Callable[[np.random.Generator], dict[str, Array]]
    leaf: str


@dataclass
class Calls:
    """How often a module was called."""

    forwards: int = 0
    backwards: int = 0
    result: CheckResult = field(init=False)


def checked(large: Large, seed: int, change: Change | None = None, **settings: Any) -> Calls:
    """The check by projections of a module whose gradient was changed, and every call that it made."""
    calls = Calls()

    def forward(**leaves: Array) -> Any:
        calls.forwards += 1
        return large.forward(**leaves)

    def backward(leaves: Mapping[str, Array], a: Array) -> dict[str, Array]:
        calls.backwards += 1
        gradients = large.backward(leaves, a)
        if change is not None:
            gradients[large.leaf] = change(gradients[large.leaf].copy(), a)
        return gradients

    module = gradcheck.from_functions(forward, backward)
    point = large.point(np.random.default_rng(seed))
    calls.result = check_projected(
        Evaluation(module, Case("large", point), Settings(seed=seed, **settings)), large.leaf
    )
    return calls


def scaled_at(index: int, factor: float = 1.001) -> Change:
    """One entry is off by a factor."""

    def change(gradient: Array, a: Array) -> Array:
        gradient.reshape(-1)[index] *= factor
        return gradient

    return change


def linear(batch: int, inputs: int, outputs: int, dtype: str = "float64") -> Large:
    """Outputs x @ w."""
    return Large(
        lambda x, w: x @ w,
        lambda leaves, a: {"x": a @ leaves["w"].T, "w": leaves["x"].T @ a},
        lambda rng: {
            "x": rng.normal(size=(batch, inputs)).astype(dtype),
            "w": rng.normal(size=(inputs, outputs)).astype(dtype),
        },
        "w",
    )


def elementwise(
    f: Callable[[Array], Array], slope: Callable[[Array], Array], draw: Callable[[np.random.Generator], Array]
) -> Large:
    """Every output is a function of its own coordinate."""
    return Large(lambda x: f(x), lambda p, a: {"x": a * slope(p["x"])}, lambda rng: {"x": draw(rng)}, "x")


def tanh(size: int) -> Large:
    """Elementwise tanh."""
    return elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2, lambda rng: rng.normal(size=size))


def probabilities(a: Array) -> Array:
    """Softmax over the last axis."""
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def network(
    hidden: int, batch: int, *, rectified: bool, loss: bool, inputs: int = 300, dtype: str = "float64"
) -> Large:
    """Two layers, and a cross-entropy on request; the first weight is the leaf."""

    def bend(z: Array) -> Array:
        return np.maximum(z, 0) if rectified else np.tanh(z)

    def slope(z: Array) -> Array:
        return (z > 0).astype(z.dtype) if rectified else 1 - np.tanh(z) ** 2

    def forward(x: Array, w: Array, u: Array, y: Array) -> Array:
        a = bend(x @ w) @ u
        return np.asarray(-(y * np.log(probabilities(a))).sum() / batch) if loss else a

    def backward(p: Mapping[str, Array], g: Array) -> dict[str, Array]:
        z = p["x"] @ p["w"]
        above = g * (probabilities(bend(z) @ p["u"]) - p["y"]) / batch if loss else g
        below = (above @ p["u"].T) * slope(z)
        return {"x": below @ p["w"].T, "w": p["x"].T @ below, "u": bend(z).T @ above, "y": 0 * p["y"]}

    def point(rng: np.random.Generator) -> dict[str, Array]:
        drawn = {
            "x": rng.normal(size=(batch, inputs)),
            "w": rng.normal(size=(inputs, hidden)) / inputs**0.5,
            "u": rng.normal(size=(hidden, 10)) / hidden**0.5,
            "y": np.eye(10)[rng.integers(10, size=batch)],
        }
        return {name: value.astype(dtype) for name, value in drawn.items()}

    return Large(forward, backward, point, "w")


def layer_norm(rows: int, width: int) -> Large:
    """Rows with mean 0 and variance 1."""

    def parts(x: Array) -> tuple[Array, Array]:
        centred = x - x.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        return centred / deviation, deviation

    def backward(p: Mapping[str, Array], g: Array) -> dict[str, Array]:
        h, deviation = parts(p["x"])
        means = g.mean(axis=1, keepdims=True) + h * (g * h).mean(axis=1, keepdims=True)
        return {"x": (g - means) / deviation}

    return Large(lambda x: parts(x)[0], backward, lambda rng: {"x": 2 * rng.normal(size=(rows, width)) + 1}, "x")


def softmax(rows: int, width: int) -> Large:
    """Softmax of large logits."""

    def backward(p: Mapping[str, Array], g: Array) -> dict[str, Array]:
        y = probabilities(30 * p["x"])
        return {"x": 30 * y * (g - (g * y).sum(axis=1, keepdims=True))}

    return Large(lambda x: probabilities(30 * x), backward, lambda rng: {"x": rng.normal(size=(rows, width))}, "x")


def mixed_scales(rng: np.random.Generator) -> Array:
    """Entries of either sign from 1e-6 to 1e6."""
    return np.asarray(10 ** rng.uniform(-6, 6, 100_000) * rng.choice([-1.0, 1.0], 100_000))


CORRECT = {
    "linear": linear(4, 300, 300),
    "tanh": tanh(100_000),
    "tanh network": network(300, 16, rectified=False, loss=False),
    "tanh network with a loss": network(300, 16, rectified=False, loss=True),
    "ReLU network": network(340, 16, rectified=True, loss=False),
    "ReLU network with a loss": network(340, 16, rectified=True, loss=True),
    "small ReLU network": network(30, 8, rectified=True, loss=True, inputs=20),
    "small tanh network": network(30, 8, rectified=False, loss=False, inputs=20),
    "LayerNorm": layer_norm(100, 300),
    "softmax": softmax(200, 50),
}
