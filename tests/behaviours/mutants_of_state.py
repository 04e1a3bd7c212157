"""Objects and modules whose answer depends on what was called before."""

from typing import Any

import numpy as np

from gradcheck import Module, from_object, real
from gradcheck.values.aliases import Array, Saved
from tests.behaviours.specimen import Specimen

_SCRATCH: dict[tuple[int, ...], Array] = {}
_TAPE: list[Array] = []


class Sigmoid:
    cache: dict[str, Array] = {}

    def forward(self, x: Array) -> Array:
        a: Array = 1 / (1 + np.exp(-x))
        self.cache["a"] = a
        return a.copy()

    def backward(self, da: Array) -> Array:
        a = self.cache["a"]
        dx: Array = da * a * (1 - a)
        return dx


class Tanh:
    def __init__(self, D: int, context: dict[str, Array] = {}) -> None:  # noqa: B006 - this is the bug
        self.w, self.dw = np.random.randn(D), np.zeros(D)
        self.context = context

    def forward(self, x: Array) -> Array:
        self.context["x"] = x
        return np.tanh(self.w * x)

    def backward(self, da: Array) -> Array:
        x = self.context["x"]
        local = da * (1 - np.tanh(self.w * x) ** 2)
        self.dw = (local * x).sum(axis=0)
        dx: Array = local * self.w
        return dx


class Gain:
    """Every layer that is made without a gain of its own trains the same one."""

    def __init__(self, gain: Array = np.ones(()), offset: float = 0.5) -> None:  # noqa: B008 - this is the bug
        self.gain, self.offset = gain, offset
        self.dgain = np.zeros(())

    def forward(self, x: Array) -> Array:
        self.x = x
        return self.gain * x + self.offset

    def backward(self, da: Array) -> Array:
        self.dgain = np.asarray((da * self.x).sum())
        return self.gain * da


class LeakyReLU:
    """Slopes are kept in scratch memory that all layers of one shape share."""

    def forward(self, x: Array) -> Array:
        self.slopes = _SCRATCH.setdefault(x.shape, np.empty(x.shape))
        np.copyto(self.slopes, np.where(x > 0, 1.0, 0.1))
        return self.slopes * x

    def backward(self, da: Array) -> Array:
        return self.slopes * da

    def __deepcopy__(self, memo: dict[int, Any]) -> "LeakyReLU":
        twin = LeakyReLU()
        twin.__dict__ |= self.__dict__
        return twin


class Square(Module):
    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        self.x = x.copy()
        return x**2, None

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        del saved
        return {"x": 2 * self.x * a_bar}


class Cube(Module):
    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        _TAPE.append(x.copy())
        return x**3, None

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        del saved
        return {"x": 3 * _TAPE[-1] ** 2 * a_bar}


class Exponential(Module):
    """What forward saves is memory that the next forward writes to."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}
    workspace = np.empty((0, 0))

    def forward(self, x: Array) -> tuple[Array, Saved]:
        if self.workspace.shape != x.shape:
            self.workspace = np.empty(x.shape)
        np.exp(x, out=self.workspace)
        return self.workspace.copy(), self.workspace

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": saved * a_bar}


class Encoder:
    """Applied to both branches of a siamese network."""

    def __init__(self, D: int, M: int) -> None:
        self.W, self.dW = np.random.randn(D, M), np.zeros((D, M))

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.W

    def backward(self, da: Array) -> Array:
        self.dW += self.x.T @ da
        return da @ self.W.T


class Recurrent:
    """One step through time, whose inputs come back in the order in which they went in."""

    def __init__(self, D: int) -> None:
        self.w, self.dw = np.random.randn(D), np.zeros(D)
        self.steps: list[Array] = []

    def forward(self, h: Array) -> Array:
        self.steps.append(h)
        return np.tanh(self.w * h)

    def backward(self, da: Array) -> Array:
        h = self.steps.pop(0)
        local = da * (1 - np.tanh(self.w * h) ** 2)
        self.dw += (local * h).sum(axis=0)
        dx: Array = local * self.w
        return dx


class SharedScale:
    """Keeps what backward needs for every shape of input, not for every call."""

    def __init__(self, D: int) -> None:
        self.w, self.dw = np.random.randn(D), np.zeros(D)
        self.seen: dict[tuple[int, ...], Array] = {}

    def forward(self, x: Array) -> Array:
        self.seen[x.shape] = x
        a: Array = self.w * x**2
        return a

    def backward(self, da: Array) -> Array:
        x = self.seen[da.shape]
        self.dw += (da * x**2).sum(axis=0)
        return 2 * da * self.w * x


def _object(make: Any, outputs: str = "N D", **options: Any) -> Module:
    return from_object(make, inputs={"x": real("N D")}, outputs={"a": outputs}, **options)


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("cache in the class", lambda: _object(Sigmoid), "state", "CodeReclaimers/neat-python#188"),
    Specimen(
        "cache in a default argument",
        lambda: _object(Tanh, gradients={"w": "dw"}),
        "state",
        "talmolab/sleap-nn#574",
    ),
    Specimen(
        "parameter in a default argument",
        lambda: _object(lambda: Gain(), gradients={"gain": "dgain"}),
        "state",
        "GPflow/GPflow#277",
    ),
    Specimen("scratch memory by shape", lambda: _object(LeakyReLU), "state", "hpcaitech/Elixir#12"),
    Specimen("residual on the module", Square, "state", "NVlabs/tiny-cuda-nn#39"),
    Specimen("residual on a global tape", Cube, "state", "torch/nn#1015"),
    Specimen("residual in memory of the next forward", Exponential, "state", "pytorch/pytorch#13350"),
    Specimen(
        "one residual for several calls",
        lambda: _object(Encoder, "N M", gradients={"W": "dW"}, stacked=True),
        "state",
        "jmschrei/tangermeme#54",
    ),
    Specimen(
        "residuals first in, first out",
        lambda: _object(Recurrent, gradients={"w": "dw"}, stacked=True),
        "state",
        "VikParuchuri/zero_to_gpt#9",
    ),
    Specimen(
        "residuals by shape",
        lambda: _object(SharedScale, gradients={"w": "dw"}, stacked=True),
        "state",
        "keras-team/keras#1254",
    ),
)
