"""Modules whose answer depends on chance, the time or how often they were called."""

import itertools
import time

import numpy as np

from gradcheck import Module, from_object, real
from gradcheck.values.aliases import Array, Generator, Saved
from tests.behaviours.specimen import Specimen

_STREAM = np.random.default_rng(7)
_CALLS = itertools.count()


class GlobalDropout:
    def __init__(self, keep: float = 0.8) -> None:
        self.keep = keep

    def forward(self, x: Array) -> Array:
        self.mask = (np.random.random(x.shape) < self.keep) / self.keep
        return x * self.mask

    def backward(self, da: Array) -> Array:
        return da * self.mask


class _Elementwise(Module):
    """A factor that is drawn, and saved for the backward."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}

    def factor(self, x: Array) -> Array:
        raise NotImplementedError

    def forward(self, x: Array, rng: Generator | None = None) -> tuple[Array, Saved]:
        del rng
        factor = self.factor(x)
        return x * factor, factor

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        return {"x": saved * a_bar}


class StreamOfTheFile(_Elementwise):
    """Draws from one stream for the whole program: reproducible for a run of it, not for a call."""

    def factor(self, x: Array) -> Array:
        return _STREAM.normal(1.0, 0.3, x.shape)


class IgnoredStream(_Elementwise):
    stochastic = True

    def factor(self, x: Array) -> Array:
        return np.random.default_rng().random(x.shape) + 0.5


class SeedPerCall(_Elementwise):
    def factor(self, x: Array) -> Array:
        return np.random.default_rng(1337 + next(_CALLS)).uniform(0.1, 0.3, x.shape)


class SeedFromClock(_Elementwise):
    def factor(self, x: Array) -> Array:
        return np.random.default_rng(time.perf_counter_ns()).uniform(0.1, 0.3, x.shape)


class PoolOfNoise(_Elementwise):
    """Takes its noise from a pool drawn in advance, from where the call before stopped."""

    stochastic = True

    def factor(self, x: Array) -> Array:
        start = next(_CALLS)
        return np.take(np.linspace(0.5, 1.5, 997), start + np.arange(x.size), mode="wrap").reshape(x.shape)


class RedrawnFeatures(_Elementwise):
    """Draws its random features again after every second call."""

    calls = 0

    def factor(self, x: Array) -> Array:
        self.calls += 1
        return np.random.default_rng(self.calls // 2).normal(size=x.shape)


class Recomputed(Module):
    """Runs forward again instead of saving the mask, without setting the generator back."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}
    stochastic = True

    def forward(self, x: Array, rng: Generator) -> tuple[Array, Saved]:
        return x * (rng.random(x.shape) < 0.5), (x.shape, rng)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        shape, rng = saved
        return {"x": a_bar * (rng.random(shape) < 0.5)}


class WarmUp(Module):
    """The gradient grows with every backward, as the schedule says."""

    inputs = {"x": real("N D")}
    outputs = {"a": "N D"}
    steps = 0

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return 3 * x, None

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        del saved
        schedule = 1 + 0.01 * self.steps
        self.steps += 1
        return {"x": 3 * schedule * a_bar}


SPECIMENS: tuple[Specimen, ...] = (
    Specimen(
        "global generator",
        lambda: from_object(GlobalDropout, inputs={"x": real("N D")}, outputs={"a": "N D"}),
        "repeatability",
        "harvard-edge/cs249r_book#1869",
    ),
    Specimen("stream of the whole program", StreamOfTheFile, "repeatability", "CSTR-Edinburgh/mlpractical#45"),
    Specimen("stream ignored", IgnoredStream, "repeatability", "apache/mxnet#15662"),
    Specimen("seed counts calls", SeedPerCall, "repeatability", "keras-team/keras#17548"),
    Specimen("seed from the clock", SeedFromClock, "repeatability", "microsoft/CNTK#1448"),
    Specimen("noise continued from the last call", PoolOfNoise, "repeatability", "apache/mxnet#16705"),
    Specimen("features drawn again by forward", RedrawnFeatures, "repeatability", "idiap/fast-transformers#49"),
    Specimen("mask drawn again in backward", Recomputed, "repeatability", "openai/guided-diffusion#167"),
    Specimen("schedule advanced by backward", WarmUp, "repeatability", "bshillingford/autobw.torch#7"),
)
