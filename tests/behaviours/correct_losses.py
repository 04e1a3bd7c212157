"""Correct objects with whole numbers or at the end of a network, which a clumsy probe would reject."""

from typing import Any

import numpy as np

import gradcheck
from gradcheck import labels, mask, real
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


class PaddedEmbedding:
    """Word 0 is padding: it gives zeros, and its row gets no gradient."""

    def __init__(self) -> None:
        self.params, self.grads = {"table": np.random.randn(6, 3)}, {"table": np.zeros((6, 3))}

    def forward(self, words: Array) -> Array:
        self.words, self.used = words, (words != 0)[..., None]
        return np.asarray(self.params["table"][words] * self.used)

    def backward(self, da: Array) -> None:
        np.add.at(self.grads["table"], self.words, da * self.used)


class MaxPool2d:
    """Windows of 2 × 2, with the place of every maximum as a flat index."""

    def forward(self, x: Array) -> Array:
        N, H, W = x.shape
        windows = x.reshape(N, H // 2, 2, W // 2, 2).transpose(0, 1, 3, 2, 4).reshape(N, H // 2, W // 2, 4)
        self.argmax = windows.argmax(axis=-1)[..., None]
        return np.asarray(np.take_along_axis(windows, self.argmax, axis=-1)[..., 0])

    def backward(self, da: Array) -> Array:
        N, H, W = da.shape
        d = np.zeros((N, H, W, 4))
        np.put_along_axis(d, self.argmax, da[..., None], axis=-1)
        return d.reshape(N, H, W, 2, 2).transpose(0, 1, 3, 2, 4).reshape(N, 2 * H, 2 * W)


class Unfold1d:
    """Keeps an index for every shape that it has seen."""

    def __init__(self) -> None:
        self.indices: dict[tuple[int, ...], Array] = {}

    def forward(self, x: Array) -> Array:
        if x.shape not in self.indices:
            self.indices[x.shape] = np.arange(x.shape[1] - 2)[:, None] + np.arange(3)
        self.shape = x.shape
        return np.asarray(x[:, self.indices[x.shape]])

    def backward(self, da: Array) -> Array:
        dx = np.zeros(self.shape)
        for offset in range(3):
            dx[:, self.indices[self.shape][:, offset]] += da[:, :, offset]
        return dx


class MarginLoss:
    """Is given labels, and a cotangent."""

    def forward(self, scores: Array, y: Array) -> Array:
        self.rows, self.y = np.arange(len(y)), y
        margins = np.logaddexp(0.0, scores - scores[self.rows, y][:, None])
        margins[self.rows, y] = 0.0
        self.difference = scores - scores[self.rows, y][:, None]
        return np.asarray(margins.sum() / len(y))

    def backward(self, dloss: Array) -> Array:
        slope = 0.5 + 0.5 * np.tanh(0.5 * self.difference)
        slope[self.rows, self.y] = 0.0
        slope[self.rows, self.y] = -slope.sum(axis=1)
        slope *= dloss / len(self.y)
        return np.asarray(slope)


class SquaredError:
    """Ends a network: no cotangent, a gradient for the prediction and one for the target."""

    def forward(self, prediction: Array, target: Array) -> float:
        self.residual = prediction - target
        return float(0.5 * np.mean(self.residual**2))

    def backward(self) -> tuple[Array, Array]:
        d = self.residual / self.residual.size
        return d, -d


class VariationalLoss:
    """Two terms, each with its own cotangent."""

    def __init__(self) -> None:
        self.calls = 0

    def forward(self, x: Array, mean: Array, log_var: Array) -> tuple[Array, Array]:
        self.calls += 1
        self.saved: Any = (x - mean, mean, np.exp(np.minimum(log_var, 700.0)))
        divergence = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var)
        return np.asarray(0.5 * np.sum(self.saved[0] ** 2)), np.asarray(divergence.sum())

    def backward(self, dfit: Array, ddivergence: Array) -> tuple[Array, Array, Array]:
        residual, mean, var = self.saved
        return dfit * residual, ddivergence * mean - dfit * residual, 0.5 * ddivergence * (var - 1)


class MaskedBinaryLoss:
    """Logits of padding do not count, and None stands for the gradient of a mask."""

    def forward(self, logits: Array, kept: Array) -> Array:
        self.logits, self.weight = logits, kept / max(int(kept.sum()), 1)
        return np.asarray(np.sum(np.logaddexp(0.0, -logits) * self.weight))

    def backward(self, dloss: Array) -> tuple[Array, None]:
        return dloss * self.weight * (0.5 * np.tanh(0.5 * self.logits) - 0.5), None


class CentreLoss:
    """Distance from the centre of one's class; the teacher follows by its own rule and has no gradient."""

    def __init__(self, D: int) -> None:
        self.params, self.grads = {"centres": np.random.randn(4, D)}, {"centres": np.zeros((4, D))}
        self.teacher = np.random.randn(4, D)

    def follow(self, rate: float = 0.01) -> None:
        self.teacher += rate * (self.params["centres"] - self.teacher)

    def forward(self, x: Array, y: Array) -> Array:
        self.y, self.off = y, x - self.params["centres"][y]
        self.drift = self.params["centres"] - self.teacher
        return np.asarray(0.5 * np.sum(self.off**2) + 0.05 * np.sum(self.drift**2))

    def backward(self, dloss: Array) -> Array:
        gradient = 0.1 * self.drift
        np.subtract.at(gradient, self.y, self.off)
        self.grads["centres"] = dloss * gradient
        return np.asarray(dloss * self.off)


SPECIMENS: tuple[Specimen, ...] = (
    Specimen(
        "embedding with padding, gradients summed",
        lambda: gradcheck.from_object(
            PaddedEmbedding, inputs={"words": labels("N T", classes=6)}, outputs={"a": "N T 3"}, accumulates=True
        ),
    ),
    Specimen(
        "max pool in two dimensions",
        lambda: gradcheck.from_object(MaxPool2d, inputs={"x": real("N 4 6")}, outputs={"a": "N 2 3"}),
    ),
    Specimen(
        "indices by shape", lambda: gradcheck.from_object(Unfold1d, inputs={"x": real("N 7")}, outputs={"a": "N 5 3"})
    ),
    Specimen(
        "margin loss with labels",
        lambda: gradcheck.from_object(
            MarginLoss, inputs={"scores": real("N K"), "y": labels("N", classes="K")}, outputs={"loss": ""}
        ),
    ),
    Specimen(
        "squared error without cotangent",
        lambda: gradcheck.from_object(
            SquaredError, inputs={"prediction": real("N D"), "target": real("N D")}, outputs={"loss": ""}
        ),
    ),
    Specimen(
        "fit and divergence",
        lambda: gradcheck.from_object(
            VariationalLoss,
            inputs={"x": real("N D"), "mean": real("N D"), "log_var": real("N D")},
            outputs={"fit": "", "divergence": ""},
        ),
    ),
    Specimen(
        "loss with a mask",
        lambda: gradcheck.from_object(
            MaskedBinaryLoss, inputs={"logits": real("N T"), "kept": mask("N T")}, outputs={"loss": ""}
        ),
    ),
    Specimen(
        "centres and a teacher",
        lambda: gradcheck.from_object(
            CentreLoss,
            inputs={"x": real("N D"), "y": labels("N", classes=4)},
            outputs={"loss": ""},
            exclude=("teacher",),
        ),
    ),
)
