"""Correct formulas and kernels that a clumsy probe would reject at extremes, in other dtypes or layouts."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import gradcheck
from gradcheck import Module, complex_valued, interval, nonzero, positive, real
from gradcheck.values.aliases import Array
from tests.behaviours.specimen import Specimen


class Softplus(Module):
    inputs, outputs, jacobian = {"x": real("*B")}, {"a": "*B"}, "diagonal"

    def forward(self, x: Array) -> Any:
        return np.logaddexp(0, x), x

    def backward(self, saved: Any, a_bar: Array) -> Any:
        e = np.exp(-np.abs(saved))
        return {"x": a_bar * np.where(saved >= 0, 1, e) / (1 + e)}


class LogSoftmax(Module):
    """Several outputs, one of them a number."""

    inputs, outputs = {"x": real("N K")}, {"log_p": "N K", "total": ""}

    def forward(self, x: Array) -> Any:
        shifted = x - x.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return {"log_p": log_p, "total": np.asarray(x.sum())}, np.exp(log_p)

    def backward(self, saved: Any, cotangent: Any) -> Any:
        log_bar = cotangent["log_p"]
        return {"x": log_bar - saved * log_bar.sum(axis=1, keepdims=True) + cotangent["total"]}


class Hypot(Module):
    """√(x² + y²) with the subgradient 0 at the origin."""

    inputs, outputs, jacobian = {"x": real("N"), "y": real("N")}, {"r": "N"}, "diagonal"

    def forward(self, x: Array, y: Array) -> Any:
        r = np.hypot(x, y)
        return r, (x, y, r)

    def backward(self, saved: Any, r_bar: Array) -> Any:
        x, y, r = saved
        scale = np.where(r > 0, r, 1.0)
        return {"x": r_bar * (x / scale), "y": r_bar * (y / scale)}


class Huber(Module):
    inputs, outputs, kinks = {"x": real("N")}, {"loss": ""}, {"x": (-1.0, 1.0)}

    def forward(self, x: Array) -> Any:
        size = np.abs(x)
        small = np.minimum(size, 1.0)
        return np.sum(small * (size - 0.5 * small)), np.clip(x, -1, 1)

    def backward(self, saved: Any, loss_bar: Array) -> Any:
        return {"x": loss_bar * saved}


class Scaled(Module):
    """Numbers without axes, in and out."""

    inputs, parameters, outputs = {"x": real("")}, {"gain": real(""), "bias": real("")}, {"a": ""}

    def forward(self, x: Array, gain: Array, bias: Array) -> Any:
        return gain * x + bias, (x, gain)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        x, gain = saved
        return {"x": gain * a_bar, "gain": x * a_bar, "bias": np.array(a_bar)}


class Power(Module):
    """The power of a complex field, a real number."""

    inputs, outputs = {"z": complex_valued("N")}, {"power": ""}

    def forward(self, z: Array) -> Any:
        return np.vdot(z, z).real, z

    def backward(self, saved: Any, power_bar: Array) -> Any:
        return {"z": 2 * power_bar * saved}


class Mixing(Module):
    inputs, parameters = {"z": complex_valued("N D")}, {"U": complex_valued("D M")}
    outputs = {"a": "N M"}

    def forward(self, z: Array, U: Array) -> Any:
        return z @ U, (z, U)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        z, U = saved
        return {"z": a_bar @ U.conj().T, "U": z.conj().T @ a_bar}


class SinglePrecision(Module):
    inputs, parameters = {"x": real("N D", dtype="float32")}, {"w": real("D M", dtype="float32")}
    outputs, independent = {"a": "N M"}, ("N",)

    def forward(self, x: Array, w: Array) -> Any:
        return x @ w, (x, w)

    def backward(self, saved: Any, a_bar: Array) -> Any:
        x, w = saved
        return {"x": (a_bar @ w.T).astype(x.dtype), "w": (x.T @ a_bar).astype(w.dtype)}


@dataclass(frozen=True)
class Polynomial(Module):
    """Horner's rule in place; overflows where the polynomial does."""

    coefficients: tuple[float, ...] = (1.0, -2.0, 0.5, 0.0, 3.0, 0.0, 0.0, -1.0, 0.25, 0.125)

    inputs, outputs, jacobian = {"x": real("N")}, {"a": "N"}, "diagonal"

    def forward(self, x: Array) -> Any:
        a, slope = np.zeros_like(x), np.zeros_like(x)
        for coefficient in reversed(self.coefficients):
            slope *= x
            slope += a
            a *= x
            a += coefficient
        return a, slope

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": saved * a_bar}


class Tabulated(Module):
    """A table that says where it ends."""

    inputs, outputs, jacobian = {"x": interval("N", 0.0, 4.0)}, {"a": "N"}, "diagonal"

    def forward(self, x: Array) -> Any:
        if np.any(x < 1e-3) or np.any(x > 3.999):
            raise ValueError("x is outside of the table, which runs from 0.001 to 3.999")
        return np.sqrt(x) * np.sqrt(4 - x), x

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": a_bar * (2 - saved) / np.sqrt(saved * (4 - saved))}


class Kernel(Module):
    """Reads a buffer by position, as a foreign library would, and refuses any other."""

    inputs, outputs = {"x": real("N D")}, {"a": "N D"}

    def forward(self, x: Array) -> Any:
        return self._scaled(x), None

    def backward(self, saved: Any, a_bar: Array) -> Any:
        return {"x": self._scaled(a_bar)}

    @staticmethod
    def _scaled(array: Array) -> Array:
        if not array.flags.c_contiguous:
            raise ValueError("the kernel reads contiguous float64 only")
        return np.asarray(0.5 * np.frombuffer(array.data, dtype=float).reshape(array.shape))


def unary(forward: Any, slope: Any, declared: Any) -> Module:
    """A function of the leaf alone, and its derivative."""
    return gradcheck.from_functions(
        lambda x: forward(x), lambda leaves, a_bar: {"x": slope(leaves["x"]) * a_bar}, inputs={"x": declared}
    )


def total(x: Array) -> Any:
    return float(x.sum())


def summed() -> Module:
    return gradcheck.from_functions(
        total,
        lambda leaves, a_bar: {"x": np.full(leaves["x"].shape, a_bar)},
        inputs={"x": real("N D")},
        outputs={"a": ""},
    )


def concatenated() -> Module:
    return gradcheck.from_functions(
        lambda x, y: np.concatenate([x, y], axis=1),
        lambda leaves, a_bar: {
            "x": a_bar[:, : leaves["x"].shape[1]].copy(),
            "y": a_bar[:, leaves["x"].shape[1] :].copy(),
        },
        inputs={"x": real("N D"), "y": real("N M")},
    )


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("softplus of any size", Softplus),
    Specimen("log-softmax and a total", LogSoftmax),
    Specimen("hypotenuse with a subgradient", Hypot),
    Specimen("huber loss", Huber),
    Specimen("numbers without axes", Scaled),
    Specimen("power of a complex field", Power),
    Specimen("complex linear map", Mixing),
    Specimen("linear map in float32", SinglePrecision),
    Specimen("polynomial of degree 9 by Horner's rule", Polynomial),
    Specimen("refuses what is outside of a table", Tabulated),
    Specimen("kernel on a buffer", Kernel, waive={"layouts": "kernel requires contiguous input"}),
    Specimen("sum that returns a float", summed),
    Specimen("concatenation", concatenated),
    Specimen("sinh overflows", lambda: unary(np.sinh, np.cosh, real("N"))),
    Specimen("inverse square", lambda: unary(lambda x: x**-2.0, lambda x: -2.0 * x**-3.0, nonzero("N"))),
    Specimen("x log x", lambda: unary(lambda x: x * np.log(x), lambda x: np.log(x) + 1, positive("N"))),
    Specimen(
        "arc tangent hyperbolic", lambda: unary(np.arctanh, lambda x: 1 / ((1 - x) * (1 + x)), interval("N", -1, 1))
    ),
    Specimen("sign has no slope", lambda: unary(np.sign, np.zeros_like, nonzero("N"))),
)
