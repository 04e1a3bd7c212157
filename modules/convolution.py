"""Convolution (in the sense of the field: correlation), as one matrix product of all windows with the kernels."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.modules.fields import require_whole
from gradcheck.modules.windows import Windows
from gradcheck.values.aliases import Array, Leaves, Saved, Sizes
from gradcheck.values.declarations import Declaration, real
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class Conv1d(Module):
    """Convolution over time, a_mp = b_m + Σ_ck x_c,(s p + d k) θ_mck with stride s and dilation d.

    Shapes: x (N, C, T), weight (M, C, K), bias (M,), a (N, M, P); with g groups weight is (M, C / g, K), and each
    group of channels in feeds a group of channels out.

    >>> import numpy as np
    >>> Conv1d().forward(x=np.ones((1, 1, 5)), weight=np.ones((1, 1, 3)), bias=np.zeros(1))[0].tolist()
    [[[3.0, 3.0, 3.0]]]
    """

    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1

    outputs = {"a": "N M P"}
    independent = ("N",)
    variants = ({}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": 2}, {"groups": 2})

    def __post_init__(self) -> None:
        require_whole(self.name, 1, stride=self.stride, dilation=self.dilation, groups=self.groups)
        require_whole(self.name, 0, padding=self.padding)

    @property
    def dimensions(self) -> Sequence[Sizes]:
        sizes = ({"C": 4, "I": 2, "M": 2, "T": 6, "K": 3}, {"C": 2, "I": 1, "M": 4, "T": 7, "K": 2})
        return _of_symbols(self, *sizes)

    @property
    def inputs(self) -> Mapping[str, Declaration]:
        return {"x": real("N C T")}

    @property
    def parameters(self) -> Mapping[str, Declaration]:
        return {"weight": real(f"M {_channels(self.groups)} K"), "bias": real("M")}

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {"x": [[[1, 2, 3, 4]]], "weight": [[[1, 0, -1]]], "bias": [10]}
        return (Example(leaves, [[[8, 8]]]),) if self == Conv1d() else ()

    def forward(self, x: Array, weight: Array, bias: Array) -> tuple[Array, Saved]:
        windows = Windows(weight.shape[-1:], (self.stride,), (self.padding,), (self.dilation,))
        return _convolved(windows, self.groups, x, weight, bias)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return _pulled_back(saved, self.groups, a_bar)

    def forward_batch(self, leaves: Leaves, leaf: str, values: Array, /) -> Array:
        return self.forward(**{**leaves, leaf: values})[0]

    def backward_batch(self, saved: Saved, cotangents: Array, /) -> dict[str, Array]:
        return self.backward(saved, cotangents)


@dataclass(frozen=True)
class Conv2d(Module):
    """Convolution over images, a_mpq = b_m + Σ_ckl x_c,(s p + d k),(t q + e l) θ_mckl, strides s, t, dilations d, e.

    Shapes: x (N, C, H, W), weight (M, C, K, L), bias (M,), a (N, M, P, Q); with g groups weight is (M, C / g, K, L),
    and each group of channels in feeds a group of channels out. A ``kernel`` given fixes K and L.

    >>> import numpy as np
    >>> one = np.ones((1, 1, 3, 3))
    >>> Conv2d(padding=(1, 1)).forward(x=one, weight=one, bias=np.zeros(1))[0][0, 0].tolist()
    [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]
    """

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    kernel: tuple[int, int] | None = None

    outputs = {"a": "N M P Q"}
    independent = ("N",)
    variants = ({}, {"stride": (2, 1), "padding": (0, 1)}, {"dilation": (1, 2)}, {"groups": 2}, {"kernel": (1, 1)})

    def __post_init__(self) -> None:
        require_whole(self.name, 1, axes=2, stride=self.stride, dilation=self.dilation)
        require_whole(self.name, 0, axes=2, padding=self.padding)
        require_whole(self.name, 1, groups=self.groups)
        if self.kernel is not None:
            require_whole(self.name, 1, axes=2, kernel=self.kernel)

    @property
    def inputs(self) -> Mapping[str, Declaration]:
        return {"x": real("N C H W")}

    @property
    def parameters(self) -> Mapping[str, Declaration]:
        kernel = "K L" if self.kernel is None else f"{self.kernel[0]} {self.kernel[1]}"
        return {"weight": real(f"M {_channels(self.groups)} {kernel}"), "bias": real("M")}

    @property
    def dimensions(self) -> Sequence[Sizes]:
        first = {"C": 2, "I": 1, "M": 4, "H": 4, "W": 5, "K": 2, "L": 3}
        second = {"C": 4, "I": 2, "M": 2, "H": 5, "W": 3, "K": 3, "L": 1}
        return _of_symbols(self, first, second)

    @property
    def examples(self) -> tuple[Example, ...]:
        leaves = {"x": [[[[1, 2], [3, 4]]]], "weight": [[[[1, 2], [0, -1]]]], "bias": [10]}
        return (Example(leaves, [[[[11]]]]),) if self == Conv2d() else ()

    def forward(self, x: Array, weight: Array, bias: Array) -> tuple[Array, Saved]:
        return _convolved(
            Windows(weight.shape[-2:], self.stride, self.padding, self.dilation), self.groups, x, weight, bias
        )

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return _pulled_back(saved, self.groups, a_bar)

    def forward_batch(self, leaves: Leaves, leaf: str, values: Array, /) -> Array:
        return self.forward(**{**leaves, leaf: values})[0]

    def backward_batch(self, saved: Saved, cotangents: Array, /) -> dict[str, Array]:
        return self.backward(saved, cotangents)


def _of_symbols(module: Module, *settings: Sizes) -> Sequence[Sizes]:
    """Sizes of those symbols only that the module has in its configuration."""
    return [{symbol: size for symbol, size in sizes.items() if symbol in module.symbols} for sizes in settings]


def _channels(groups: int) -> str:
    """The symbol for the channels that a kernel sees."""
    return "C" if groups == 1 else "I"


# Both functions see x (N, C, *S) as (N, g, C/g …), weight as (g, M/g, C/g · K) and the windows, laid out as columns, as
# (N, g, C/g · K, P): for every sample n and group g there is one matrix product
#
#     a_ng = θ_g X_ng + b_g        and hence     θ̄_g = Σ_n ā_ng X_ngᵀ,   X̄_ng = θ_gᵀ ā_ng,   b̄ = Σ_np ā
#
# and x̄ is the adjoint of taking windows, applied to X̄. A leaf, or the cotangent, may have an additional first axis, of
# many values at once, which goes through to the results.


def _convolved(windows: Windows, groups: int, x: Array, weight: Array, bias: Array) -> tuple[Array, Saved]:
    axes = len(windows.size)
    channels, (kernels_out, kernels_in) = x.shape[-axes - 1], weight.shape[-axes - 2 : -axes]
    if channels != groups * kernels_in or kernels_out % groups:
        raise ConfigurationError(
            f"{groups} groups do not divide {channels} channels in and {kernels_out} out among kernels of shape"
            f" {weight.shape}: expected C = groups · {kernels_in}, and M a multiple of groups"
        )
    seen = windows.over(x.reshape(-1, *x.shape[-axes - 1 :]))
    count, entries = seen.shape[-axes:], kernels_in * math.prod(windows.size)
    kernels = weight.reshape(*weight.shape[: -axes - 2], 1, groups, kernels_out // groups, entries)
    columns = seen.reshape(*x.shape[: -axes - 1], groups, entries, math.prod(count))
    products = kernels @ columns
    a = products.reshape(*products.shape[:-3], kernels_out, *count)
    # In place, but where it has more axes than the products.
    a = np.add(a, bias.reshape(*bias.shape[:-1], 1, kernels_out, *[1] * axes), out=a if bias.ndim == 1 else None)
    return a, (windows, x.shape, columns, kernels, weight.shape)


def _pulled_back(saved: Saved, groups: int, a_bar: Array) -> dict[str, Array]:
    windows, shape, columns, kernels, weight_shape = saved
    axes = len(windows.size)
    many, count = a_bar.shape[: -axes - 2], a_bar.shape[-axes:]
    grouped = a_bar.reshape(*many, shape[0], groups, kernels.shape[2], math.prod(count))
    columns_bar = (kernels.swapaxes(2, 3) @ grouped).reshape(-1, shape[1], *windows.size, *count)
    return {
        "x": windows.added(columns_bar, (len(columns_bar), *shape[1:])).reshape(*many, *shape),
        "weight": (grouped @ columns.transpose(0, 1, 3, 2)).sum(axis=-4).reshape(*many, *weight_shape),
        "bias": grouped.sum(axis=(-4, -1)).reshape(*many, weight_shape[0]),
    }
