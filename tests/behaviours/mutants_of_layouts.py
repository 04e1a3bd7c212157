"""Modules that are right for arrays in C order and wrong for equal ones that lie otherwise in memory."""

import ctypes

import numpy as np

from gradcheck import Module, real
from gradcheck.values.aliases import Array, Saved
from tests.behaviours.specimen import Specimen


class Flatten(Module):
    inputs = {"x": real("N D")}
    parameters = {"weight": real("N D")}
    outputs = {"a": ""}

    def forward(self, x: Array, weight: Array) -> tuple[Array, Saved]:
        return x.ravel(order="K") @ weight.ravel(), (x, weight)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        x, weight = saved
        return {"x": a_bar * weight, "weight": a_bar * x}


class FlatIndex(Module):
    """The maximum at its flat position, written to a flat view which for other orders is a copy."""

    inputs = {"x": real("N D")}
    outputs = {"a": ""}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x.max(), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        grad = np.zeros_like(saved)
        grad.reshape(-1)[saved.argmax()] = a_bar
        return {"x": grad}


class SumPool(Module):
    """Sums over neighbours; the cotangent is repeated in the order in which it lies in memory."""

    inputs = {"x": real("N K 2")}
    outputs = {"a": "N K"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x.sum(axis=-1), x.shape

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": np.repeat(a_bar.reshape(-1, order="A"), 2).reshape(saved)}


class SlidingWindows(Module):
    """A convolution by windows whose strides are those of a fresh array."""

    inputs = {"x": real("L")}
    parameters = {"kernel": real("3")}
    dimensions = ({"L": 5}, {"L": 7})

    def forward(self, x: Array, kernel: Array) -> tuple[Array, Saved]:
        step = x.itemsize
        windows = np.lib.stride_tricks.as_strided(x, (len(x) - 2, 3), (step, step))
        return windows @ kernel, (windows, kernel)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        windows, kernel = saved
        return {"x": np.convolve(a_bar, kernel), "kernel": a_bar @ windows}


class NativeKernel(Module):
    """Hands the address of the cotangent to a kernel that knows of no strides."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.tanh(x), np.tanh(x)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        address = ctypes.cast(a_bar.ctypes.data, ctypes.POINTER(ctypes.c_double))
        flat = np.array(address[: a_bar.size])
        return {"x": flat.reshape(a_bar.shape) * (1 - saved**2)}


class HalfInPlace(Module):
    """Scales the cotangent for the kernel, and back afterwards."""

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x**2 / 2, x.copy()

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        a_bar *= 0.5
        grad = 2 * saved * a_bar
        a_bar *= 2.0
        return {"x": grad}


class WholeStorage(Module):
    """Takes the array that a view was made of for the array itself."""

    inputs = {"x": real("*B")}
    outputs = {"a": ""}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        storage = x if x.base is None else x.base
        return (storage**2).sum(), x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": 2 * a_bar * saved}


class LeadingDimension(Module):
    """Reads row i of the cotangent from i · lda on, as a BLAS does, but in a packed copy."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.exp(x), np.exp(x)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        rows, columns = a_bar.shape
        lda = a_bar.strides[0] // a_bar.itemsize
        flat = a_bar.ravel()
        packed = np.stack([np.resize(flat[i * lda :], columns) for i in range(rows)])
        return {"x": packed * saved}


class Rotary(Module):
    """Rotates pairs as complex numbers, in a view that a last axis with strides does not allow."""

    inputs = {"x": real("N 4")}
    outputs = {"a": "N 4"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        turn = np.exp(1j * np.arange(len(x)))[:, None]
        return (x.view(complex) * turn).view(float), turn

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        pairs = a_bar[:, ::2] + 1j * a_bar[:, 1::2]
        turned = pairs * saved.conj()
        return {"x": np.stack([turned.real, turned.imag], axis=-1).reshape(a_bar.shape)}


class SignBit(Module):
    """|x| by its sign bit, which is elsewhere in the other byte order."""

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}
    kinks = {"x": (0.0,)}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        negative = (x.view(np.uint64) >> np.uint64(63)).astype(bool)
        return np.where(negative, -x, x), negative

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": np.where(saved, -a_bar, a_bar)}


class SentAsBytes(Module):
    """The cotangent goes through a message of bytes, without its dtype."""

    inputs = {"x": real("*B")}
    outputs = {"a": "*B"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.sin(x), np.cos(x)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        received = np.frombuffer(a_bar.tobytes(), dtype=np.float64)
        return {"x": received.reshape(a_bar.shape) * saved}


class FromBuffer(Module):
    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x**3, 3 * x**2

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        flat = np.frombuffer(a_bar.data, dtype=a_bar.dtype)
        return {"x": flat.reshape(saved.shape) * saved}


class InIterationOrder(Module):
    """``nditer`` goes through memory, not through the indices."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array) -> tuple[Array, Saved]:
        values = np.array([np.array(value) for value in np.nditer(x)])
        return values.reshape(x.shape) ** 2, 2 * x

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": saved * a_bar}


class TwoKernels(Module):
    """A fast path for contiguous weights, and a general one that takes them for transposed."""

    inputs = {"x": real("N D")}
    parameters = {"weight": real("D D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array, weight: Array) -> tuple[Array, Saved]:
        product = x @ weight if weight.flags.c_contiguous else x @ weight.T
        return product, (x, weight)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        x, weight = saved
        return {"x": a_bar @ weight.T, "weight": x.T @ a_bar}


class ExpandedCotangent(Module):
    """One row stands for all where the cotangent repeats it, but not in the sum over them."""

    inputs = {"x": real("N D")}
    parameters = {"shift": real("D")}
    outputs = {"a": "N D"}

    def forward(self, x: Array, shift: Array) -> tuple[Array, Saved]:
        return 2 * x + shift, x.shape

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        rows = a_bar[:1] if a_bar.strides[0] == 0 else a_bar
        return {"x": np.broadcast_to(2 * rows, saved).copy(), "shift": rows.sum(axis=0)}


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("ravel in memory order", Flatten, "layouts", "numpy/numpy#23635"),
    Specimen("writes to a copy that was to be a view", FlatIndex, "layouts", "numpy/numpy#10345"),
    Specimen("reshape in the order of the cotangent", SumPool, "layouts", "numpy/numpy#23680"),
    Specimen("strides of a fresh array", SlidingWindows, "layouts", "ggml-org/llama.cpp#15956"),
    Specimen("an address without strides", NativeKernel, "layouts", "mzechmeister/serval#8"),
    Specimen("needs a cotangent it can write to", HalfInPlace, "layouts", "espnet/espnet#2644"),
    Specimen("the base of a view", WholeStorage, "layouts", "pypy/pypy#1466"),
    Specimen("strides of one array used on another", LeadingDimension, "layouts", "fwilliams/numpyeigen#40"),
    Specimen("pairs viewed as complex", Rotary, "layouts", "pytorch/pytorch#122448"),
    Specimen("the sign bit of another byte order", SignBit, "layouts", "simonsobs/pixell#233"),
    Specimen("bytes without a dtype", SentAsBytes, "layouts", "ijl/orjson#472"),
    Specimen("a flat buffer of the cotangent", FromBuffer, "layouts", "Dao-AILab/flash-attention#355"),
    Specimen("nditer in memory order", InIterationOrder, "layouts", "numba/numba#7774"),
    Specimen("a wrong path for what is not contiguous", TwoKernels, "layouts", "pydata/bottleneck#154"),
    Specimen("an expanded cotangent", ExpandedCotangent, "layouts", "fla-org/flash-linear-attention#1139"),
)
