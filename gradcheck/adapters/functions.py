"""Plain functions as a Module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Signature
from typing import Any

from gradcheck.values.aliases import Array, Outputs, Saved
from gradcheck.values.declarations import Declaration
from gradcheck.values.module import Module, signature_of


@dataclass(frozen=True)
class FunctionModule(Module):
    """A forward and a backward that are pure functions of the leaves."""

    forward_function: Callable[..., Outputs]
    backward_function: Callable[[Mapping[str, Array], Any], Mapping[str, Array]]
    name: str = ""
    inputs: Mapping[str, Declaration] = field(default_factory=dict)
    parameters: Mapping[str, Declaration] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    jvp_function: Callable[[Mapping[str, Array], Mapping[str, Array]], Outputs] | None = None
    double_backward_function: Callable[..., Mapping[str, Array]] | None = None

    @property
    def has_jvp(self) -> bool:
        return self.jvp_function is not None

    @property
    def has_double_backward(self) -> bool:
        return self.double_backward_function is not None

    @property
    def origin(self) -> object:
        return self.backward_function

    @property
    def signature(self) -> Signature | None:
        return signature_of(self.forward_function)

    def forward(self, **leaves: Array) -> tuple[Outputs, Saved]:
        return self.forward_function(**leaves), leaves

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        return self.backward_function(saved, cotangent)

    def jvp(self, saved: Saved, tangents: Mapping[str, Array], /) -> Outputs:
        return super().jvp(saved, tangents) if self.jvp_function is None else self.jvp_function(saved, tangents)

    def double_backward(self, saved: Saved, cotangent: Any, gradients: Mapping[str, Array], /) -> Mapping[str, Array]:
        if self.double_backward_function is None:
            return super().double_backward(saved, cotangent, gradients)
        return self.double_backward_function(saved, cotangent, gradients)


def from_functions(
    forward: Callable[..., Outputs],
    backward: Callable[[Mapping[str, Array], Any], Mapping[str, Array]],
    *,
    inputs: Mapping[str, Declaration] | None = None,
    parameters: Mapping[str, Declaration] | None = None,
    outputs: Mapping[str, str] | None = None,
    name: str | None = None,
    jvp: Callable[[Mapping[str, Array], Mapping[str, Array]], Outputs] | None = None,
    double_backward: Callable[..., Mapping[str, Array]] | None = None,
) -> Module:
    """Make a Module of plain functions.

    Arguments:
        forward: ``forward(**leaves)`` gives the output array, or a dict of several.
        backward: ``backward(leaves, cotangent)`` gives a dict with a gradient for every leaf, in the
            leaf's shape; the cotangent has the structure of the output.
        inputs, parameters, outputs: declarations; not needed where arrays are given to ``check``.
        name: name in reports; that of ``forward`` if left out.
        jvp: ``jvp(leaves, tangents)`` gives the tangent of the output, if there is a forward mode to verify.
        double_backward: ``double_backward(leaves, cotangent, gradients)`` pulls cotangents of the gradients back
            to every leaf and to the cotangent ``a_bar``, if there is a second order to verify.

    >>> import numpy as np, gradcheck
    >>> square = gradcheck.from_functions(
    ...     lambda x: x**2, lambda leaves, a_bar: {"x": 2 * leaves["x"] * a_bar}, name="square"
    ... )
    >>> gradcheck.check(square, {"x": np.array([1.0, -2.0])}).verdict
    <Verdict.PASS: 'pass'>
    """
    return FunctionModule(
        forward,
        backward,
        name or function_name(forward),
        inputs or {},
        parameters or {},
        outputs or {},
        jvp,
        double_backward,
    )


def function_name(function: object) -> str:
    """What a function calls itself; a lambda has no name worth printing."""
    name = str(getattr(function, "__qualname__", type(function).__name__)).rpartition(".")[2]
    return "module" if name == "<lambda>" else name
