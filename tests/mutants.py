"""Modules that are wrong on purpose: a correct twin, and what a bug does to the gradients it returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.modules import (
    CrossEntropyLoss,
    EuclideanLoss,
    Linear,
    ReLU,
    Sequential,
    ShiftedCosine,
    Sigmoid,
    Softmax,
    Tanh,
)
from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import Declaration
from gradcheck.values.module import Module

Gradients = dict[str, Any]
# What the bug makes of (correct gradients g, point p, cotangent a).
Bug = Callable[[Gradients, Mapping[str, Array], Any], Gradients]


@dataclass(frozen=True)
class Mutant(Module):
    """A module with the forward and the declarations of its twin and a bug in its backward.

    ``leaf`` is where the bug shows and ``check`` what has to find it.
    """

    title: str
    twin: Module
    leaf: str
    bug: Bug
    check: str = "gradient"

    @property
    def name(self) -> str:
        return f"{self.twin.name}: {self.title}"

    @property
    def inputs(self) -> Mapping[str, Declaration]:
        return self.twin.inputs

    @property
    def parameters(self) -> Mapping[str, Declaration]:
        return self.twin.parameters

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.twin.outputs

    @property
    def kinks(self) -> Any:
        return self.twin.kinks

    def forward(self, **leaves: Array) -> tuple[Any, Saved]:
        outputs, saved = self.twin.forward(**leaves)
        return outputs, (saved, leaves)

    def backward(self, saved: Saved, cotangent: Any, /) -> Gradients:
        inner, leaves = saved
        return self.bug(dict(self.twin.backward(inner, cotangent)), leaves, cotangent)


def gradient(leaf: str, change: Callable[[Array, Mapping[str, Array], Array], Any]) -> Bug:
    """A bug in the gradient of one leaf: (correct gradient, leaves, cotangent) → wrong gradient."""
    return lambda g, leaves, a_bar: {**g, leaf: change(g[leaf], leaves, a_bar)}


def at(index: Any, change: Callable[[Any], Any]) -> Callable[[Array, Mapping[str, Array], Array], Array]:
    """A change of some entries of a gradient only."""

    def changed(g: Array, leaves: Mapping[str, Array], a_bar: Array) -> Array:
        g = np.array(g)
        g[index] = change(g[index])
        return g

    return changed


def linear(
    title: str, leaf: str, change: Callable[[Array, Mapping[str, Array], Array], Any], check: str = "gradient"
) -> Mutant:
    return Mutant(title, Linear(), leaf, gradient(leaf, change), check)


def without(leaf: str) -> Bug:
    return lambda g, leaves, a_bar: {name: value for name, value in g.items() if name != leaf}


MLP = Sequential({"dense": Linear(), "squash": Tanh(), "loss": EuclideanLoss()})

MUTANTS = (
    linear("wrong sign", "weight", lambda g, _, __: -g),
    linear("factor 2", "weight", lambda g, _, __: 2 * g),
    linear("factor 1/2", "x", lambda g, _, __: g / 2),
    linear("off by 0.01 %", "weight", lambda g, _, __: 1.0001 * g),
    linear("mean over the batch for the sum", "weight", lambda g, leaves, __: g / len(leaves["x"])),
    linear("mean over the batch for the sum, bias", "bias", lambda _, __, a: a.mean(axis=0)),
    linear("mean over all but the batch", "bias", lambda _, __, a: np.full(a.shape[1], a.sum() / a.shape[1])),
    linear("missing batch sum", "bias", lambda _, __, a: a, "dimensions"),
    linear("last sample left out", "bias", lambda _, __, a: a[:-1].sum(axis=0)),
    linear("only the first sample", "weight", lambda _, leaves, a: np.outer(leaves["x"][0], a[0])),
    linear("transposed", "weight", lambda g, _, __: g.T, "dimensions"),
    linear("reshaped instead of transposed", "weight", lambda g, _, __: g.T.reshape(g.shape)),
    linear("summed over the wrong axis", "bias", lambda _, __, a: a.sum(axis=1), "dimensions"),
    linear("one entry off by 1 %", "weight", at((-1, 0), lambda v: 1.01 * v)),
    linear("one entry off by 0.1 %", "weight", at((0, -1), lambda v: 1.001 * v)),
    linear("last row zero", "weight", at(-1, lambda v: 0 * v)),
    linear("two rows exchanged", "weight", lambda g, _, __: g[::-1]),
    linear("zero gradient", "bias", lambda g, _, __: 0 * g),
    linear("cotangent ignored", "bias", lambda _, __, a: np.full(a.shape[1], float(len(a)))),
    linear("cotangent squared halves", "x", lambda g, _, a: g * (a.max() / 2)),
    linear("constant added", "x", lambda g, _, __: g + 1e-3),
    linear("shape (1, M)", "bias", lambda g, _, __: g[None], "dimensions"),
    linear("None", "bias", lambda _, __, ___: None, "dimensions"),
    linear("NaN everywhere", "x", lambda g, _, __: g * np.nan),
    linear("NaN in one entry", "weight", at((0, 0), lambda v: v * np.nan)),
    linear("infinite", "weight", at((0, 0), lambda v: np.inf)),
    linear("float32", "weight", lambda g, _, __: g.astype(np.float32), "dimensions"),
    linear("computed in float16", "x", lambda g, _, __: g.astype(np.float16).astype(float)),
    linear("integers", "bias", lambda g, _, __: g.astype(int), "dimensions"),
    linear("complex", "x", lambda g, _, __: g + 0j, "dimensions"),
    Mutant("missing leaf", Linear(), "bias", without("bias"), "dimensions"),
    Mutant("extra leaf", Linear(), "beta", lambda g, _, a: {**g, "beta": a}, "dimensions"),
    Mutant(
        "misspelt leaf",
        Linear(),
        "weight",
        lambda g, *_: {"wieght" if k == "weight" else k: v for k, v in g.items()},
        "dimensions",
    ),
    Mutant("no dict", Linear(), "", lambda g, *_: tuple(g.values()), "dimensions"),  # type: ignore[arg-type]  # the bug
    Mutant("derivative of the output, a for a(1-a)", Sigmoid(), "x", lambda _, p, a: {"x": a / (1 + np.exp(-p["x"]))}),
    Mutant("1 - tanh for 1 - tanh²", Tanh(), "x", lambda _, p, a: {"x": a * (1 - np.tanh(p["x"]))}),
    Mutant("local derivative forgotten", Tanh(), "x", lambda _, __, a: {"x": a}),
    Mutant("inactive units pass", ReLU(), "x", lambda _, __, a: {"x": a}),
    Mutant("mask inverted", ReLU(), "x", lambda g, _, a: {"x": a - g["x"]}),
    Mutant("leaks 0.01 when inactive", ReLU(), "x", lambda g, _, a: {"x": g["x"] + 0.01 * (a - g["x"])}),
    Mutant(
        "off-diagonal terms forgotten",
        Softmax(),
        "x",
        lambda _, p, a: {"x": a * _softmax(p["x"]) * (1 - _softmax(p["x"]))},
    ),
    Mutant(
        "normalised over the wrong axis",
        Softmax(),
        "x",
        lambda _, p, a: {"x": _softmax(p["x"]) * (a - a.mean(axis=-1, keepdims=True))},
    ),
    Mutant(
        "inner derivative forgotten",
        ShiftedCosine(),
        "theta",
        gradient("theta", lambda _, p, a: np.sum(-np.sin(p["theta"] * p["x"]) * a)),
    ),
    Mutant(
        "θ for x",
        ShiftedCosine(),
        "theta",
        gradient("theta", lambda _, p, a: np.sum(-p["theta"] * np.sin(p["theta"] * p["x"]) * a)),
    ),
    Mutant("sign of the sine", ShiftedCosine(), "x", gradient("x", lambda g, _, __: -g)),
    Mutant("gradient of ‖·‖² for ½‖·‖²", EuclideanLoss(), "x", gradient("x", lambda g, _, __: 2 * g)),
    Mutant("target's sign", EuclideanLoss(), "y", gradient("y", lambda g, _, __: -g)),
    Mutant("mean's 1/N forgotten", EuclideanLoss("mean"), "x", gradient("x", lambda g, p, __: g * len(p["x"]))),
    Mutant(
        "mean over entries for mean over samples",
        EuclideanLoss("mean"),
        "x",
        gradient("x", lambda g, p, __: g / p["x"].shape[1]),
    ),
    Mutant(
        "fused softmax gradient p - y", CrossEntropyLoss(), "x", gradient("x", lambda _, p, a: a * (p["x"] - p["y"]))
    ),
    Mutant("gradient for the labels", CrossEntropyLoss(), "y", lambda g, p, __: {**g, "y": p["y"]}, "dimensions"),
    Mutant(
        "a parameter of the first stage detached", MLP, "dense.bias", gradient("dense.bias", lambda g, _, __: 0 * g)
    ),
    Mutant(
        "squash skipped on the way back",
        MLP,
        "dense.weight",
        gradient("dense.weight", lambda _, p, a: p["x"].T @ (_mlp(p) - p["loss.y"])),
    ),
)


def _softmax(x: Array) -> Array:
    e = np.exp(x)
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _mlp(leaves: Mapping[str, Array]) -> Array:
    return np.asarray(np.tanh(leaves["x"] @ leaves["dense.weight"] + leaves["dense.bias"]))
