"""The right-hand side of an ODE and its Jacobian, as given to ``scipy.integrate.solve_ivp``, as a Module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gradcheck.adapters.functions import from_functions, function_name
from gradcheck.plugins.scipy_adapter.matrices import matrix_of, pulled_back
from gradcheck.values.aliases import Array, Generator, Shape, Sizes
from gradcheck.values.declarations import Declaration, real
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.errors import TargetError
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Moment:
    """The domain of a time: a number by which nothing is differentiated."""

    differentiable: ClassVar[bool] = False

    def draw(self, generator: Generator, shape: Shape, sizes: Sizes) -> Array:
        """Draw a time between 0 and 1."""
        del sizes
        return np.asarray(generator.uniform(size=shape))

    def violation(self, values: Array, sizes: Sizes) -> str | None:
        """Any finite number is a time."""
        del values, sizes
        return None

    def room(self, values: Array) -> Array:
        """It is not moved."""
        return np.zeros(values.shape)


def from_ode(fun: Callable[..., Any], jac: Any, *, args: Any = (), name: str | None = None) -> Module:
    """Make a Module of ``fun(t, y, *args)`` and its Jacobian by y, as ``solve_ivp`` is given them.

    Arguments:
        fun: gives dy/dt, in the shape of y.
        jac: ``jac(t, y, *args)`` gives ∂fun_i/∂y_j, an array or sparse; or that matrix itself, if it is constant.
        args: what the functions are given beside t and y.
        name: name in reports; that of ``fun`` if left out.

    Raises TargetError without a Jacobian.

    >>> import numpy as np, gradcheck
    >>> decay = from_ode(lambda t, y, rate: -rate * y, lambda t, y, rate: -rate * np.eye(2), args=(0.5,))
    >>> gradcheck.check(decay, {"t": 0.0, "y": np.array([1.0, 3.0])}).verdict
    <Verdict.PASS: 'pass'>
    """
    if jac is None:
        raise TargetError("jac is None: with it SciPy takes differences itself, and nothing is there to verify")
    extra = args if isinstance(args, tuple) else (args,)

    def backward(leaves: Mapping[str, Array], cotangent: Array) -> dict[str, Array]:
        returned = jac(_time(leaves["t"]), leaves["y"], *extra) if callable(jac) else jac
        matrix = matrix_of(returned, "jac(t, y)", cotangent.shape, leaves["y"].shape)
        return {"y": pulled_back(matrix, cotangent.reshape(1, -1)).reshape(leaves["y"].shape)}

    return from_functions(
        # SciPy takes a list as well.
        lambda t, y: np.asarray(fun(_time(t), y, *extra), dtype=np.result_type(y, np.float64)),
        backward,
        inputs={"t": Declaration(Dimensions.parse(""), Moment())},
        parameters={"y": real("n")},
        outputs={"dy": "n"},
        name=name or function_name(fun),
    )


def _time(t: Array) -> float:
    return float(t)
