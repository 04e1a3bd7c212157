"""The corpus as custom_vjp of JAX: every verdict on a gradient is that of the numpy form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.adapters.wrapped import Wrapped
from gradcheck.values.module import Module
from tests.corpus.collection import SPECIMENS
from tests.corpus.specimen import Backward, Forward, Point, Specimen

REASON = "JAX is not installed; make test-all installs it"
jax: Any = pytest.importorskip("jax", reason=REASON, exc_type=ImportError)
pytestmark = pytest.mark.sweep


@dataclass
class Switch:
    """Which backward is called: one compiled function serves a specimen and all its bugs."""

    backward: Backward


@dataclass(frozen=True)
class WithNumpyForward(Wrapped):
    """A module whose forward is called without JAX, through which a call takes 50 times as long.

    A bug is one of backward; the forward of JAX is verified together with the correct backward.
    """

    function: Forward

    def forward(self, **leaves: Any) -> Any:
        return self.function(**leaves), leaves


def as_custom_vjp(specimen: Specimen, switch: Switch, point: Point) -> Module:
    """The specimen as a custom_vjp that calls numpy."""
    jax_adapter = pytest.importorskip("gradcheck.plugins.jax_adapter")
    names, floating = list(point), [name for name, value in point.items() if value.dtype.kind in "fc"]
    outputs, gradients = shapes(specimen.forward(**point)), shapes([point[name] for name in floating])

    def named(arrays: Any) -> dict[str, Any]:
        return {name: np.array(array) for name, array in zip(names, arrays, strict=True)}

    def call_forward(*arrays: Any) -> Any:
        return in_arrays(specimen.forward(**named(arrays)))

    def call_backward(cotangent: Any, *arrays: Any) -> Any:
        given = switch.backward(named(arrays), conjugated(cotangent))
        return [require(given[name], point[name]) for name in floating]

    def value(*arrays: Any) -> Any:
        return jax.pure_callback(call_forward, outputs, *arrays)

    def backward(arrays: Any, cotangent: Any) -> Any:
        found = jax.pure_callback(call_backward, gradients, cotangent, *arrays)
        by_name = {name: jax.numpy.conj(gradient) for name, gradient in zip(floating, found, strict=True)}
        return tuple(by_name.get(name) for name in names)

    function = jax.custom_vjp(value)
    function.defvjp(lambda *arrays: (function(*arrays), arrays), backward)
    module: Module = jax_adapter.from_jax(function, arguments=point, dtype="native")
    return module


def shapes(arrays: Any) -> Any:
    return jax.tree_util.tree_map(lambda array: jax.ShapeDtypeStruct(np.shape(array), np.asarray(array).dtype), arrays)


def in_arrays(outputs: Any) -> Any:
    return jax.tree_util.tree_map(np.asarray, dict(outputs) if isinstance(outputs, Mapping) else outputs)


def conjugated(cotangent: Any) -> Any:
    # For complex numbers JAX's cotangents are the conjugates of ours.
    return jax.tree_util.tree_map(lambda array: np.conj(np.array(array)), cotangent)


def require(gradient: Any, leaf: Any) -> Any:
    """A gradient as JAX takes it: in the leaf's dtype, whatever was computed."""
    if np.shape(gradient) != np.shape(leaf):
        raise ValueError(f"gradient of shape {np.shape(gradient)} for a leaf of shape {np.shape(leaf)}")
    return np.asarray(gradient, dtype=leaf.dtype)


def verdicts(specimen: Specimen, target: Any, point: Point) -> dict[str, Verdict]:
    report = gradcheck.check(target, point, threshold=specimen.threshold, seed=0, checks=["gradient"])
    return {check.leaf: check.verdict for case in report.verification.cases for check in case.checks}


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.name)
def test_verdicts_are_those_of_the_numpy_form(specimen: Specimen) -> None:
    point = specimen.point(np.random.default_rng(0))
    switch = Switch(specimen.backward)
    module = as_custom_vjp(specimen, switch, point)
    expected = verdicts(specimen, gradcheck.from_functions(specimen.forward, specimen.backward), point)
    assert verdicts(specimen, module, point) == expected
    for bug in specimen.bugs:
        switch.backward = bug.backward
        expected = verdicts(specimen, gradcheck.from_functions(specimen.forward, bug.backward), point)
        assert verdicts(specimen, WithNumpyForward(module, specimen.forward), point) == expected, bug.title
