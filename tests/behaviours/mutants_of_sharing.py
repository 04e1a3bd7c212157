"""Modules that hand out memory which is not theirs alone."""

import numpy as np

import gradcheck
from gradcheck import Module, real
from gradcheck.values.aliases import Array, Saved
from tests.behaviours.specimen import Specimen


class ScaledSum(Module):
    """Both gradients are made of one array."""

    inputs = {"x": real("N"), "y": real("N")}
    outputs = {"a": "N"}

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        return 3 * (x + y), None

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        del saved
        grad = 3 * a_bar
        return {"x": grad, "y": grad}


class Shift(Module):
    inputs = {"x": real("N D"), "shift": real("D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array, shift: Array) -> tuple[Array, Saved]:
        return x + shift, None

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        del saved
        return {"x": a_bar, "shift": a_bar.sum(axis=0)}


class Concatenate(Module):
    inputs = {"x": real("N D"), "y": real("N M")}

    def forward(self, x: Array, y: Array) -> tuple[Array, Saved]:
        return np.concatenate([x, y], axis=1), x.shape[1]

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        first, second = np.split(a_bar, [saved], axis=1)
        return {"x": first, "y": second}


class Total(Module):
    """The gradient is one number with strides of 0, and in-place updates see it once for every entry."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x.sum(axis=1), x.shape

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": np.broadcast_to(a_bar[:, None], saved)}


class GradientMadeInForward(Module):
    """Forward allocates the gradient, and every backward fills and returns that one."""

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x**2, (x.copy(), np.empty_like(x))

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        x, grad = saved
        np.multiply(2 * x, a_bar, out=grad)
        return {"x": grad}


_WORKSPACE: dict[tuple[str, tuple[int, ...]], Array] = {}


def workspace(name: str, shape: tuple[int, ...]) -> Array:
    """A buffer to reuse, one for every name and shape."""
    return _WORKSPACE.setdefault((name, shape), np.zeros(shape))


class ReusedOutput(Module):
    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.sin(x, out=workspace("sin", x.shape)), x.copy()

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": a_bar * np.cos(saved)}


class ReusedGradient(Module):
    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.cos(x), x.copy()

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": np.multiply(-np.sin(saved), a_bar, out=workspace("cos", saved.shape))}


class SampleBias:
    """Keeps the cotangent itself as the gradient of a bias of its shape."""

    def __init__(self, N: int, D: int) -> None:
        self.b = np.linspace(-1.0, 1.0, N * D).reshape(N, D)

    def forward(self, x: Array) -> Array:
        return x * 2 + self.b

    def backward(self, da: Array) -> Array:
        self.db = da
        return 2 * da


def sample_bias() -> Module:
    return gradcheck.from_object(SampleBias, inputs={"x": real("N D")}, outputs={"a": "N D"}, gradients={"b": "db"})


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("two gradients are one array", ScaledSum, "purity", "pytorch/pytorch#196491"),
    Specimen("the cotangent is handed on", Shift, "purity", "PaddlePaddle/Paddle#76940"),
    Specimen("windows of the cotangent", Concatenate, "purity", "pytorch/pytorch#36403"),
    Specimen("a broadcast view as gradient", Total, "purity", "torch/cutorch#410"),
    Specimen("one gradient buffer for all backwards", GradientMadeInForward, "purity", "linkedin/Liger-Kernel#272"),
    Specimen("one output buffer for all calls", ReusedOutput, "purity", "ROCm/torch_migraphx#247"),
    Specimen("one gradient buffer for all calls", ReusedGradient, "purity", "karpathy/llm.c#163"),
    Specimen("the cotangent is kept as gradient", sample_bias, "purity", "Oneflow-Inc/oneflow#9497"),
)
