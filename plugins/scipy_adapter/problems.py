"""Objectives, residuals, systems of equations and constraints, as Modules."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import BFGS, HessianUpdateStrategy, NonlinearConstraint

from gradcheck.adapters.functions import function_name
from gradcheck.plugins.scipy_adapter.bounds import Box, declared
from gradcheck.plugins.scipy_adapter.matrices import matrix_of, multiplied
from gradcheck.plugins.scipy_adapter.smooth import Curvature, SmoothFunction
from gradcheck.values.aliases import Array
from gradcheck.values.entry import entry_path
from gradcheck.values.errors import ModuleError, TargetError
from gradcheck.values.module import Module


def from_scipy(
    fun: Callable[..., Any],
    jac: Any,
    *,
    hess: Any = None,
    hessp: Callable[..., Any] | None = None,
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    bounds: Any = None,
    operator: bool = False,
    name: str | None = None,
) -> Module:
    """Make a Module of what ``minimize``, ``least_squares`` or ``root`` of ``scipy.optimize`` are given.

    Arguments:
        fun: ``fun(x, *args)`` gives a number or an array.
        jac: ``jac(x, *args)`` gives the gradient or the Jacobian: an array, a sparse matrix or array, or a
            LinearOperator; True if ``fun`` gives the pair of value and derivative.
        hess: ``hess(x, *args)`` gives the Hessian of a number, in the same forms; verified against jac.
        hessp: ``hessp(x, p, *args)`` gives its product with a vector; either this or hess.
        args, kwargs: what the functions are given beside x.
        bounds: a ``scipy.optimize.Bounds`` or a pair (lower, upper) for every entry of x, None for no bound. Nothing is
            evaluated outside; at a bound derivatives are one-sided. An entry with lower = upper counts as constant.
        operator: whether jac gives LinearOperators; then matvec is verified as well as rmatvec.
        name: name in reports; that of ``fun`` if left out.

    Raises TargetError, or DeclarationError for the bounds, if there is nothing to verify or it cannot be read.

    >>> import numpy as np, gradcheck
    >>> from scipy.optimize import rosen, rosen_der, rosen_hess
    >>> module = from_scipy(rosen, rosen_der, hess=rosen_hess, bounds=[(0, 2), (1, None)])
    >>> gradcheck.check(module, {"x": np.array([0.5, 1.0])}).verdict
    <Verdict.PASS: 'pass'>
    """
    extra = args if isinstance(args, tuple) else (args,)
    options = dict(kwargs or {})
    value, derivative = _pair(fun, jac, extra, options)
    return _bounded(
        SmoothFunction(
            fun=value,
            jac=derivative,
            curvature=_curvature(hess, hessp, extra),
            operator=operator,
            name=name or function_name(fun),
            origin=jac if callable(jac) else fun,
        ),
        bounds,
    )


def from_constraint(constraint: NonlinearConstraint, *, bounds: Any = None, name: str | None = None) -> Module:
    """Make a Module of a ``NonlinearConstraint``, whose ``hess(x, v)`` is verified if it is a function.

    Arguments:
        bounds, name: as in ``from_scipy``; the constraint's own lb and ub are about fun, and bound no x.

    Raises TargetError if its ``jac`` is not a function.
    """
    fun, jac, hess = constraint.fun, constraint.jac, constraint.hess
    if not callable(jac):
        raise _nothing_to_verify("jac", jac)
    if hess is not None and not callable(hess) and not isinstance(hess, BFGS):  # BFGS() is what it is by default
        raise _nothing_to_verify("hess", hess)

    def curvature(x: Array, a_bar: Array, vector: Array) -> Array:
        return multiplied(matrix_of(hess(x, np.atleast_1d(a_bar)), "hess(x, v)", x.shape, x.shape), vector)

    known = curvature if callable(hess) else None
    return _bounded(SmoothFunction(fun, jac, known, name=name or function_name(fun), origin=jac), bounds)


def _pair(
    fun: Callable[..., Any], jac: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Callable[[Array], Any], Callable[[Array], Any]]:
    """The function and its derivative as functions of x alone."""
    if callable(jac):
        return lambda x: fun(x, *args, **kwargs), lambda x: jac(x, *args, **kwargs)
    if jac is not True:
        raise _nothing_to_verify("jac", jac)

    def both(x: Array) -> tuple[Any, Any]:
        returned = fun(x, *args, **kwargs)
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise ModuleError(
                f"fun(x) returned a {type(returned).__name__}; with jac=True expected the pair (value, derivative)"
            )
        return returned

    return lambda x: both(x)[0], lambda x: both(x)[1]


def _curvature(hess: Any, hessp: Any, args: tuple[Any, ...]) -> Curvature | None:
    """The product with the Hessian of a number, from whichever function there is."""
    if hess is None and hessp is None:
        return None
    if hess is not None and hessp is not None:
        raise TargetError(
            "hess and hessp were both given, and SciPy uses hess only: give one, and verify the other by itself"
        )
    for what, given in (("hess", hess), ("hessp", hessp)):
        if given is not None and not callable(given):
            raise _nothing_to_verify(what, given)

    def curvature(x: Array, a_bar: Array, vector: Array) -> Array:
        if a_bar.size != 1:
            raise ModuleError(
                f"{'hess' if hess is not None else 'hessp'} is the second derivative of a number, but fun(x) has shape"
                f" {a_bar.shape}: give the function in a NonlinearConstraint, with hess(x, v)"
            )
        if hess is not None:
            return float(a_bar.reshape(())) * multiplied(matrix_of(hess(x, *args), "hess(x)", x.shape, x.shape), vector)
        product: Array = np.asarray(hessp(x, vector, *args))
        if product.shape != x.shape:
            raise ModuleError(f"hessp(x, p) returned shape {product.shape}; expected that of x, {x.shape}")
        return float(a_bar.reshape(())) * product

    return curvature


def _nothing_to_verify(what: str, given: object) -> TargetError:
    if isinstance(given, HessianUpdateStrategy):
        reason = "with it SciPy builds the Hessian up from gradients"
    elif isinstance(given, str):
        reason = "with it SciPy takes differences itself"
    else:
        reason = "with it SciPy has no derivative of yours"
    default = ", or True if fun gives both" if what == "jac" else f", or leave {what} out"
    shown = type(given).__name__ if isinstance(given, HessianUpdateStrategy) else repr(given)
    return TargetError(f"{what} is {shown}: {reason}, and nothing is there to verify; give a function{default}")


def _bounded(module: SmoothFunction, bounds: Any) -> Module:
    """The module with bounds for x, if there are any, and with a name that tells which entries they hold."""
    declaration = declared(bounds)
    if declaration is None:
        return module
    domain = declaration.domain
    held = np.argwhere(domain.held).tolist() if isinstance(domain, Box) else []
    places = f" (held by its bounds: {', '.join(entry_path('x', index) for index in held)})" if held else ""
    sized, unsized = ({}, {"x": declaration}) if declaration.symbols else ({"x": declaration}, {})
    return replace(module, name=f"{module.name}{places}", inputs=sized, parameters=unsized)
