"""Right formulas that give inf or nan at extreme inputs where a finite answer exists."""

import numpy as np

from gradcheck import Module, interval, labels, mask, real
from gradcheck.values.aliases import Array, Saved
from tests.behaviours.specimen import Specimen


class Softmax(Module):
    inputs = {"x": real("N K")}
    outputs = {"a": "N K"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        e = np.exp(x)
        a = e / e.sum(axis=-1, keepdims=True)
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": saved * (a_bar - (a_bar * saved).sum(axis=-1, keepdims=True))}


class ShiftedTowardsZero(Softmax):
    """The maximum is taken from 0 on, so that rows far below 0 have nothing but zeros to divide."""

    def forward(self, x: Array) -> tuple[Array, Saved]:
        e = np.exp(x - x.max(axis=-1, keepdims=True, initial=0.0))
        a = e / e.sum(axis=-1, keepdims=True)
        return a, a


class LogSoftmax(Module):
    inputs = {"x": real("N K")}
    outputs = {"a": "N K"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        p = e / e.sum(axis=-1, keepdims=True)
        return np.log(p), p

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": a_bar - saved * a_bar.sum(axis=-1, keepdims=True)}


class CrossEntropyOfProbabilities(Module):
    """Divides by the probability of the class in backward and multiplies by it again."""

    inputs = {"x": real("N K"), "y": labels("N", classes="K")}
    outputs = {"a": ""}

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        shifted = x - x.max(axis=-1, keepdims=True)
        e = np.exp(shifted)
        rows = np.arange(len(y))
        loss = np.log(e.sum(axis=-1)) - shifted[rows, y]
        return loss.sum(), (e / e.sum(axis=-1, keepdims=True), y)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        p, y = saved
        rows = np.arange(len(y))
        p_bar = np.zeros_like(p)
        p_bar[rows, y] = -a_bar / p[rows, y]
        return {"x": p * (p_bar - (p_bar * p).sum(axis=-1, keepdims=True))}


class MaskedSoftmax(Module):
    """Shifts by the maximum over all entries, the masked ones among them."""

    inputs = {"x": real("N K"), "keep": mask("N K")}
    outputs = {"a": "N K"}

    def forward(self, x: Array, keep: Array) -> tuple[Array, Saved]:
        keep = keep | ~keep.any(axis=-1, keepdims=True)
        e = np.exp(x - x.max(axis=-1, keepdims=True)) * keep
        a = e / e.sum(axis=-1, keepdims=True)
        return a, a

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": saved * (a_bar - (a_bar * saved).sum(axis=-1, keepdims=True))}


class LogSumExp(Module):
    """The value is shifted, the gradient is not."""

    inputs = {"x": real("N K")}
    outputs = {"a": "N"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        top = x.max(axis=-1)
        return top + np.log(np.exp(x - top[:, None]).sum(axis=-1)), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        e = np.exp(saved)
        return {"x": a_bar[:, None] * e / e.sum(axis=-1, keepdims=True)}


class Elementwise(Module):
    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return self.value(x), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": a_bar * self.slope(saved)}

    def value(self, x: Array) -> Array:
        """The function."""
        return x

    def slope(self, x: Array) -> Array:
        """Its derivative."""
        return np.ones_like(x)


class Softplus(Elementwise):
    def value(self, x: Array) -> Array:
        return np.asarray(np.log(1 + np.exp(x)))

    def slope(self, x: Array) -> Array:
        return np.asarray(1 / (1 + np.exp(-x)))


class Sigmoid(Elementwise):
    def value(self, x: Array) -> Array:
        return np.asarray(1 / (1 + np.exp(-x)))

    def slope(self, x: Array) -> Array:
        return np.asarray(np.exp(-x) / (1 + np.exp(-x)) ** 2)


class TanhOfExponentials(Elementwise):
    def value(self, x: Array) -> Array:
        return np.asarray((np.exp(2 * x) - 1) / (np.exp(2 * x) + 1))

    def slope(self, x: Array) -> Array:
        return np.asarray(1 - np.tanh(x) ** 2)


class Swish(Elementwise):
    def value(self, x: Array) -> Array:
        return np.asarray(x / (1 + np.exp(-x)))

    def slope(self, x: Array) -> Array:
        e = np.exp(x)
        return np.asarray(e * (1 + x + e) / (1 + e) ** 2)


class ELU(Elementwise):
    """Chooses the branch by a product with 0, and 0 · inf is nan."""

    def value(self, x: Array) -> Array:
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))

    def slope(self, x: Array) -> Array:
        return np.asarray((x > 0) * 1.0 + (x <= 0) * np.exp(x))


class Sinc(Elementwise):
    def value(self, x: Array) -> Array:
        return np.sinc(x)

    def slope(self, x: Array) -> Array:
        t = np.pi * x
        return np.asarray((t * np.cos(t) - np.sin(t)) / (np.pi * x**2))


class BinaryCrossEntropy(Module):
    inputs = {"x": real("N"), "t": mask("N")}
    outputs = {"a": ""}

    def forward(self, x: Array, t: Array) -> tuple[Array, Saved]:
        p, target = 1 / (1 + np.exp(-x)), t.astype(x.dtype)
        loss = -target * np.log(p) - (1 - target) * np.log(1 - p)
        return loss.sum(), p - target

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": a_bar * saved}


class EuclideanNorm(Module):
    inputs = {"x": real("N D")}
    outputs = {"a": "N"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        a = np.sqrt((x**2).sum(axis=1))
        return a, (x, a)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        x, a = saved
        return {"x": (a_bar / a)[:, None] * x}


class Product(Module):
    inputs = {"x": real("N D")}
    outputs = {"a": "N"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        a = x.prod(axis=1)
        return a, (x, a)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        x, a = saved
        return {"x": (a_bar * a)[:, None] / x}


class Contrast(Module):
    """E[x²] - E[x]² is below 0 by rounding where a patch is saturated."""

    inputs = {"x": interval("N D", 0.0, 1.0)}
    outputs = {"a": "N"}
    dimensions = ({"N": 3, "D": 5}, {"N": 2, "D": 7})

    def forward(self, x: Array) -> tuple[Array, Saved]:
        mean = x.mean(axis=1)
        a = np.sqrt((x**2).mean(axis=1) - mean**2)
        return a, (x - mean[:, None], a)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        centred, a = saved
        return {"x": (a_bar / a)[:, None] * centred / centred.shape[1]}


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("softmax without a shift", Softmax, "stability", "open-edge-platform/geti#1507"),
    Specimen("softmax shifted by max(0, x)", ShiftedTowardsZero, "stability", "FluxML/NNlib.jl#43"),
    Specimen("the logarithm of a softmax", LogSoftmax, "stability", "tiny-dnn/tiny-dnn#1030"),
    Specimen("1/p of an underflown p", CrossEntropyOfProbabilities, "stability", "snipsco/ntm-lasagne#5"),
    Specimen("softmax shifted by a masked entry", MaskedSoftmax, "stability", "chiendb97/oasr#101"),
    Specimen("the gradient of logsumexp without a shift", LogSumExp, "stability", "jax-ml/jax#23842"),
    Specimen("log(1 + exp(x))", Softplus, "stability", "rushter/MLAlgorithms#30"),
    Specimen("exp(-x) / (1 + exp(-x))²", Sigmoid, "stability", "jeshraghian/snntorch#427"),
    Specimen("tanh by exponentials", TanhOfExponentials, "stability", "ooples/AiDotNet.Tensors#594"),
    Specimen("the slope of swish by exp(x)", Swish, "stability", "trymirai/lalamo#328"),
    Specimen("a branch chosen by a product", ELU, "stability", "huggingface/candle#2328"),
    Specimen("the slope of sinc at 0", Sinc, "stability", "pytorch/pytorch#53989"),
    Specimen("0 · log(0)", BinaryCrossEntropy, "stability", "huggingface/candle#2561"),
    Specimen("the gradient of a norm of 0", EuclideanNorm, "stability", "HIPS/autograd#151"),
    Specimen("the gradient of a product by division", Product, "stability", "pytorch/pytorch#773"),
    Specimen("a variance below 0", Contrast, "stability", "google/flax#1491"),
)
