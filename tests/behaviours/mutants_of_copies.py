"""Modules that give other gradients after pickling or copying."""

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from gradcheck import Module, real
from gradcheck.values.aliases import Array, Saved
from tests.behaviours.specimen import Specimen


class _OfOneInput(Module):
    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}


@dataclass(frozen=True)
class LeakyReLU(_OfOneInput):
    """Pickled as a call of its class, without the slope."""

    slope: float = 0.01

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.where(x > 0, x, self.slope * x), x > 0

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": np.where(saved, a_bar, self.slope * a_bar)}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()


@dataclass(frozen=True)
class ScaledTanh(_OfOneInput):
    """Copied from its configuration, in which the inner scale is missing."""

    outer: float = 1.0
    inner: float = 1.0

    def forward(self, x: Array) -> tuple[Array, Saved]:
        y = np.tanh(self.inner * x)
        return self.outer * y, y

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": self.outer * self.inner * (1 - saved**2) * a_bar}

    def __deepcopy__(self, memo: dict[int, Any]) -> "ScaledTanh":
        return ScaledTanh(outer=self.outer)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.outer, self.inner)


class Projection(_OfOneInput):
    """The basis is stored in half precision, for small checkpoints."""

    def __init__(self, seed: int = 0) -> None:
        self.basis = np.random.default_rng(seed).normal(size=11)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        row = np.resize(self.basis, x.shape[1])
        return x * row, row

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": saved * a_bar}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "basis": self.basis.astype(np.float16)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= {**state, "basis": state["basis"].astype(np.float64)}


class RandomFeatures(_OfOneInput):
    """Draws its frequencies again where it is loaded."""

    def __init__(self) -> None:
        self.frequencies = np.random.default_rng(3).normal(size=11)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        phase = x * np.resize(self.frequencies, x.shape[1])
        return np.cos(phase), phase

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": -np.sin(saved) * np.resize(self.frequencies, saved.shape[1]) * a_bar}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "frequencies"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= {**state, "frequencies": np.random.default_rng().normal(size=11)}


@dataclass
class Kept:
    """What backward needs; the mask is left out of pickles, since it can be large."""

    values: Array
    mask: Array | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"values": self.values, "mask": None}


class GatedSquare(_OfOneInput):
    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.where(x > 0, x**2, 0.0), Kept(x, x > 0)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        gated = a_bar if saved.mask is None else np.where(saved.mask, a_bar, 0.0)
        return {"x": 2 * saved.values * gated}


class Token:
    """Stands for a residual that is kept elsewhere."""


_RESIDUALS: WeakKeyDictionary[Token, Array] = WeakKeyDictionary()


class ShiftedCosine(_OfOneInput):
    """Finds its residual by the identity of a token, which no copy has."""

    def forward(self, x: Array) -> tuple[Array, Saved]:
        token = Token()
        _RESIDUALS[token] = x.copy()
        return np.cos(x), token

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": -np.sin(_RESIDUALS[saved]) * a_bar}


@dataclass
class Branches:
    """The two halves of a bilinear gate, restored in the wrong order."""

    values: Array
    gate: Array

    def __getstate__(self) -> tuple[Array, Array]:
        return self.values, self.gate

    def __setstate__(self, state: tuple[Array, Array]) -> None:
        self.gate, self.values = state


class Gate(_OfOneInput):
    inputs = {"x": real("N D"), "gate": real("N D")}

    def forward(self, x: Array, gate: Array) -> tuple[Array, Saved]:
        return x * gate**2, Branches(x, gate)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": saved.gate**2 * a_bar, "gate": 2 * saved.values * saved.gate * a_bar}


class BitMask:
    """A mask of one bit an entry, packed from the left and unpacked from the right."""

    def __init__(self, mask: Array) -> None:
        self.mask = mask

    def __reduce__(self) -> tuple[Any, ...]:
        packed = np.packbits(self.mask, bitorder="big")
        return _unpacked, (packed, self.mask.shape)


def _unpacked(packed: Array, shape: tuple[int, ...]) -> BitMask:
    bits = np.unpackbits(packed, count=int(np.prod(shape)), bitorder="little")
    return BitMask(bits.astype(bool).reshape(shape))


class ReLU(_OfOneInput):
    def forward(self, x: Array) -> tuple[Array, Saved]:
        return np.maximum(x, 0), BitMask(x > 0)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": np.where(saved.mask, a_bar, 0.0)}


SPECIMENS: tuple[Specimen, ...] = (
    Specimen("slope lost in pickles", lambda: LeakyReLU(0.3), "serialisation", "MLBazaar/BTB#96"),
    Specimen("field lost in copies", lambda: ScaledTanh(1.7, 0.7), "serialisation", "pytorch/pytorch#117275"),
    Specimen("constants in half precision", Projection, "serialisation", "ultralytics/ultralytics#3089"),
    Specimen("constants drawn again", RandomFeatures, "serialisation", "taborlab/Iris#122"),
    Specimen("mask left out of pickles", GatedSquare, "serialisation", "pavlin-policar/openTSNE#79"),
    Specimen("residual found by identity", ShiftedCosine, "serialisation", "aio-libs/aiocache#641"),
    Specimen("state restored in another order", Gate, "serialisation", "isosuite/splinepy#336"),
    Specimen("bits of a mask in another order", ReLU, "serialisation", "pydicom/pydicom#293"),
)
