"""Objects that keep arrays of which nobody verifies the gradient, or that do not survive a copy."""

import copy
from typing import Any

import numpy as np

from gradcheck import Module, from_object, real
from gradcheck.values.aliases import Array, Saved
from tests.behaviours.specimen import Specimen


class AffineWithOffset:
    def __init__(self, D: int, M: int) -> None:
        self.params, self.grads = {"W": np.random.randn(D, M)}, {"W": np.zeros((D, M))}
        self.offset = np.zeros(M)

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.params["W"] + self.offset

    def backward(self, da: Array) -> Array:
        self.grads["W"] = self.x.T @ da
        return da @ self.params["W"].T


class ResidualBlock:
    """Its parts are in a list, where nobody looks for parameters."""

    def __init__(self, D: int) -> None:
        self.parts = [AffineWithOffset(D, D) for _ in range(2)]
        self.params, self.grads = {"gain": np.ones(D)}, {"gain": np.zeros(D)}

    def forward(self, x: Array) -> Array:
        self.x, self.h = x, x
        for part in self.parts:
            self.h = part.forward(self.h)
        return self.params["gain"] * x + self.h

    def backward(self, da: Array) -> Array:
        self.grads["gain"] = (da * self.x).sum(axis=0)
        dh = da
        for part in reversed(self.parts):
            dh = part.backward(dh)
        return self.params["gain"] * da + dh


class TiedCopy:
    """The decoder is tied to the encoder by a copy of its weight."""

    def __init__(self, D: int) -> None:
        self.W, self.dW = np.random.randn(D, D + 1), np.zeros((D, D + 1))
        self.decoder = self.W.T.copy()

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.W @ self.decoder

    def backward(self, da: Array) -> Array:
        dh = da @ self.decoder.T
        self.dW = self.x.T @ dh
        return dh @ self.W.T


class Temperature:
    """The scale of the logits is an array of one number, and never trained."""

    def __init__(self, D: int, M: int) -> None:
        self.W, self.log_scale = np.random.randn(D, M), np.array(np.log(1 / 0.07))

    def forward(self, x: Array) -> Array:
        self.x = x
        a: Array = np.exp(self.log_scale) * (x @ self.W)
        return a

    def backward(self, da: Array) -> Array:
        self.dW = np.exp(self.log_scale) * (self.x.T @ da)
        dx: Array = np.exp(self.log_scale) * (da @ self.W.T)
        return dx


class Frozen:
    """A frozen scale is still among the parameters, without a gradient."""

    def __init__(self, D: int) -> None:
        self.params, self.trainable = {"scale": np.ones(D), "shift": np.zeros(D)}, {"shift"}
        self.grads: dict[str, Array | None] = {"scale": None, "shift": None}

    def forward(self, x: Array) -> Array:
        self.x = x
        return self.params["scale"] * x + self.params["shift"]

    def backward(self, da: Array) -> Array:
        found = {"scale": (da * self.x).sum(axis=0), "shift": da.sum(axis=0)}
        self.grads = {name: found[name] if name in self.trainable else None for name in found}
        return self.params["scale"] * da


class Misnamed:
    def __init__(self, D: int, M: int) -> None:
        self.params: dict[str, Array] = {"weight": np.random.randn(D, M), "bias": np.zeros(M)}
        self.grads: dict[str, Array] = {}

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.params["weight"] + self.params["bias"]

    def backward(self, da: Array) -> Array:
        self.grads = {"weight": self.x.T @ da, "biases": da.sum(axis=0)}
        return da @ self.params["weight"].T


class PReLU(Module):
    """Learns nothing about its slope."""

    inputs = {"x": real("N D")}
    parameters = {"slope": real("D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array, slope: Array) -> tuple[Array, Saved]:
        return np.where(x > 0, x, slope * x), (x, slope)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Any]:
        x, slope = saved
        return {"x": np.where(x > 0, a_bar, slope * a_bar), "slope": None}


class Scale:
    """Clones itself for a target network, together with the dict that the original caches its input in."""

    def __init__(self, D: int) -> None:
        self.w, self.dw = np.random.randn(D), np.zeros(D)
        self.cache: dict[str, Array] = {}

    def forward(self, x: Array) -> Array:
        self.cache["x"] = x
        return self.w * x

    def backward(self, da: Array) -> Array:
        self.dw = (da * self.cache["x"]).sum(axis=0)
        return self.w * da

    def __deepcopy__(self, memo: dict[int, Any]) -> "Scale":
        twin = copy.copy(self)
        twin.w, twin.dw = self.w.copy(), self.dw.copy()
        return twin


class Dense:
    """Leaves the weight out of pickles, and has a fresh one drawn where it is loaded."""

    def __init__(self, D: int, M: int) -> None:
        self.shape = (D, M)
        self.W, self.dW = np.random.randn(D, M), np.zeros((D, M))

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.W

    def backward(self, da: Array) -> Array:
        self.dW = self.x.T @ da
        return da @ self.W.T

    def __deepcopy__(self, memo: dict[int, Any]) -> "Dense":
        twin = Dense(*self.shape)
        twin.__dict__ |= {name: copy.deepcopy(value, memo) for name, value in self.__dict__.items()}
        return twin

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "W"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= {**state, "W": np.random.default_rng(0).normal(size=state["shape"])}


def _object(make: Any, outputs: str = "N D", **options: Any) -> Module:
    return from_object(make, inputs={"x": real("N D")}, outputs={"a": outputs}, **options)


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("offset outside of params", lambda: _object(AffineWithOffset, "N M"), "leaves", "desy-ml/cheetah#302"),
    Specimen("layers in a list", lambda: _object(ResidualBlock), "leaves", "pytorch/pytorch#715"),
    Specimen("tied by a copy", lambda: _object(TiedCopy, gradients={"W": "dW"}), "leaves", "paiml/entrenar#314"),
    Specimen(
        "learnable scale that nobody learns",
        lambda: _object(Temperature, "N M", gradients={"W": "dW"}),
        "leaves",
        "facebookresearch/dinov2#548",
    ),
    Specimen("gradient of a frozen parameter is None", lambda: _object(Frozen), "leaves", "MichiganCOG/ViP#7"),
    Specimen("gradient under another name", lambda: _object(Misnamed, "N M"), "leaves", "neuralmagic/sparseml#424"),
    Specimen("None for the slope", PReLU, "leaves", "ZouJiu1/LSQplus#1"),
    Specimen(
        "copies share a cache",
        lambda: _object(Scale, "N D", gradients={"w": "dw"}),
        "serialisation",
        "sherpa/sherpa#705",
    ),
    Specimen(
        "weight left out of pickles",
        lambda: _object(Dense, "N M", gradients={"W": "dW"}),
        "serialisation",
        "tenstorrent/tt-metal#55014",
    ),
)
