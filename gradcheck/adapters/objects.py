"""Objects that keep state between forward and backward, as people write them, as a Module."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from gradcheck.adapters.construction import constructed, required_arguments, takes_no_argument, unknown_arguments
from gradcheck.adapters.storage import Storage, storage_of
from gradcheck.values.aliases import Array, Leaves, Outputs, Saved, Sizes
from gradcheck.values.declarations import Declaration, like
from gradcheck.values.dimensions import Dimensions
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
        return tuple(dict.fromkeys([*found, *required_arguments(self.make)]))

    @cached_property
    def parameters(self) -> Mapping[str, Declaration]:
        if unknown_arguments(self.make, self.sizes):
            return self.declared_parameters
        absent = [leaf for leaf in self.declared_parameters if leaf not in self.defaults]
        if absent:
            raise DeclarationError(
                f"{self.name} has no parameter {', '.join(absent)}; it has {', '.join(self.defaults) or 'none'}"
            )
        return {leaf: self.declared_parameters.get(leaf, like(value)) for leaf, value in self.defaults.items()}

    @cached_property
    def defaults(self) -> Leaves:
        return {} if unknown_arguments(self.make, self.sizes) else self.storage.parameters(self.prototype)

    def at(self, sizes: Sizes) -> "ObjectModule":
        sizes = {**self.sizes, **sizes}
        unknown = unknown_arguments(self.make, sizes)
        if unknown:
            raise DeclarationError(
                f"{self.name} cannot be made: the size of {', '.join(unknown)} is told neither by the arrays nor by"
                f" the declarations; give a function without arguments, from_object(lambda: {self.name}(...), ...)"
            )
        return replace(self, sizes=sizes)

    @cached_property
    def prototype(self) -> Any:
        """One object for these sizes, never run itself."""
        return constructed(self.make, self.sizes, self.name)

    @cached_property
    def storage(self) -> Storage:
        """Where the object keeps parameters and gradients."""
        return storage_of(self.prototype, self.gradients, self.name)

    def forward(self, **leaves: Array) -> tuple[Outputs, Saved]:
        worker = copy.deepcopy(self.prototype)
        self.storage.set_parameters(worker, {leaf: leaves[leaf] for leaf in self.parameters})
        return self._named(worker.forward(*(leaves[leaf] for leaf in self.inputs))), worker

    def _named(self, outputs: Any) -> Outputs:
        """Outputs as they come, but several in a tuple by their declared names."""
        if not isinstance(outputs, tuple):
            return cast(Outputs, outputs)
        if len(outputs) != len(self.outputs):
            raise ModuleError(
                f"forward returned a tuple of {len(outputs)}, but {len(self.outputs)} outputs are declared: name"
                f" them in order, outputs={{'a': 'N M', ...}}"
            )
        return dict(zip(self.outputs, outputs, strict=True))

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        worker = copy.deepcopy(saved)
        if takes_no_argument(worker.backward):
            # A loss whose backward takes no cotangent stands for the cotangent 1; x̄ = Jᵀ ā does the rest.
            gradients = {**self._returned(worker.backward()), **self.storage.gradients(worker)}
            return {leaf: _times(gradient, cotangent) for leaf, gradient in gradients.items()}
        several = isinstance(cotangent, dict)
        returned = worker.backward(*cotangent.values()) if several else worker.backward(cotangent)
        return {**self._returned(returned), **self.storage.gradients(worker)}

    def _returned(self, returned: object) -> dict[str, Any]:
        """Gradients by leaf, from what backward returned in order."""
        if isinstance(returned, Mapping):
            return dict(returned)
        if returned is None and not self.returns:
            return {}
        in_order = isinstance(returned, tuple) or (isinstance(returned, list) and len(self.returns) > 1)
        values = tuple(cast("tuple[Any, ...]", returned)) if in_order else (returned,)
        names = tuple(self.returns)
        if len(values) == len(self.inputs) > len(names):
            names = tuple(self.inputs)  # labels and masks among them, for which None is returned
        if len(values) != len(names):
            raise ModuleError(
                f"backward returned {len(values)} values; expected one for each of {', '.join(names)}:"
                f" name what it returns, in order, with returns=(...)"
            )
        given = zip(names, values, strict=True)
        return {leaf: value for leaf, value in given if value is not None or leaf in self.returns}


def _times(gradient: Any, cotangent: Any) -> Any:
    if np.size(cotangent) != 1:
        raise ModuleError("backward takes no cotangent, which only a module with a single number as output can do")
    return None if gradient is None else np.asarray(gradient) * np.reshape(cotangent, ())


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
        make: the class, or a function that makes an object. Its arguments are dimension symbols of the
            inputs and outputs, so that the object can be verified at several sizes.
        inputs: the arguments of ``forward``, in order.
        parameters: declarations of parameters whose values are not just any numbers; the others are
            found on the object.
        gradients: for objects that keep arrays in attributes, the attribute of the gradient for each
            attribute of a parameter: ``{"W": "dW"}``. Not needed for dicts ``params`` and ``grads``.
        returns: the leaves whose gradients ``backward`` returns, in order; the differentiable inputs
            if left out.
        outputs, name: as in ``from_functions``; outputs that ``forward`` returns in a tuple, in order.

    Raises DeclarationError if an argument of ``make`` is no dimension; ``check`` raises it if ``make`` needs a
    size that nothing tells, or if the object keeps arrays of which nobody said whether they are parameters.

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
    >>> module = gradcheck.from_object(Affine, inputs={"x": gradcheck.real("N D")}, outputs={"a": "N M"})
    >>> gradcheck.check(module).verdict
    <Verdict.PASS: 'pass'>
    """
    named = name or getattr(make, "__name__", type(make).__name__).replace("<lambda>", "object")
    declared = {**_declarations(named, "inputs", inputs), **_declarations(named, "parameters", parameters or {})}
    if not callable(make) or (callable(getattr(make, "backward", None)) and not isinstance(make, type)):
        raise DeclarationError(
            f"from_object was given {named}, an object; expected its class, or a function that makes one: every"
            f" evaluation works on an object of its own"
        )
    dimensions = (Dimensions.parse(text) for text in (outputs or {}).values())
    symbols = {symbol for leaf in declared.values() for symbol in leaf.symbols}
    symbols |= {symbol for axes in dimensions for symbol in axes.symbols}
    strange = [argument for argument in required_arguments(make) if argument not in symbols]
    if strange:
        raise DeclarationError(
            f"{named} takes {', '.join(strange)}, which no input and no output names as a dimension: declare"
            f" outputs={{'a': 'N {strange[0]}'}}, or give a function without arguments, lambda: {named}(...)"
        )
    return ObjectModule(
        make=make,
        inputs=inputs,
        declared_parameters=parameters or {},
        outputs=outputs or {},
        gradients=gradients,
        returns=tuple(returns) if returns is not None else tuple(k for k, v in inputs.items() if v.differentiable),
        name=named,
    )


def _declarations(name: str, what: str, declared: Mapping[str, Declaration]) -> Mapping[str, Declaration]:
    fits = isinstance(declared, Mapping) and all(isinstance(value, Declaration) for value in declared.values())
    if not fits:
        raise DeclarationError(f"{name}: {what} is {declared!r}; expected declarations such as {{'x': real('N D')}}")
    return declared
