"""Correct objects that a clumsy probe would reject: caches, gradients and statistics kept in every way."""

from typing import Any

import numpy as np

import gradcheck
from gradcheck import Module, real
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


class Affine:
    """Weights, gradients and a tuple as cache, as in the exercises of a course."""

    def __init__(self, D: int, M: int) -> None:
        self.params = {"W": np.random.randn(D, M), "b": np.random.randn(M)}
        self.grads = {name: np.zeros_like(value) for name, value in self.params.items()}
        self.cache: Any = None

    def forward(self, x: Array) -> Array:
        self.cache = (x, self.params["W"])
        return np.asarray(x @ self.params["W"] + self.params["b"])

    def backward(self, da: Array) -> Array:
        x, W = self.cache
        self.grads = {"W": x.T @ da, "b": da.sum(axis=0)}
        return np.asarray(da @ W.T)


class GradientBuffers(Affine):
    """Writes its gradients into arrays that it was made with."""

    def backward(self, da: Array) -> Array:
        x, W = self.cache
        np.matmul(x.T, da, out=self.grads["W"])
        np.sum(da, axis=0, out=self.grads["b"])
        return np.asarray(da @ W.T)


class Minibatches(Affine):
    """Adds up until zero_grad, and clips between backward and step."""

    def zero_grad(self) -> None:
        for gradient in self.grads.values():
            gradient.fill(0.0)

    def clip(self, bound: float) -> None:
        norm = np.sqrt(sum(float((g**2).sum()) for g in self.grads.values()))
        for gradient in self.grads.values():
            gradient *= min(1.0, bound / (norm + 1e-12))

    def backward(self, da: Array) -> Array:
        x, W = self.cache
        self.grads["W"] += x.T @ da
        np.add(self.grads["b"], da.sum(axis=0), out=self.grads["b"])
        return np.asarray(da @ W.T)


class AdamOnLayer(Affine):
    """Keeps moments and a count of steps beside its weights; decay belongs to the step."""

    def __init__(self, D: int, M: int) -> None:
        super().__init__(D, M)
        self.moments = {name: [np.zeros_like(p), np.ones_like(p)] for name, p in self.params.items()}
        self.steps = 0

    def step(self, rate: float = 1e-3, decay: float = 1e-2) -> None:
        self.steps += 1
        for name, (first, second) in self.moments.items():
            first += 0.1 * (self.grads[name] - first)
            second += 0.001 * (self.grads[name] ** 2 - second)
            self.params[name] -= rate * (first / (np.sqrt(second) + 1e-8) + decay * self.params[name])


class Siamese(Affine):
    """Is called twice before its backwards, which add up."""

    def __init__(self, D: int, M: int) -> None:
        super().__init__(D, M)
        self.stack: list[Array] = []

    def forward(self, x: Array) -> Array:
        self.stack.append(x)
        return np.asarray(x @ self.params["W"] + self.params["b"])

    def backward(self, da: Array) -> Array:
        x = self.stack.pop()
        self.grads["W"] = self.grads["W"] + x.T @ da
        self.grads["b"] = self.grads["b"] + da.sum(axis=0)
        return np.asarray(da @ self.params["W"].T)


class Released(Affine):
    """Takes its cache away with the first backward."""

    def backward(self, da: Array) -> Array:
        if self.cache is None:
            raise RuntimeError("backward a second time: the buffers have been freed")
        x, W = self.cache
        self.cache = None
        self.grads["W"], self.grads["b"] = x.T @ da, da.sum(axis=0)
        return np.asarray(da @ W.T)


class Lazy(Affine):
    """Builds its weights when somebody asks for them, always the same ones."""

    def __init__(self, D: int, M: int) -> None:
        self.shape, self.grads = (D, M), {}
        self.built: dict[str, Array] = {}

    @property
    def params(self) -> dict[str, Array]:  # type: ignore[override]  # a property here, an attribute in Part
        if not self.built:
            rng = np.random.default_rng(7)
            self.built = {"W": rng.normal(size=self.shape), "b": rng.normal(size=self.shape[1])}
        return self.built


class Slotted:
    __slots__ = ("cache", "calls", "grads", "params")

    def __init__(self, D: int) -> None:
        self.params, self.grads = {"slope": np.full(D, 0.25)}, {"slope": np.zeros(D)}
        self.cache: Any = None
        self.calls = {"forward": 0, "backward": 0}

    def forward(self, x: Array) -> Array:
        self.calls["forward"] += 1
        self.cache = {"x": x, "negative": x < 0}
        return np.where(self.cache["negative"], self.params["slope"] * x, x)

    def backward(self, da: Array) -> Array:
        self.calls["backward"] += 1
        negative = self.cache["negative"]
        self.grads["slope"] = np.where(negative, da * self.cache["x"], 0.0).sum(axis=0)
        return np.where(negative, self.params["slope"] * da, da)


class InPlaceSigmoid:
    """Keeps a workspace between calls, and never hands it out."""

    def __init__(self) -> None:
        self.workspace = np.empty(0)

    def forward(self, x: Array) -> Array:
        if self.workspace.size < x.size:
            self.workspace = np.empty(2 * x.size)
        s = self.workspace[: x.size].reshape(x.shape)
        np.multiply(x, 0.5, out=s)
        np.tanh(s, out=s)
        s += 1
        s *= 0.5
        self.a = s.copy()
        return s.copy()

    def backward(self, da: Array) -> Array:
        dx = np.subtract(1.0, self.a)
        dx *= self.a
        np.multiply(dx, da, out=dx)
        return dx


class RunningNorm:
    """train(mode), as in PyTorch, and statistics that are updated in place."""

    def __init__(self, D: int) -> None:
        self.gamma, self.beta, self.dgamma, self.dbeta = np.full(D, 1.5), np.zeros(D), np.zeros(D), np.zeros(D)
        self.running_mean, self.running_var, self.batches = np.zeros(D), np.ones(D), 0
        self.training = True

    def train(self, mode: bool = True) -> "RunningNorm":
        self.training = mode
        return self

    def eval(self) -> "RunningNorm":
        return self.train(False)

    def forward(self, x: Array) -> Array:
        mean, var = self.running_mean.copy(), self.running_var.copy()
        if self.training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.batches += 1
            self.running_mean += 0.1 * (mean - self.running_mean)
            self.running_var += 0.1 * (var * len(x) / max(len(x) - 1, 1) - self.running_var)
        self.std = np.sqrt(var + 1e-2)
        self.xhat = (x - mean) / self.std
        self.by_batch = self.training
        return np.asarray(self.gamma * self.xhat + self.beta)

    def backward(self, da: Array) -> Array:
        self.dgamma, self.dbeta = (da * self.xhat).sum(axis=0), da.sum(axis=0)
        dx = da * self.gamma / self.std
        if self.by_batch:
            dx -= dx.mean(axis=0) + self.xhat * (dx * self.xhat).mean(axis=0)
        return np.asarray(dx)


def affine(kind: Any, **promises: Any) -> Module:
    return gradcheck.from_object(kind, inputs={"x": real("N D")}, outputs={"a": "N M"}, **promises)


def running_norm(training: bool, **promises: Any) -> Module:
    return gradcheck.from_object(
        lambda D: RunningNorm(D).train(training),
        inputs={"x": real("N D")},
        outputs={"a": "N D"},
        gradients={"gamma": "dgamma", "beta": "dbeta"},
        **promises,
    )


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("a tuple as cache", lambda: affine(Affine, accumulates=False)),
    Specimen("gradients in buffers of their own", lambda: affine(GradientBuffers, accumulates=False)),
    Specimen("gradients of minibatches, clipped outside", lambda: affine(Minibatches, accumulates=True)),
    Specimen("moments and decay beside the weights", lambda: affine(AdamOnLayer)),
    Specimen("called twice, gradients summed", lambda: affine(Siamese, accumulates=True, stacked=True)),
    Specimen("called twice, nothing promised", lambda: affine(Siamese)),
    Specimen("cache taken away by backward", lambda: affine(Released)),
    Specimen("weights built when asked for", lambda: affine(Lazy)),
    Specimen(
        "slots with dicts and counters",
        lambda: gradcheck.from_object(Slotted, inputs={"x": real("N D")}, outputs={"a": "N D"}),
    ),
    Specimen(
        "sigmoid in a workspace",
        lambda: gradcheck.from_object(
            InPlaceSigmoid, inputs={"x": real("N D")}, outputs={"a": "N D"}, exclude=("workspace",)
        ),
    ),
    Specimen("running statistics in training", lambda: running_norm(True)),
    Specimen(
        "running statistics, excluded in training", lambda: running_norm(True, exclude=("running_mean", "running_var"))
    ),
    Specimen("running statistics in evaluation", lambda: running_norm(False, exclude=("running_mean", "running_var"))),
)
