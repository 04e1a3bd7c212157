"""Pooling: one number for every window of an image, or for the whole of it."""

import math
from dataclasses import dataclass

import numpy as np

from gradcheck.modules.fields import require_whole
from gradcheck.modules.windows import Windows
from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import real
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Pool2d(Module):
    """One number for every window of an image; a subclass is final and says which.

    Raises ConfigurationError for sizes and strides below 1, and for windows that may lie in the padding alone.
    """

    size: tuple[int, int] = (2, 2)
    stride: tuple[int, int] = (2, 2)
    padding: tuple[int, int] = (0, 0)

    inputs = {"x": real("N C H W")}
    outputs = {"a": "N C P Q"}
    independent = ("N", "C")
    dimensions = ({"C": 2, "H": 4, "W": 6}, {"C": 3, "H": 5, "W": 3})
    variants = ({}, {"size": (3, 2), "stride": (1, 2), "padding": (1, 0)})

    def __post_init__(self) -> None:
        require_whole(self.name, 1, axes=2, size=self.size, stride=self.stride)
        require_whole(self.name, 0, axes=2, padding=self.padding)
        if any(2 * p > k for p, k in zip(self.padding, self.size, strict=True)):
            raise ConfigurationError(
                f"{self.name}: padding is {self.padding}; expected at most half of the size {self.size}"
            )

    @property
    def windows(self) -> Windows:
        """The windows, one number of each kind an axis."""
        return Windows(self.size, self.stride, self.padding, (1, 1))


@dataclass(frozen=True)
class MaxPool2d(Pool2d):
    """The largest entry of every window; where several are equally large, the first one gets the whole gradient.

    That is one of the subgradients at such a tie; to send the gradient to all of them would not be one.

    Shapes: x (N, C, H, W), a (N, C, P, Q).

    >>> MaxPool2d().forward(np.arange(4.0).reshape(1, 1, 2, 2))[0].tolist()
    [[[[3.0]]]]
    """

    @property
    def examples(self) -> tuple[Example, ...]:
        tied = [[[[7.0, 7.0, 1.0], [7.0, 2.0, 5.0], [3.0, 4.0, 6.0]]]]
        return (Example({"x": tied}, [[[[7.0]]]]),) if self == MaxPool2d() else ()

    def forward(self, x: Array) -> tuple[Array, Saved]:
        windows = self.windows.over(x, fill=-np.inf)
        entries = windows.reshape(*x.shape[:2], math.prod(self.size), *windows.shape[4:])
        first = np.expand_dims(entries.argmax(axis=2), axis=2)
        return np.take_along_axis(entries, first, axis=2)[:, :, 0], (first, x.shape)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 for the first of the largest entries of the window, else 0
        first, shape = saved
        entries_bar = np.zeros((*shape[:2], math.prod(self.size), *a_bar.shape[2:]), a_bar.dtype)
        np.put_along_axis(entries_bar, first, a_bar[:, :, None], axis=2)
        return {"x": self.windows.added(entries_bar.reshape(*shape[:2], *self.size, *a_bar.shape[2:]), shape)}


@dataclass(frozen=True)
class AvgPool2d(Pool2d):
    """The mean of every window; entries of the padding count as 0.

    Shapes: x (N, C, H, W), a (N, C, P, Q).

    >>> AvgPool2d().forward(np.arange(4.0).reshape(1, 1, 2, 2))[0].tolist()
    [[[[1.5]]]]
    """

    @property
    def examples(self) -> tuple[Example, ...]:
        return (Example({"x": [[[[1.0, 2.0], [3.0, 6.0]]]]}, [[[[3.0]]]]),) if self == AvgPool2d() else ()

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return self.windows.over(x).mean(axis=(2, 3)), x.shape

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 / (number of entries) for every entry of the window
        shape = saved
        share = a_bar[:, :, None, None] / math.prod(self.size)
        return {"x": self.windows.added(np.broadcast_to(share, (*shape[:2], *self.size, *a_bar.shape[2:])), shape)}


@dataclass(frozen=True)
class GlobalAveragePool(Module):
    """The mean of every channel over all of the image.

    Shapes: x (N, C, *S), a (N, C).

    >>> GlobalAveragePool().forward(np.arange(4.0).reshape(1, 1, 2, 2))[0].tolist()
    [[1.5]]
    """

    inputs = {"x": real("N C *S")}
    outputs = {"a": "N C"}
    independent = ("N", "C")
    dimensions = ({"S": (2, 3)}, {"S": (5,)}, {"S": ()})
    examples = (Example({"x": [[[[1, 2], [3, 6]], [[1, 1], [1, 1]]]]}, [[3, 1]]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x.mean(axis=tuple(range(2, x.ndim))), x.shape

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a/∂x = 1 / (number of entries) for every entry of the channel
        shape = saved
        share = a_bar.reshape(*a_bar.shape, *[1] * (len(shape) - 2)) / math.prod(shape[2:])
        return {"x": np.broadcast_to(share, shape).copy()}
