"""The class of a stateful object, as people write them, as a Module."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradcheck.adapters.construction import required_arguments
from gradcheck.adapters.object_module import ObjectModule
from gradcheck.values.declarations import Declaration
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.errors import DeclarationError
from gradcheck.values.module import Module
from gradcheck.values.settings import require_reasons


def from_object(
    make: Callable[..., Any],
    *,
    inputs: Mapping[str, Declaration],
    parameters: Mapping[str, Declaration] | None = None,
    outputs: Mapping[str, str] | None = None,
    gradients: Mapping[str, str] | None = None,
    returns: Sequence[str] | None = None,
    name: str | None = None,
    exclude: Sequence[str] = (),
    stochastic: bool = False,
    accumulates: bool | None = None,
    stacked: bool = False,
    waive: Mapping[str, str] | None = None,
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
        exclude: attributes with arrays that influence the output but are no parameters, such as running statistics.
        stochastic: whether ``forward`` draws random numbers from numpy's global generator or takes ``rng``; every
            evaluation then gets the same stream. An object with a generator of its own needs nothing.
        accumulates: whether ``backward`` adds to the gradients (True) or overwrites them (False); if left out
            either is accepted, but the same for all parameters and every time.
        stacked: whether several forwards may be followed by their backwards in reverse order.
        waive: behaviour probes that do not apply, each with the reason.

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
    require_reasons(waive or {})
    return ObjectModule(
        make=make,
        inputs=inputs,
        declared_parameters=parameters or {},
        outputs=outputs or {},
        gradients=gradients,
        returns=tuple(returns) if returns is not None else tuple(k for k, v in inputs.items() if v.differentiable),
        name=named,
        exclude=tuple(exclude),
        stochastic=stochastic,
        accumulates=accumulates,
        stacked=stacked,
        waive=waive or {},
    )


def _declarations(name: str, what: str, declared: Mapping[str, Declaration]) -> Mapping[str, Declaration]:
    fits = isinstance(declared, Mapping) and all(isinstance(value, Declaration) for value in declared.values())
    if not fits:
        raise DeclarationError(f"{name}: {what} is {declared!r}; expected declarations such as {{'x': real('N D')}}")
    return declared
