"""What is timed: modules at points, each with the same function of torch, and how gradcheck and its rivals check it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

import gradcheck
from gradcheck.modules import Conv2d, LayerNorm, Linear
from gradcheck.surfaces.report import verify
from gradcheck.values.aliases import Array, Shape
from gradcheck.values.module import Module
from gradcheck.values.settings import Settings

STEP = 1e-6


@dataclass(frozen=True)
class Subject:
    """A module at a generic point, and the same function of torch, which gets torch and the leaves."""

    name: str
    module: Module
    shapes: dict[str, Shape]
    of_torch: Callable[..., Any]

    @cached_property
    def point(self) -> dict[str, Array]:
        """The leaves."""
        generator = np.random.default_rng(0)
        return {name: generator.normal(size=shape) for name, shape in self.shapes.items()}

    def by_gradcheck(self, mode: str) -> None:
        """The gradient check of all leaves; raises unless it passes."""
        verify(self.module, self.point, Settings(mode=mode, checks=("gradient",)), {}).raise_for_failure()

    def by_torch(self) -> None:
        """torch.autograd.gradcheck at its defaults: every coordinate by itself; raises unless it passes."""
        torch: Any = import_module("torch")
        tensors = [torch.tensor(value, requires_grad=True) for value in self.point.values()]
        torch.autograd.gradcheck(lambda *leaves: self.of_torch(torch, *leaves), tensors)

    def require_same_function(self) -> None:
        """Raise AssertionError unless both give the same output."""
        torch: Any = import_module("torch")
        ours: Any = self.module.forward(**self.point)[0]
        theirs = self.of_torch(torch, *map(torch.tensor, self.point.values())).numpy()
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)

    def bare_loop(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """Both Jacobians by calls of the module and nothing else: the analytical, the numerical one transposed."""
        output: Any = self.module.forward(**self.point)[0]
        return self._analytical(output), {leaf: self._numerical(leaf, output.size) for leaf in self.point}

    def _analytical(self, output: Array) -> dict[str, Array]:
        saved, cotangent = self.module.forward(**self.point)[1], np.zeros_like(output)
        jacobians = {leaf: np.empty((output.size, value.size)) for leaf, value in self.point.items()}
        hot = cotangent.reshape(-1)
        for i in range(output.size):
            hot[i] = 1
            for leaf, gradient in self.module.backward(saved, cotangent).items():
                jacobians[leaf][i] = gradient.reshape(-1)
            hot[i] = 0
        return jacobians

    def _numerical(self, leaf: str, outputs: int) -> Array:
        forward: Any = self.module.forward
        leaves = {**self.point, leaf: self.point[leaf].copy()}
        entries = leaves[leaf].reshape(-1)
        jacobian = np.empty((entries.size, outputs))
        for j in range(entries.size):
            original = entries[j]
            entries[j] = original + STEP
            above = forward(**leaves)[0]
            entries[j] = original - STEP
            below = forward(**leaves)[0]
            entries[j] = original
            jacobian[j] = (above - below).reshape(-1)
        jacobian /= 2 * STEP
        return jacobian


def linear(size: int) -> Subject:
    """A map from as many numbers to as many, with a batch of 4."""
    return Subject(
        f"Linear {size}→{size}, batch 4",
        Linear(),
        {"x": (4, size), "weight": (size, size), "bias": (size,)},
        lambda torch, x, weight, bias: torch.nn.functional.linear(x, weight.T, bias),
    )


CONVOLUTION = Subject(
    "Conv2d 2×3×8×8, 8 filters 3×3",
    Conv2d(),
    {"x": (2, 3, 8, 8), "weight": (8, 3, 3, 3), "bias": (8,)},
    lambda torch, x, weight, bias: torch.nn.functional.conv2d(x, weight, bias),
)
NORMALISATION = Subject(
    "LayerNorm 8×64",
    LayerNorm(),
    {"x": (8, 64), "gain": (64,), "bias": (64,)},
    lambda torch, x, gain, bias: torch.nn.functional.layer_norm(x, (64,), gain, bias),
)


@dataclass(frozen=True)
class Weight:
    """The weight of a Linear by itself, the other leaves being closed over, for checkers of one vector."""

    of: Subject

    @cached_property
    def subject(self) -> Subject:
        """As a module with one leaf."""
        x, bias = self.of.point["x"], self.of.point["bias"]
        module = gradcheck.from_functions(
            lambda weight: x @ weight + bias, lambda _, cotangent: {"weight": x.T @ cotangent}, name="weight"
        )
        return Subject("weight", module, {"weight": self.of.shapes["weight"]}, self.of.of_torch)

    @cached_property
    def pattern(self) -> Any:
        """Where the Jacobian has entries: a_nm depends on θ_dm."""
        outputs, shape = self.of.shapes["x"][0], self.of.shapes["weight"]
        dense = np.broadcast_to(np.eye(shape[1]), (outputs, shape[0], shape[1], shape[1])).transpose(0, 2, 1, 3)
        return import_module("scipy.sparse").csr_matrix(dense.reshape(outputs * shape[1], -1))

    def by_scipy(self, sparsity: Any = None) -> Any:
        """The numerical Jacobian by approx_derivative, three points each; with the pattern, or pattern and groups."""
        shape, forward = self.of.shapes["weight"], self.subject.module.forward
        point = self.subject.point["weight"].ravel()

        def outputs(flat: Array) -> Array:
            output: Any = forward(weight=flat.reshape(shape))[0]
            return np.ravel(output)

        return _of_scipy("approx_derivative")(outputs, point, method="3-point", sparsity=sparsity)

    def groups(self) -> Any:
        """The groups into which scipy divides the coordinates."""
        return _of_scipy("group_columns")(self.pattern)


def has_approx_derivative() -> bool:
    """Whether scipy still has it, where no promise says so."""
    try:
        return callable(_of_scipy("approx_derivative")) and callable(_of_scipy("group_columns"))
    except (ImportError, AttributeError):
        return False


def _of_scipy(name: str) -> Any:
    return getattr(import_module("scipy.optimize._numdiff"), name)
