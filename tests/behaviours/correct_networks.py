"""Correct objects that a clumsy probe would reject: noise, ties, buffers, parts, recurrence, whole numbers, losses."""

import copy
import functools
from typing import Any

import numpy as np

import gradcheck
from gradcheck import Module, real
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


class CheckpointedDropout:
    """Draws its mask again in backward, from the state that the generator had in forward."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(11)
        self.state: Any = None

    def forward(self, x: Array) -> Array:
        self.state = copy.deepcopy(self.rng.bit_generator.state)
        return np.asarray(x * (self.rng.random(x.shape) < 0.7) / 0.7)

    def backward(self, da: Array) -> Array:
        again = np.random.default_rng()
        again.bit_generator.state = self.state
        return np.asarray(da * (again.random(da.shape) < 0.7) / 0.7)


class GaussianNoise:
    """Multiplies by noise from numpy's global generator while training."""

    training = True

    def train(self) -> None:
        self.training = True

    def eval(self) -> None:
        self.training = False

    def forward(self, x: Array) -> Array:
        self.factor = np.random.normal(1.0, 0.2, size=x.shape) if self.training else np.ones(x.shape)
        return np.asarray(self.factor * x)

    def backward(self, da: Array) -> Array:
        return np.asarray(self.factor * da)


class DropConnect:
    """Drops weights, with the generator that forward is given."""

    def __init__(self, D: int, M: int) -> None:
        self.params, self.grads = {"W": np.random.randn(D, M)}, {"W": np.zeros((D, M))}

    def forward(self, x: Array, rng: Any = None) -> Array:
        kept = np.ones_like(self.params["W"]) if rng is None else rng.random(self.params["W"].shape) < 0.5
        self.x, self.kept = x, kept
        return np.asarray(x @ (self.params["W"] * kept))

    def backward(self, da: Array) -> Array:
        self.grads["W"] = (self.x.T @ da) * self.kept
        return np.asarray(da @ (self.params["W"] * self.kept).T)


class TiedAutoencoder:
    """The decoder is the transpose of the encoder."""

    def __init__(self, D: int) -> None:
        W = 0.4 * np.random.randn(D, 4)
        self.params = {"encoder": W, "decoder": W.T}
        self.grads: dict[str, Array] = {}

    def forward(self, x: Array) -> Array:
        self.x, self.h = x, np.tanh(x @ self.params["encoder"])
        return np.asarray(self.h @ self.params["decoder"])

    def backward(self, da: Array) -> Array:
        dz = (da @ self.params["decoder"].T) * (1 - self.h**2)
        self.grads["decoder"], self.grads["encoder"] = self.h.T @ da, self.x.T @ dz
        return np.asarray(dz @ self.params["encoder"].T)


class TiedSteps:
    """One matrix under two names."""

    def __init__(self, D: int) -> None:
        shared = np.random.randn(D, D) / D
        self.params = {"first": shared, "second": shared}
        self.grads: dict[str, Array] = {}

    def forward(self, x: Array) -> Array:
        self.x, self.h = x, np.sin(x @ self.params["first"])
        self.slope = np.cos(x @ self.params["first"])
        return np.asarray(self.h @ self.params["second"])

    def backward(self, da: Array) -> Array:
        dz = (da @ self.params["second"].T) * self.slope
        self.grads.update(first=self.x.T @ dz, second=self.h.T @ da)
        return np.asarray(dz @ self.params["first"].T)


class SpectralNorm:
    """Divides by uᵀ W v; the two vectors are updated by the optimiser only."""

    def __init__(self, D: int, M: int) -> None:
        self.W, self.dW = np.random.randn(D, M) + 2.0, np.zeros((D, M))
        self.u, self.v = np.full(D, D**-0.5), np.full(M, M**-0.5)

    def forward(self, x: Array) -> Array:
        self.x, self.sigma = x, self.u @ self.W @ self.v
        return np.asarray(x @ self.W / self.sigma)

    def backward(self, da: Array) -> Array:
        d = self.x.T @ da / self.sigma
        self.dW = d - np.vdot(d, self.W) / self.sigma * np.outer(self.u, self.v)
        return np.asarray(da @ self.W.T / self.sigma)


@functools.cache
def positions(T: int, D: int) -> Array:
    """A constant that all instances share, read-only."""
    table = np.sin(np.arange(T)[:, None] / 100.0 ** (np.arange(D) / D))
    table.flags.writeable = False
    return table


class Positional:
    """Adds a table that is made once for every shape."""

    def __init__(self, D: int) -> None:
        self.params, self.grads = {"scale": np.full(D, 0.5)}, {"scale": np.zeros(D)}

    def forward(self, x: Array) -> Array:
        self.table = positions(*x.shape[1:])
        return np.asarray(x + self.params["scale"] * self.table)

    def backward(self, da: Array) -> Array:
        self.grads["scale"] = (da * self.table).sum(axis=(0, 1))
        return da.copy()


class Part:
    def __init__(self, D: int, M: int) -> None:
        self.params = {"W": np.random.randn(D, M), "b": np.zeros(M)}
        self.grads: dict[str, Array] = {}
        self.velocity = {"W": np.ones((D, M)), "b": np.ones(M)}

    def forward(self, x: Array) -> Array:
        self.a = np.tanh(x @ self.params["W"] + self.params["b"])
        self.x = x
        return np.array(self.a)

    def backward(self, da: Array) -> Array:
        dz = da * (1 - self.a**2)
        self.grads = {"W": self.x.T @ dz, "b": dz.sum(axis=0)}
        return np.asarray(dz @ self.params["W"].T)


class Network:
    """Layers with their parameters by path, and a skip from the input to the output."""

    def __init__(self, D: int) -> None:
        self.layers = {"enter": Part(D, 4), "leave": Part(4, D)}

    @property
    def params(self) -> dict[str, Array]:
        return {f"{at}.{name}": value for at, part in self.layers.items() for name, value in part.params.items()}

    @property
    def grads(self) -> dict[str, Array]:
        return {f"{at}.{name}": value for at, part in self.layers.items() for name, value in part.grads.items()}

    def forward(self, x: Array) -> Array:
        h = x
        for part in self.layers.values():
            h = part.forward(h)
        return x + h

    def backward(self, da: Array) -> Array:
        dh = da
        for part in reversed(self.layers.values()):
            dh = part.backward(dh)
        return da + dh


class MinimalGatedUnit:
    """h' = h + f ⊙ (tanh(x + h U) − h) with f = σ(h V), unrolled with a stack."""

    def __init__(self, D: int) -> None:
        self.params = {name: 0.5 * np.random.randn(D, D) for name in "UV"}
        self.grads: dict[str, Array] = {}
        self.stack: list[tuple[Array, Array, Array]] = []

    def step(self, x: Array, h: Array) -> Array:
        f, c = 0.5 + 0.5 * np.tanh(0.5 * h @ self.params["V"]), np.tanh(x + h @ self.params["U"])
        self.stack.append((h, f, c))
        return np.asarray(h + f * (c - h))

    def forward(self, x: Array) -> Array:
        h = np.zeros(x.shape[1:])
        return np.stack([h := self.step(x_t, h) for x_t in x])

    def backward(self, da: Array) -> Array:
        grads, dh, dx = {name: np.zeros_like(p) for name, p in self.params.items()}, np.zeros(da.shape[1:]), []
        for da_t in da[::-1]:
            h, f, c = self.stack.pop()
            dh = dh + da_t
            dc, df = dh * f * (1 - c**2), dh * (c - h) * f * (1 - f)
            grads["U"] += h.T @ dc
            grads["V"] += h.T @ df
            dh = dh * (1 - f) + dc @ self.params["U"].T + df @ self.params["V"].T
            dx.append(dc)
        self.grads = grads
        return np.stack(dx[::-1])


def layer(kind: Any, **promises: Any) -> Module:
    return gradcheck.from_object(kind, inputs={"x": real("N D")}, outputs={"a": "N D"}, **promises)


def spectral() -> Module:
    return gradcheck.from_object(
        SpectralNorm, inputs={"x": real("N D")}, outputs={"a": "N M"}, gradients={"W": "dW"}, exclude=("u", "v")
    )


def unit(**promises: Any) -> Module:
    return gradcheck.from_object(MinimalGatedUnit, inputs={"x": real("T N D")}, outputs={"h": "T N D"}, **promises)


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("mask drawn again from a saved state", lambda: layer(CheckpointedDropout)),
    Specimen("multiplicative noise while training", lambda: layer(GaussianNoise, stochastic=True)),
    Specimen(
        "dropped weights",
        lambda: gradcheck.from_object(DropConnect, inputs={"x": real("N D")}, outputs={"a": "N M"}, stochastic=True),
    ),
    Specimen("autoencoder tied by a transpose", lambda: layer(TiedAutoencoder)),
    Specimen("one matrix under two names", lambda: layer(TiedSteps, accumulates=False)),
    Specimen("spectral norm with frozen vectors", spectral),
    Specimen(
        "table of positions shared by all instances",
        lambda: gradcheck.from_object(Positional, inputs={"x": real("N T D")}, outputs={"a": "N T D"}),
    ),
    Specimen("network with parameters by path", lambda: layer(Network)),
    Specimen("gated unit over time", unit),
    Specimen("gated unit, several calls", lambda: unit(stacked=True)),
)
