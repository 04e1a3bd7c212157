"""Correct pure modules that a clumsy probe would reject: stochastic, in place on copies, several outputs, extremes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import gradcheck
from gradcheck import Module, complex_valued, interval, mask, nonzero, one_hot, positive, real, simplex
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


class Dropout(Module):
    inputs, outputs, stochastic = {"x": real("N D")}, {"a": "N D"}, True

    def forward(self, x: Array, rng: Any) -> Any:
        kept = rng.random(x.shape) < 0.5
        return 2 * x * kept, kept

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": 2 * a_bar * saved}


class Reparametrised(Module):
    """A sample of a normal distribution, differentiable by its mean and logarithm of variance."""

    inputs, outputs, stochastic = {"mean": real("N D"), "log_var": real("N D")}, {"z": "N D"}, True
    jacobian, independent = "diagonal", ("N", "D")

    def forward(self, mean: Array, log_var: Array, rng: Any) -> Any:
        scaled = np.exp(0.5 * log_var) * rng.normal(size=mean.shape)
        return mean + scaled, scaled

    def backward(self, saved: Any, z_bar: Array) -> Any:
        return {"mean": z_bar.copy(), "log_var": 0.5 * z_bar * saved}


class NoisyReLU(Module):
    """max(0, x + ε) with ε from the stream."""

    inputs, outputs, stochastic = {"x": real("N D")}, {"a": "N D"}, True

    def forward(self, x: Array, rng: Any) -> Any:
        noisy = x + rng.normal(scale=0.1, size=x.shape)
        return np.maximum(noisy, 0.0), noisy > 0

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": np.where(saved, a_bar, 0.0)}


class InPlace(Module):
    """Copies once, and then works in place, forwards and backwards."""

    inputs, outputs = {"x": real("N D")}, {"a": "N D"}

    def forward(self, x: Array) -> Any:
        a = x.copy()
        a *= x
        np.add(a, 1.0, out=a)
        np.log(a, out=a)
        return a, x

    def backward(self, saved: Any, a_bar: Array) -> Any:
        gradient = np.multiply(a_bar, 2.0)
        gradient *= saved
        gradient /= 1 + saved**2
        return {"x": gradient}


class TwoHeads(Module):
    """Several outputs, views of the input among what is saved, a gradient in Fortran order."""

    inputs, parameters = {"x": real("N D")}, {"w": real("D M")}
    outputs = {"a": "N M", "total": "N", "first": ""}

    def forward(self, x: Array, w: Array) -> Any:
        return {"a": x @ w, "total": x.sum(axis=1), "first": x[0, 0] ** 2}, (x.T, w)

    def backward(self, saved: Any, cotangent: Any) -> Any:
        xt, w = saved
        x_bar = cotangent["a"] @ w.T + cotangent["total"][:, None]
        x_bar[0, 0] += 2 * xt[0, 0] * cotangent["first"]
        return {"x": np.asfortranarray(x_bar), "w": np.einsum("dn,nm->dm", xt, cotangent["a"])}


class Softmax(Module):
    inputs, outputs, independent = {"x": real("N D")}, {"a": "N D"}, ("N",)

    def forward(self, x: Array) -> Any:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        a = e / e.sum(axis=1, keepdims=True)
        return a, a

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": saved * (a_bar - (saved * a_bar).sum(axis=1, keepdims=True))}


class MaskedMean(Module):
    """The mean of what is left by a mask; 0 where nothing is."""

    inputs, outputs = {"x": real("N D"), "kept": mask("N D")}, {"a": "N"}

    def forward(self, x: Array, kept: Array) -> Any:
        share = kept / np.maximum(kept.sum(axis=1, keepdims=True), 1)
        return (x * share).sum(axis=1), share

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": a_bar[:, None] * saved}


class Attention(Module):
    """One query over masked keys."""

    inputs, outputs = {"scores": real("N K"), "values": real("K D"), "kept": mask("N K")}, {"a": "N D"}

    def forward(self, scores: Array, values: Array, kept: Array) -> Any:
        shifted = np.where(kept, scores, -np.inf)
        e = np.exp(shifted - shifted.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return p @ values, (p, values)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        p, values = saved
        p_bar = a_bar @ values.T
        return {"scores": p * (p_bar - (p * p_bar).sum(axis=1, keepdims=True)), "values": p.T @ a_bar}


class Norm(Module):
    """‖x‖, with the subgradient 0 at 0, and safe from overflow."""

    inputs, outputs, independent = {"x": real("N D")}, {"a": "N"}, ("N",)

    def forward(self, x: Array) -> Any:
        largest = np.abs(x).max(axis=1, keepdims=True)
        scaled = np.divide(x, largest, out=np.zeros_like(x), where=largest > 0)
        norm = largest[:, 0] * np.sqrt((scaled**2).sum(axis=1))
        return norm, (x, norm[:, None])

    def backward(self, saved: Any, a_bar: Array) -> Any:
        x, norm = saved
        return {"x": a_bar[:, None] * np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)}


class LogSumExp(Module):
    inputs, outputs = {"x": real("N D")}, {"a": "N"}

    def forward(self, x: Array) -> Any:
        largest = x.max(axis=1, keepdims=True)
        e = np.exp(x - largest)
        total = e.sum(axis=1, keepdims=True)
        return (largest + np.log(total))[:, 0], e / total

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": a_bar[:, None] * saved}


class Entropy(Module):
    """-Σ p log p over one-hot weights, with legal probabilities down to almost 0."""

    inputs, outputs = {"p": simplex("N K"), "y": one_hot("N K")}, {"loss": ""}

    def forward(self, p: Array, y: Array) -> Any:
        return -(y * np.log(p)).sum(), (p, y)

    def backward(self, saved: Any, loss_bar: Array) -> Any:
        p, y = saved
        return {"p": -loss_bar * y / p}


@dataclass(frozen=True)
class Refusing(Module):
    """Says which inputs it takes."""

    limit: float = 50.0

    inputs, outputs, jacobian = {"x": real("N D")}, {"a": "N D"}, "diagonal"

    def forward(self, x: Array) -> Any:
        if np.max(np.abs(x)) > self.limit:
            raise ValueError(f"|x| is beyond {self.limit}")
        a = np.exp(x)
        return a, a.copy()

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": a_bar * saved}


class Contiguous(Module):
    """A kernel that reads by position, and says so."""

    inputs, outputs = {"x": real("N D")}, {"a": "N D"}

    def forward(self, x: Array) -> Any:
        self._require(x)
        return 3 * x, None

    def backward(self, saved: Any, a_bar: Array) -> Any:
        self._require(a_bar)
        return {"x": 3 * a_bar}

    @staticmethod
    def _require(array: Array) -> None:
        if not array.flags.c_contiguous or not array.flags.writeable:
            raise ValueError("expected a contiguous array")


def elementwise(forward: Any, slope: Any, declared: Any) -> Module:
    return gradcheck.from_functions(
        lambda x: forward(x), lambda leaves, a: {"x": a * slope(leaves["x"])}, inputs={"x": declared}
    )


SPECIMENS = (
    Specimen("dropout from the stream", Dropout),
    Specimen("a sample by its mean and variance", Reparametrised),
    Specimen("noisy relu", NoisyReLU),
    Specimen("in place on a copy", InPlace),
    Specimen("two heads and a number", TwoHeads),
    Specimen("softmax, shifted", Softmax),
    Specimen("mean of what is kept", MaskedMean),
    Specimen("masked attention", Attention),
    Specimen("norm with a subgradient", Norm),
    Specimen("logarithm of a sum of exponentials", LogSumExp),
    Specimen("cross-entropy", Entropy),
    Specimen("refuses what is too large", Refusing),
    Specimen("requires contiguous arrays", Contiguous, waive={"layouts": "kernel requires contiguous input"}),
    Specimen("exp overflows", lambda: elementwise(np.exp, np.exp, real("N"))),
    Specimen("ninth power", lambda: elementwise(lambda x: x**9, lambda x: 9 * x**8, real("N"))),
    Specimen("reciprocal", lambda: elementwise(lambda x: 1 / x, lambda x: -1 / x**2, nonzero("N"))),
    Specimen("logarithm", lambda: elementwise(np.log, lambda x: 1 / x, positive("N"))),
    Specimen(
        "logit", lambda: elementwise(lambda x: np.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), interval("N", 0, 1))
    ),
    Specimen("square root", lambda: elementwise(np.sqrt, lambda x: 0.5 / np.sqrt(x), positive("N"))),
    Specimen("float32", lambda: elementwise(lambda x: x * x, lambda x: 2 * x, real("N", dtype="float32"))),
    Specimen("complex square", lambda: elementwise(lambda x: x * x, lambda x: 2 * np.conj(x), complex_valued("N"))),
)
