"""SciPy's own objects, as ``gradcheck.check`` recognises them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint
from scipy.sparse.linalg import LinearOperator

from gradcheck.adapters.functions import from_functions
from gradcheck.plugins.scipy_adapter.problems import from_constraint, from_scipy
from gradcheck.values.adapter import Adapted
from gradcheck.values.aliases import Array
from gradcheck.values.errors import PointError, TargetError
from gradcheck.values.module import Module


class SciPyAdapter:
    """Recognises constraints, also those that are dicts, and LinearOperators; their only leaf is ``x``."""

    def recognises(self, target: object, arguments: Mapping[str, Any] | None) -> bool:
        """Whether it is one of SciPy's objects that have derivatives."""
        del arguments
        return isinstance(target, (NonlinearConstraint, LinearConstraint, LinearOperator)) or _is_constraint(target)

    def adapt(self, target: Any, arguments: Mapping[str, Any] | None) -> Adapted:
        """The object as a Module of ``x``."""
        if arguments is None or list(arguments) != ["x"]:
            given = "nothing" if arguments is None else ", ".join(map(str, arguments)) or "no names"
            raise PointError(f"a {type(target).__name__} was given with {given}; expected the point {{'x': array}}")
        return Adapted(_module(target), arguments)


ADAPTER = SciPyAdapter()


def _is_constraint(target: object) -> bool:
    """Whether it is a constraint as ``minimize`` takes it for some methods: a dict."""
    return isinstance(target, Mapping) and target.get("type") in ("eq", "ineq") and callable(target.get("fun"))


def _module(target: Any) -> Module:
    if isinstance(target, NonlinearConstraint):
        return from_constraint(target)
    if isinstance(target, LinearOperator):
        return _module_of_operator(target)
    if isinstance(target, LinearConstraint):
        raise TargetError("a LinearConstraint is its own derivative, the matrix A: nothing is there to verify")
    return from_scipy(target["fun"], target.get("jac"), args=target.get("args", ()))


def _module_of_operator(operator: LinearOperator) -> Module:
    """A x, whose forward and forward mode are matvec, and whose backward is rmatvec."""
    if np.issubdtype(operator.dtype, np.complexfloating):
        raise TargetError(f"the LinearOperator has dtype {operator.dtype}; expected a real one")

    def backward(leaves: Mapping[str, Array], cotangent: Array) -> dict[str, Array]:
        del leaves
        return {"x": np.asarray(operator.rmatvec(cotangent))}

    return from_functions(lambda x: np.asarray(operator.matvec(x)), backward, name=type(operator).__name__)
