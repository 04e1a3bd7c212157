"""Functions of JAX made into Modules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from gradcheck.adapters.functions import function_name
from gradcheck.adapters.signatures import bindable, names_at, require_fitting
from gradcheck.plugins.jax_adapter.calling import by_name
from gradcheck.plugins.jax_adapter.framework import error_of, jax, precision_for
from gradcheck.plugins.jax_adapter.jax_module import JaxModule
from gradcheck.plugins.jax_adapter.trees import Arguments, array_of
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import PointError, TargetError
from gradcheck.values.module import signature_of

DTYPES = (None, "float64", "native")


def from_jax(
    function: Callable[..., Any],
    *,
    arguments: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    outputs: Mapping[str, str] | None = None,
    name: str | None = None,
    nondiff_argnums: Sequence[int] = (),
    jit: bool = True,
    dtype: str | None = None,
    order: int = 2,
) -> JaxModule:
    """Make a Module of a function of JAX: any function, a ``jax.custom_vjp`` or ``jax.custom_jvp``, a compiled one.

    What is given as ``arguments`` or declared may be a pytree; its leaves are called ``params.dense.w``, ``x[0]``.

    Arguments:
        function: takes arrays, or pytrees of them, and returns such.
        arguments: their values by name. Arrays and floats are leaves, of which those of floating-point numbers are
            differentiated; strings, functions, Python's integers and keys of generators are handed on as they are.
            Not needed if every argument is one array, or declared.
        inputs, parameters, outputs: declarations; not needed where arrays are given to ``check``.
        name: name in reports; that of the function if left out.
        nondiff_argnums: positions of arguments that are handed on as they are, beside those that a ``custom_vjp``
            or ``custom_jvp`` names itself.
        jit: whether to compile the function; what looks at values, and cannot be compiled, is run as it is.
        dtype: ``"native"`` leaves ``arguments`` in the precision that they have, ``"float64"`` casts them; without it
            they are cast unless the function does not take that. Arrays given to ``check`` are never cast.
        order: 1 leaves out second derivatives.

    Forward mode and second order are verified where JAX has them, and where ``arguments`` or declarations tell the
    shapes beforehand.

    >>> import gradcheck, jax.numpy as jnp, numpy as np
    >>> module = from_jax(lambda params, x: jnp.tanh(x @ params["w"]), name="layer",
    ...                   arguments={"params": {"w": np.ones((3, 2))}, "x": np.ones((4, 3))})
    >>> list(module.defaults)
    ['params.w', 'x']
    """
    name, signature = name or name_of(function), signature_of(function)
    if nondiff_argnums and arguments is None:
        raise TargetError(f"{name}: nondiff_argnums is {nondiff_argnums}; give their values as well: arguments={{...}}")
    if dtype not in DTYPES:
        raise TargetError(f"{name}: dtype is {dtype!r}; expected 'float64', 'native' or None")
    constant = names_at(signature, (*nondiff_argnums, *_declared_constant(function)), name)
    declared = _declarations(inputs or {}, name), _declarations(parameters or {}, name)
    module = JaxModule(
        by_name(function),
        name,
        inputs=declared[0],
        parameters=declared[1],
        outputs=outputs or {},
        jit=jit,
        order=order,
        origin=_origin(function),
        signature=bindable(signature) if arguments is None else None,
    )
    if arguments is None:
        structure = Arguments.of({**(inputs or {}), **(parameters or {})})[0] if any(declared) else None
        return replace(module, arguments=structure)
    require_fitting(signature, arguments, name)
    return _with_arguments(module, arguments, constant, dtype)


def _with_arguments(
    module: JaxModule, arguments: Mapping[str, Any], constant: Sequence[str], dtype: str | None
) -> JaxModule:
    """The module with arguments, in the precision that is wanted or that it takes."""
    structure, given = Arguments.of(arguments, constant)

    def at(wide: bool) -> JaxModule:
        defaults = {leaf: array_of(value, wide) for leaf, value in given.items()}
        return replace(module, arguments=structure, defaults=defaults)

    wide, native = at(True), at(False)
    coarse = [leaf for leaf, value in native.defaults.items() if value.dtype.kind == "V"]
    if dtype == "native" and coarse:
        raise PointError(
            f"{module.name}: {', '.join(coarse)} has dtype {native.defaults[coarse[0]].dtype}, in which steps are too"
            f" coarse to be differentiated: let it be cast, dtype='float64', or give float32"
        )
    if dtype == "native":
        return native
    is_cast = any(native.defaults[leaf].dtype != value.dtype for leaf, value in wide.defaults.items())
    if dtype is None and is_cast and not coarse and _error_of(wide) is not None and _error_of(native) is None:
        return replace(native, name=f"{module.name} (dtype='native')")
    return wide


def _error_of(module: JaxModule) -> Exception | None:
    """Why the function cannot be differentiated at its own arguments, if so."""
    differentiated, others = module.apart(module.defaults)

    def derivative(leaves: Mapping[str, Any]) -> Any:
        returned, pull = jax.vjp(lambda given: module.derivatives.value(given, others), dict(leaves))
        return returned, pull

    with precision_for(module.defaults):
        return error_of(derivative, differentiated)


def _declared_constant(function: Any) -> tuple[int, ...]:
    """Where the arguments are that a custom_vjp or custom_jvp itself calls not differentiable."""
    return tuple(getattr(function, "nondiff_argnums", ()))


def _declarations(given: Mapping[str, Any], name: str) -> dict[str, Declaration]:
    """Declarations by the names of the leaves; raise TargetError for what is none."""
    structure, leaves = Arguments.of(given)
    for leaf in structure.leaves:
        if not isinstance(leaves.get(leaf), Declaration):
            raise TargetError(
                f"{name}: {leaf} is declared as {structure.constants.get(leaf, leaves.get(leaf))!r}; expected a"
                f" declaration such as real('N D'), or a pytree of them"
            )
    return leaves


def _origin(function: Any) -> object:
    """The rule that was written by hand, if there is one: the backward of a custom_vjp, the jvp of a custom_jvp."""
    rules = (getattr(function, rule, None) for rule in ("bwd", "jvp", "__wrapped__"))
    return next((rule for rule in rules if callable(rule)), function)


def name_of(function: Any) -> str:
    """What a function calls itself, under all that is bound to it."""
    return name_of(function.func) if isinstance(function, partial) else function_name(function)
