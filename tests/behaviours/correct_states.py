"""Correct layers that draw random numbers or keep statistics, in every style."""

from typing import Any

import numpy as np

import gradcheck
from gradcheck import Module, real
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


class Dropout:
    """Draws from a generator of its own."""

    def __init__(self) -> None:
        self.rng, self.training = np.random.default_rng(3), True

    def train(self) -> None:
        self.training = True

    def eval(self) -> None:
        self.training = False

    def forward(self, x: Array) -> Array:
        self.mask: Array = (self.rng.random(x.shape) < 0.8) / 0.8 if self.training else np.ones(x.shape)
        return np.asarray(x * self.mask)

    def backward(self, da: Array) -> Array:
        return np.asarray(da * self.mask)


class GlobalDropout(Dropout):
    """Draws from numpy's global generator."""

    def forward(self, x: Array) -> Array:
        self.mask = (np.random.random(x.shape) < 0.5) * 2.0
        return np.asarray(x * self.mask)


class GivenDropout(Dropout):
    """Is given a generator."""

    def forward(self, x: Array, rng: Any = None) -> Array:
        self.mask = (rng.random(x.shape) < 0.5) * 2.0
        return np.asarray(x * self.mask)


class OldDropout(Dropout):
    """Draws from an old generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.old = np.random.RandomState(1)

    def forward(self, x: Array) -> Array:
        self.mask = self.old.binomial(1, 0.5, x.shape) * 2.0
        return np.asarray(x * self.mask)


class BatchNorm:
    """Normalises by the batch, and keeps running statistics for evaluation."""

    def __init__(self, D: int) -> None:
        self.params = {"gamma": np.ones(D), "beta": np.zeros(D)}
        self.grads: dict[str, Array] = {}
        self.mean, self.var, self.training = np.zeros(D), np.ones(D), True

    def train(self) -> None:
        self.training = True

    def eval(self) -> None:
        self.training = False

    def forward(self, x: Array) -> Array:
        mean, var = (x.mean(axis=0), x.var(axis=0)) if self.training else (self.mean, self.var)
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * mean
            self.var *= 0.9
            self.var += 0.1 * var
        self.inverse = 1 / np.sqrt(var + 1e-2)
        self.normed = (x - mean) * self.inverse
        return np.asarray(self.normed * self.params["gamma"] + self.params["beta"])

    def backward(self, da: Array) -> Array:
        self.grads["gamma"], self.grads["beta"] = (self.normed * da).sum(axis=0), da.sum(axis=0)
        dn = da * self.params["gamma"]
        if self.training:
            dn = dn - dn.mean(axis=0) - self.normed * (dn * self.normed).mean(axis=0)
        return np.asarray(dn * self.inverse)


class EvaluatingBatchNorm(BatchNorm):
    def __init__(self, D: int) -> None:
        super().__init__(D)
        self.training = False


def plain(kind: Any, **options: Any) -> Module:
    return gradcheck.from_object(kind, inputs={"x": real("N D")}, outputs={"a": "N D"}, **options)


SPECIMENS = (
    Specimen("dropout with a generator of its own", lambda: plain(Dropout)),
    Specimen("dropout with the global generator", lambda: plain(GlobalDropout, stochastic=True)),
    Specimen("dropout with a given generator", lambda: plain(GivenDropout, stochastic=True)),
    Specimen("dropout with an old generator", lambda: plain(OldDropout)),
    Specimen("batch norm in training", lambda: plain(BatchNorm)),
    Specimen("batch norm in evaluation", lambda: plain(EvaluatingBatchNorm, exclude=("mean", "var"))),
)
