"""Objects that keep state between forward and backward, as people write them, as a Module."""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gradcheck.adapters.storage import Storage, storage_of
from gradcheck.values.aliases import Array, Leaves, Outputs, Saved, Sizes
from gradcheck.values.declarations import Declaration, like
from gradcheck.values.errors import DeclarationError, ModuleError
from gradcheck.values.module import Module


@dataclass(frozen=True, kw_only=True)
class ObjectModule(Module):
    """A class whose ``forward`` stores state and whose ``backward`` gives dx and fills gradients.

    Every forward works on a deep copy of one prototype, and every backward on a deep copy of what
    forward left behind, so that no state gets from one evaluation into another.
    """

    make: Callable[..., Any]
    inputs: Mapping[str, Declaration]
    declared_parameters: Mapping[str, Declaration]
    outputs: Mapping[str, str]
    gradients: Mapping[str, str] | None
    returns: Sequence[str]
    name: str
    sizes: Sizes = field(default_factory=dict)

    @cached_property
    def origin(self) -> object:
        return getattr(self.make, "backward", self.make)

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        declared = {**self.inputs, **self.declared_parameters}
        found = [symbol for leaf in declared.values() for symbol in leaf.symbols]
        return tuple(dict.fromkeys([*found, *_required(self.make)]))

    @cached_property
    def parameters(self) -> Mapping[str, Declaration]:
        if _unknown(self.make, self.sizes):
            return self.declared_parameters
        return {leaf: self.declared_parameters.get(leaf, like(value)) for leaf, value in self.defaults.items()}

    @cached_property
    def defaults(self) -> Leaves:
        return {} if _unknown(self.make, self.sizes) else self.storage.parameters(self.prototype)

    def at(self, sizes: Sizes) -> "ObjectModule":
        sizes = {**self.sizes, **sizes}
        if _unknown(self.make, sizes):
            raise DeclarationError(
                f"{self.name} cannot be made: the size of {', '.join(_unknown(self.make, sizes))} is told neither"
                f" by the arrays nor by the declarations; give a function without arguments,"
                f" from_object(lambda: {self.name}(...), ...)"
            )
        return replace(self, sizes=sizes)

    @cached_property
    def prototype(self) -> Any:
        """One object for these sizes, never run itself."""
        wanted = inspect.signature(self.make).parameters
        try:
            return self.make(**{symbol: size for symbol, size in self.sizes.items() if symbol in wanted})
        except Exception as error:
            raise ModuleError(f"{self.name}: making the object raised {type(error).__name__}: {error}") from error

    @cached_property
    def storage(self) -> Storage:
        """Where the object keeps parameters and gradients."""
        return storage_of(self.prototype, self.gradients, self.name)

    def forward(self, **leaves: Array) -> tuple[Outputs, Saved]:
        worker = copy.deepcopy(self.prototype)
        self.storage.set_parameters(worker, {leaf: leaves[leaf] for leaf in self.parameters})
        return worker.forward(*(leaves[leaf] for leaf in self.inputs)), worker

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        worker = copy.deepcopy(saved)
        returned = worker.backward(cotangent)
        return {**self._returned(returned), **self.storage.gradients(worker)}

    def _returned(self, returned: object) -> dict[str, Any]:
        if isinstance(returned, Mapping):
            return dict(returned)
        values = returned if isinstance(returned, tuple) else (returned,)
        if returned is None and not self.returns:
            return {}
        if len(values) != len(self.returns):
            raise ModuleError(
                f"backward returned {len(values)} values; expected one for each of {', '.join(self.returns)}:"
                f" name what it returns, in order, with returns=(...)"
            )
        return dict(zip(self.returns, values, strict=True))


def from_object(
    make: Callable[..., Any],
    *,
    inputs: Mapping[str, Declaration],
    parameters: Mapping[str, Declaration] | None = None,
    outputs: Mapping[str, str] | None = None,
    gradients: Mapping[str, str] | None = None,
    returns: Sequence[str] | None = None,
    name: str | None = None,
) -> Module:
    """Make a Module of a class with a stateful ``forward(x)`` and ``backward(da)``.

    Arguments:
        make: the class, or a function that makes an object. Its arguments are dimension symbols, so
            that the object can be verified at several sizes.
        inputs: the arguments of ``forward``, in order.
        parameters: declarations of parameters whose values are not just any numbers; the others are
            found on the object.
        gradients: for objects that keep arrays in attributes, the attribute of the gradient for each
            attribute of a parameter: ``{"W": "dW"}``. Not needed for dicts ``params`` and ``grads``.
        returns: the leaves whose gradients ``backward`` returns, in order; the differentiable inputs
            if left out.
        outputs, name: as in ``from_functions``.

    Raises DeclarationError if the object keeps arrays of which it cannot be told whether they are
    parameters; ``check`` raises it if ``make`` needs a size that nothing tells.

    >>> import numpy as np, gradcheck
    >>> class Affine:
    ...     def __init__(self, D, M):
    ...         self.params = {"W": np.ones((D, M)), "b": np.zeros(M)}
    ...         self.grads = {}
    ...
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x @ self.params["W"] + self.params["b"]
    ...
    ...     def backward(self, da):
    ...         self.grads["W"], self.grads["b"] = self.x.T @ da, da.sum(axis=0)
    ...         return da @ self.params["W"].T
    >>> module = gradcheck.from_object(Affine, inputs={"x": gradcheck.real("N D")})
    >>> gradcheck.check(module).verdict
    <Verdict.PASS: 'pass'>
    """
    named = name or getattr(make, "__name__", "").replace("<lambda>", "") or "object"
    return ObjectModule(
        make=make,
        inputs=inputs,
        declared_parameters=parameters or {},
        outputs=outputs or {},
        gradients=gradients,
        returns=tuple(returns) if returns is not None else tuple(k for k, v in inputs.items() if v.differentiable),
        name=named,
    )


def _unknown(make: Callable[..., Any], sizes: Sizes) -> tuple[str, ...]:
    return tuple(argument for argument in _required(make) if argument not in sizes)


def _required(make: Callable[..., Any]) -> tuple[str, ...]:
    """The arguments without a default: dimension symbols that must be known before an object exists."""
    positional = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    arguments = inspect.signature(make).parameters.values()
    return tuple(a.name for a in arguments if a.kind in positional and a.default is a.empty)
