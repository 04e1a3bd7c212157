"""Functions of autograd made into Modules."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import Signature, getclosurevars
from typing import Any

import numpy as np

from gradcheck.adapters.functions import function_name
from gradcheck.adapters.signatures import bindable, bound, names_at, require_fitting
from gradcheck.plugins.autograd_adapter.autograd_module import AutogradModule
from gradcheck.plugins.autograd_adapter.framework import core, is_primitive
from gradcheck.plugins.autograd_adapter.tracing import Named
from gradcheck.plugins.autograd_adapter.trees import filled, leaves_in, places
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import PointError, TargetError
from gradcheck.values.module import signature_of


def from_autograd(
    function: Callable[..., Any],
    *,
    arguments: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Declaration] | None = None,
    parameters: Mapping[str, Declaration] | None = None,
    outputs: Mapping[str, str] | None = None,
    name: str | None = None,
    nondiff_argnums: Sequence[int] = (),
    order: int = 2,
) -> AutogradModule:
    """Make a Module of a function of autograd: one written with autograd.numpy, or a primitive with defvjp or defjvp.

    Arguments:
        function: takes arrays, or containers of them, and returns such.
        arguments: their values by name. Arrays and floats are leaves, in containers they are called ``params.w`` and
            ``x[0]``; what else there is, such as Python's integers, is handed on as it is. Not needed if every
            argument is one array.
        inputs, parameters, outputs: declarations; not needed where arrays are given to ``check``.
        name: name in reports; that of the function if left out.
        nondiff_argnums: positions of arguments that are handed on as they are.
        order: 1 leaves out second derivatives.

    Forward mode and second order are verified where autograd has them, and where ``arguments`` or declarations tell the
    shapes beforehand.

    >>> import autograd.numpy as anp, gradcheck, numpy as np
    >>> layer = from_autograd(lambda params, x: anp.tanh(anp.dot(x, params["w"])), name="layer",
    ...                       arguments={"params": {"w": np.eye(3, 2) + 1}, "x": np.ones((4, 3))})
    >>> gradcheck.check(layer, {}, checks=["gradient"]).verdict
    <Verdict.PASS: 'pass'>
    """
    name, signature = name or name_of(function), _signature(function)
    if nondiff_argnums and arguments is None:
        raise TargetError(f"{name}: nondiff_argnums is {nondiff_argnums}; give their values as well: arguments={{...}}")
    given = dict(arguments or {})
    if arguments is not None:
        require_fitting(signature, given, name)
    constant = names_at(signature, nondiff_argnums, name)
    kept = {key: value for key, value in given.items() if key not in constant}
    template = {key: places(value, key) if key in kept else value for key, value in given.items()}
    defaults = {leaf: np.asarray(value) for key, value in kept.items() for leaf, value in leaves_in(value, key).items()}

    def call(leaves: Named) -> Any:
        unknown = [leaf for leaf in leaves if leaf not in defaults]
        if arguments is not None and unknown:
            raise PointError(f"there is no leaf {unknown[0]!r}; the arguments have {', '.join(defaults) or 'none'}")
        values = leaves if arguments is None else {key: filled(value, leaves) for key, value in template.items()}
        # By position as far as that goes: autograd differentiates nothing that is given by name.
        positional, keywords = bound(signature, values)
        return function(*positional, **keywords)

    return AutogradModule(
        call,
        name,
        dict(inputs or {}),
        dict(parameters or {}),
        outputs or {},
        defaults,
        order,
        _origin(function),
        bindable(signature) if arguments is None else None,
    )


def name_of(function: Any) -> str:
    """What a function calls itself, under all that is bound to it."""
    if isinstance(function, partial):
        return name_of(function.func)
    return str(getattr(function, "__name__", "module")) if is_primitive(function) else function_name(function)


def _signature(function: Any) -> Signature | None:
    """The parameters of what a primitive wraps; none that are told of a ufunc, whose options are no arguments."""
    inner = function.fun if is_primitive(function) else function
    return None if isinstance(inner, np.ufunc) else signature_of(inner)


def _origin(function: Any) -> object:
    """The function that defines the gradient, where that can be found."""
    if not is_primitive(function):
        return function
    made = core.primitive_vjps.get(function)
    rules = {} if made is None else getclosurevars(made).nonlocals.get("vjps_dict", {})
    return next((rule for rule in rules.values()), function.fun)
