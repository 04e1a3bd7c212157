"""The forward of a module around a point, as a function from leaves to one vector."""

import warnings
from collections.abc import Callable

import numpy as np

from gradcheck.algebra.layout import ravel
from gradcheck.calculus.calls import Forward, call_forward, forward_of, stream
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module

_FLOAT64 = np.dtype(np.float64)


def outputs_near(module: Module, forward: Forward, seed: int) -> Callable[[Leaves], Array]:
    """The forward as a function from leaves to one vector, NaN where it has no value.

    The vector may be the module's own output: it is to be copied before the next call.

    A step away from the point a forward may raise (a Cholesky factorisation, a logarithm that
    checks its argument): that is an answer about this step, not a failure of the module. Numpy's warnings are the
    caller's to silence, who calls often.
    """
    layout = forward.layout
    (first,) = forward.outputs.values() if len(forward.outputs) == 1 else (None,)
    usual = first.shape if first is not None and first.dtype is _FLOAT64 else None

    stochastic, ndarray, float64, compute = module.stochastic, np.ndarray, _FLOAT64, module.forward

    def evaluate(leaves: Leaves) -> Array:
        try:
            returned = compute(**leaves, **stream(module, seed)) if stochastic else compute(**leaves)
            # Called more often than all else together, so that the usual answer is taken as it is.
            if type(returned) is tuple and len(returned) == 2:
                output = returned[0]
                if type(output) is ndarray and output.dtype is float64 and output.shape == usual:
                    return output.reshape(-1)
            near = forward_of(module, returned)
        except (Exception, SystemExit):
            return np.full(layout.size, np.nan)
        if near.layout != layout:
            raise ModuleError(
                f"{module.name}: the outputs have shapes {dict(layout.shapes)} at the point but"
                f" {dict(near.layout.shapes)} a small step away; expected the same shapes"
            )
        return ravel(near.outputs)

    return evaluate


def imaginary_outputs_near(module: Module, forward: Forward, seed: int) -> Callable[[Leaves], Array]:
    """The imaginary parts of forward at complex leaves, NaN where it does not take them or does not keep them."""
    expected = dict(forward.layout.shapes)
    nothing = np.full(forward.layout.size, np.nan)

    def evaluate(leaves: Leaves) -> Array:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # numpy drops an imaginary part with a warning
                outputs = call_forward(module, leaves, seed).outputs
        except ModuleError:
            return nothing
        complex_throughout = all(np.iscomplexobj(output) for output in outputs.values())
        if not complex_throughout or {name: output.shape for name, output in outputs.items()} != expected:
            return nothing
        return np.concatenate([np.ravel(output.imag) for output in outputs.values()])

    return evaluate
