"""A small network as one writes it in a course: classes that remember, dicts of parameters and gradients."""

import numpy as np


class Dense:
    def __init__(self, inputs, outputs, seed=0):
        rng = np.random.default_rng(seed)
        self.params = {"W": rng.normal(size=(inputs, outputs)) * np.sqrt(2 / inputs), "b": np.zeros(outputs)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, da):
        self.grads["W"] = self.x.T @ da
        self.grads["b"] = da.sum(axis=0)
        return da @ self.params["W"].T


class Relu:
    def forward(self, x):
        self.active = x > 0
        return np.where(self.active, x, 0.0)

    def backward(self, da):
        return np.where(self.active, da, 0.0)


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        self.probabilities = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        self.labels = labels
        logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -logarithms[np.arange(len(labels)), labels].mean()

    def backward(self, dloss=1.0):
        dlogits = self.probabilities.copy()
        dlogits[np.arange(len(self.labels)), self.labels] -= 1
        return dloss * dlogits / len(self.labels)


class Network:
    def __init__(self, pixels, hidden, classes, seed=0):
        self.layers = {
            "dense1": Dense(pixels, hidden, seed),
            "relu": Relu(),
            "dense2": Dense(hidden, classes, seed + 1),
        }
        self.params = {
            f"{name}.{key}": value
            for name, layer in self.layers.items()
            for key, value in getattr(layer, "params", {}).items()
        }
        self.grads = {}

    def forward(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x

    def backward(self, da):
        for name, layer in reversed(self.layers.items()):
            da = layer.backward(da)
            for key, value in getattr(layer, "grads", {}).items():
                self.grads[f"{name}.{key}"] = value
        return da
