"""check_grads with the signature of jax.test_util, every coordinate by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.algebra.sampling import generator_for
from gradcheck.plugins.jax_adapter.building import from_jax
from gradcheck.plugins.jax_adapter.calling import positional_names
from gradcheck.plugins.jax_adapter.jax_module import JaxModule
from gradcheck.surfaces.report import Report, check
from gradcheck.values.aliases import Array
from gradcheck.values.errors import ConfigurationError, GradientMismatch

_MODES = {"fwd": "jvp", "rev": "gradient", "lin": "jvp"}
_TITLES = {"fwd": "JVP", "rev": "VJP", "lin": "LIN"}
_VALUES = ("dimensions", "values")
_LOOSEST, _STRICTEST, _DEFAULT = 1e-4, 1e-7, 1e-5


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Verify derivatives up to an order: in place of ``jax.test_util.check_grads``, which looks at one projection.

    Arguments:
        f: function to differentiate at ``f(*args)``; in float64 where it takes that.
        args: values of its arguments, arrays or pytrees of them.
        order: 1 for derivatives of f, 2 for those of its derivatives besides, and so on; each is perturbed by all its
            arguments, tangents and cotangents among them.
        modes: some of ``"fwd"``, ``"rev"`` and ``"lin"``, forward mode by ``jax.linearize``; those of forward mode are
            left out where a ``custom_vjp`` does not have them.
        rtol: threshold for every entry; looser than 1e-4 counts as that, stricter than 1e-7 as that.
        atol, eps: not needed, since steps are chosen and errors are measured for each coordinate.

    Raises GradientMismatch, an AssertionError, with the reports of what does not pass; ConfigurationError for an order
    or modes that there are not.
    """
    __tracebackhide__ = True
    del atol, eps
    _require(order, modes)
    threshold = _DEFAULT if rtol is None else min(max(rtol, _STRICTEST), _LOOSEST)
    names = positional_names(f, len(args))
    module = from_jax(f, arguments=dict(zip(names, args, strict=True)), order=1)
    failures = [str(report) for report in _reports(module, order, tuple(modes), threshold) if not report.passed]
    if failures:
        raise GradientMismatch("\n".join(failures))


def _reports(module: JaxModule, order: int, modes: tuple[str, ...], threshold: float) -> Iterator[Report]:
    """A report on a function, and on those of its derivatives of lower order."""
    kept = tuple(mode for mode in modes if mode == "rev" or module.has_jvp)
    if not kept:
        raise ConfigurationError(
            f"modes is {modes}, but {module.name} has no forward mode, since it calls a custom_vjp: use modes=('rev',)"
        )
    yield check(module, {}, threshold=threshold, checks=[*_VALUES, *(_MODES[mode] for mode in kept if mode != "lin")])
    linearised = replace(module, name=f"{module.name} linearised", linearised=True)
    if "lin" in kept:
        yield check(linearised, {}, threshold=threshold, checks=[_MODES["lin"]])
    if order > 1:
        for mode in kept:
            derivative = _derivative(linearised if mode == "lin" else module, mode)
            yield from _reports(derivative, order - 1, modes, threshold)


def _derivative(module: JaxModule, mode: str) -> JaxModule:
    """The derivative of a function as a function: of its leaves, and of the tangents or cotangents of all of them."""
    differentiated, others = module.apart(module.defaults)
    suffix = "_bar" if mode == "rev" else "_dot"
    moving = _outputs(module) if mode == "rev" else differentiated
    given = {f"{name}{suffix}": _generic(value, name) for name, value in moving.items()}

    def derivative(**leaves: Any) -> Any:
        at = {name: leaves[name] for name in differentiated}
        along = {name: leaves[f"{name}{suffix}"] for name in moving}
        if mode != "rev":
            return module.derivatives.pushed_forward(at, others, along)
        gradients = module.derivatives.pulled_back(at, others, along)
        return {f"{name}{suffix}": gradient for name, gradient in gradients.items()}

    name = f"{_TITLES[mode]} of {module.name}"
    return from_jax(derivative, arguments={**differentiated, **given}, name=name, dtype="native", order=1)


def _outputs(module: JaxModule) -> dict[str, Array]:
    returned = module.forward(**module.defaults)[0]
    return dict(returned) if isinstance(returned, Mapping) else {"a": returned}


def _generic(array: Array, name: str) -> Array:
    """Numbers in the shape and dtype of an array, of either sign, the same in every run."""
    generator = generator_for(0, name)
    drawn = generator.normal(size=array.shape)
    drawn = drawn + 1j * generator.normal(size=array.shape) if array.dtype.kind == "c" else drawn
    return np.asarray(drawn, dtype=array.dtype)


def _require(order: object, modes: Sequence[str]) -> None:
    if not isinstance(order, int) or order < 1:
        raise ConfigurationError(f"order is {order!r}; expected a whole number from 1")
    if isinstance(modes, str) or not modes or not set(modes) <= set(_MODES):
        raise ConfigurationError(f"modes is {modes!r}; expected some of {tuple(_MODES)}, such as modes=('rev',)")
