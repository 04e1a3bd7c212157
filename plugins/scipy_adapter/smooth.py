"""A function with the derivatives that it is given to an optimiser with, as a Module."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import Signature, signature
from typing import Any

import numpy as np

from gradcheck.adapters.local_derivatives import from_jacobian
from gradcheck.plugins.scipy_adapter.bounds import Box
from gradcheck.plugins.scipy_adapter.matrices import is_operator, matrix_of, pulled_back, pushed_forward
from gradcheck.values.aliases import Array, Outputs, Saved
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module

# Of x, the cotangent of the output, and a vector u: Σ_k ā_k H_kᵀ u.
Curvature = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True)
class SmoothFunction(Module):
    """``fun(x)`` with its Jacobian, and its Hessian if that is there; neither is evaluated outside the bounds.

    Arguments:
        fun, jac: of x alone.
        curvature: the product with the second derivative.
        operator: whether jac gives LinearOperators, which have two derivatives to verify: matvec and rmatvec.
        inputs, parameters: the declaration of x, if there are bounds. It is a parameter where they do not tell how many
            entries it has: of an input others than the given ones would be tried.
        origin: the function of the user that an editor should open.
    """

    fun: Callable[[Array], Any]
    jac: Callable[[Array], Any]
    curvature: Curvature | None = None
    operator: bool = False
    name: str = ""
    inputs: Mapping[str, Declaration] = field(default_factory=dict)
    parameters: Mapping[str, Declaration] = field(default_factory=dict)
    origin: object = None

    @property
    def has_jvp(self) -> bool:
        """Whether matvec is to be verified."""
        return self.operator

    @property
    def has_double_backward(self) -> bool:
        """Whether there is a Hessian."""
        return self.curvature is not None

    @property
    def signature(self) -> Signature:
        """It takes x."""
        return signature(lambda x: x)

    def forward(self, **leaves: Array) -> tuple[Outputs, Saved]:
        """fun(x), of a vector."""
        if leaves["x"].ndim != 1:
            raise ModuleError(f"x has shape {leaves['x'].shape}; SciPy's functions take a vector: give x.ravel()")
        value = from_jacobian(self.fun, self.jac).forward
        parts = [weight * np.asarray(value(x=point)[0]) for weight, point, _ in self._points(leaves["x"])]
        return np.asarray(sum(parts)), leaves["x"]

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        """x̄ = Jᵀ ā."""
        return {"x": self.backward_batch(saved, cotangent[np.newaxis])["x"][0]}

    def backward_batch(self, saved: Saved, cotangents: Any, /) -> Mapping[str, Array]:
        """The same for many cotangents, with one evaluation of jac."""
        rows = cotangents.reshape(len(cotangents), -1)
        parts = [
            weight * by_x.ravel() * pulled_back(self._jacobian(point, cotangents.shape[1:]), rows)
            for weight, point, by_x in self._points(saved)
        ]
        return {"x": np.asarray(sum(parts)).reshape(len(cotangents), *saved.shape)}

    def jvp(self, saved: Saved, tangents: Mapping[str, Array], /) -> Outputs:
        """J ẋ."""
        shape = np.asarray(self.forward(x=saved)[0]).shape
        parts = [
            weight * pushed_forward(self._jacobian(point, shape), (by_x * tangents["x"]).ravel())
            for weight, point, by_x in self._points(saved)
        ]
        return np.asarray(sum(parts)).reshape(shape)

    def double_backward(self, saved: Saved, cotangent: Any, gradients: Mapping[str, Array], /) -> Mapping[str, Array]:
        """Of ⟨u, Jᵀ ā⟩ with u a cotangent of the gradient: Σ_k ā_k H_kᵀ u by x, and J u by ā."""
        if self.curvature is None:
            return super().double_backward(saved, cotangent, gradients)
        by_leaf, by_cotangent = [], []
        for weight, point, by_x in self._points(saved):
            vector = by_x * gradients["x"]
            by_leaf.append(weight * by_x * self.curvature(point, cotangent, vector))
            by_cotangent.append(weight * pushed_forward(self._jacobian(point, cotangent.shape), vector.ravel()))
        return {"x": np.asarray(sum(by_leaf)), "a_bar": np.asarray(sum(by_cotangent)).reshape(cotangent.shape)}

    def _points(self, x: Array) -> Iterator[tuple[float, Array, Array]]:
        """The legal points that stand for x, with their weights and their derivatives by x: x itself, in the bounds."""
        domain = self.leaves["x"].domain if self.leaves else None
        return domain.mirrored(x) if isinstance(domain, Box) else iter([(1.0, x, np.ones(x.shape))])

    def _jacobian(self, x: Array, outputs: tuple[int, ...]) -> Any:
        returned = self.jac(x)
        if is_operator(returned) and not self.operator:
            raise ModuleError(
                "jac(x) returned a LinearOperator, which has two derivatives, matvec and rmatvec; give operator=True"
                " to from_scipy, so that both are verified"
            )
        return matrix_of(returned, "jac(x)", outputs, x.shape)
