"""Local derivatives as a Module: the lecture's ∂a/∂x and ∂a/∂θ, or an objective and its Jacobian."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.adapters.functions import FunctionModule, function_name
from gradcheck.values.aliases import Array
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module


def from_local_derivatives(
    forward: Callable[..., Array],
    derivatives: Mapping[str, Callable[..., Array]],
    *,
    inputs: Mapping[str, Declaration] | None = None,
    parameters: Mapping[str, Declaration] | None = None,
    outputs: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Module:
    """Make a Module of a forward and its local derivatives, the chain rule being ours.

    Arguments:
        forward: ``forward(**leaves)`` gives the output array a.
        derivatives: for every differentiable leaf a function ``derivative(**leaves)`` that gives either
            the elementwise derivative, in the shape of a (the leaf being broadcast against a), or the
            full Jacobian, in the shape of a followed by the shape of the leaf.
        inputs, parameters, outputs, name: as in ``from_functions``.

    The lecture's module cos(θx) + π, with its backward_dx and backward_dtheta:

    >>> import numpy as np, gradcheck
    >>> module = gradcheck.from_local_derivatives(
    ...     lambda x, theta: np.cos(theta * x) + np.pi,
    ...     {"x": lambda x, theta: -theta * np.sin(theta * x), "theta": lambda x, theta: -x * np.sin(theta * x)},
    ... )
    >>> gradcheck.check(module, {"x": np.array([0.5, 1.5]), "theta": np.array(2.0)}).verdict
    <Verdict.PASS: 'pass'>
    """

    def backward(leaves: Mapping[str, Array], a_bar: Array) -> dict[str, Array]:
        if not isinstance(a_bar, np.ndarray):
            raise ModuleError("forward returned several outputs; local derivatives are those of a single one")
        return {
            leaf: _pull_back(leaf, np.asarray(derivative(**leaves)), a_bar, np.shape(leaves[leaf]))
            for leaf, derivative in derivatives.items()
        }

    return FunctionModule(
        forward, backward, name or function_name(forward), inputs or {}, parameters or {}, outputs or {}
    )


def _pull_back(leaf: str, derivative: Array, a_bar: Array, shape: tuple[int, ...]) -> Array:
    """x̄ = Σ_i ā_i ∂a_i/∂x, from the full Jacobian or from its diagonal."""
    if derivative.shape == a_bar.shape + shape:
        return np.tensordot(a_bar, derivative, axes=a_bar.ndim)
    if derivative.shape == a_bar.shape:
        return _sum_to(a_bar * derivative, shape, leaf)
    raise ModuleError(
        f"the derivative by {leaf!r} has shape {derivative.shape}; expected that of the output,"
        f" {a_bar.shape} (elementwise), or output and leaf together, {a_bar.shape + shape} (full Jacobian)"
    )


def _sum_to(gradient: Array, shape: tuple[int, ...], leaf: str) -> Array:
    """Sum over the axes along which the leaf was broadcast."""
    extra = gradient.ndim - len(shape)
    if extra < 0 or np.broadcast_shapes(shape, gradient.shape) != gradient.shape:
        raise ModuleError(
            f"the derivative by {leaf!r} is elementwise, but a leaf of shape {shape} does not broadcast to"
            f" the output's shape {gradient.shape}"
        )
    summed = gradient.sum(axis=tuple(range(extra)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return np.asarray(summed.sum(axis=stretched, keepdims=True))


def from_jacobian(
    fun: Callable[..., Any],
    jac: Callable[..., Any],
    *,
    inputs: Mapping[str, Declaration] | None = None,
    name: str | None = None,
) -> Module:
    """Make a Module of an objective ``fun(x)`` and its ``jac(x)``, as given to an optimiser.

    Arguments:
        fun: gives a number or an array for the array x.
        jac: gives the gradient in the shape of x (for a number), or the Jacobian in the shape of
            fun(x) followed by that of x.
        inputs: the declaration of ``"x"``; not needed where an array is given to ``check``.
        name: name in reports; that of ``fun`` if left out.

    >>> import numpy as np, gradcheck
    >>> bowl = gradcheck.from_jacobian(lambda x: x @ x, lambda x: 2 * x)
    >>> gradcheck.check(bowl, {"x": np.array([1.0, 2.0])}).verdict
    <Verdict.PASS: 'pass'>
    """

    def backward(leaves: Mapping[str, Array], a_bar: Array) -> dict[str, Array]:
        x, jacobian = leaves["x"], np.asarray(jac(leaves["x"]))
        expected = a_bar.shape + x.shape
        # An objective that gives a single number in an array of one entry has a gradient, not a matrix.
        if jacobian.shape != expected and not (a_bar.size == 1 and jacobian.shape == x.shape):
            raise ModuleError(f"jac(x) has shape {jacobian.shape}; expected {expected}, fun(x) being {a_bar.shape}")
        return {"x": np.tensordot(a_bar, jacobian.reshape(expected), axes=a_bar.ndim)}

    def forward(x: Array) -> Array:
        value = np.asarray(fun(x))
        # Objectives that count or compare return whole numbers; anything else is judged as it comes.
        return value.astype(np.float64) if value.dtype.kind in "iub" else value

    return FunctionModule(forward, backward, name or function_name(fun), inputs or {})
